"""`genie_api_messages`: fetch what is new, changed, unsettled or due, batch by batch, and keep the ledger true.

Look up the day, let the rules decide what is wanted, ask for it, and tell what came of it.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import MessageRef, plan_requests
from genie_assets.domain.keys import MESSAGE_IDS, MessageKey, Row
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.questions import Counted, Equals, In, Not, Rows, Wanted
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH, MESSAGE_FETCH_ERRORS
from genie_assets.domain.waiting import Wait, due_times, wait_of
from genie_assets.domain.worklist import (
    OF_A_REFERENCE,
    PLAINLY_CURRENT,
    Reference,
    Verdict,
    Worklist,
    error_of,
    known_of,
    make_worklist,
    reference_of,
    reference_of_error,
    stuck,
)
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.pipeline.addresses import with_addresses
from genie_assets.pipeline.attempts import Attempts
from genie_assets.pipeline.batches import Batches, ask_for
from genie_assets.pipeline.conversation_days import index_stored_messages
from genie_assets.pipeline.error_ledger import ErrorLedger, open_again, shown_again
from genie_assets.pipeline.fetch_day import FetchedDay
from genie_assets.pipeline.fetch_report import FetchReport
from genie_assets.pipeline.fetch_runs import note_run
from genie_assets.pipeline.message_log import MessageLog
from genie_assets.pipeline.permission import release, still_forbidden
from genie_assets.pipeline.ports import Genie
from genie_assets.pipeline.run import Run
from genie_assets.pipeline.stored import (
    answer_questions,
    answers_in,
    errors_in,
    known_answers,
    ledger_questions,
)

_UNUSABLE = FetchError(
    ErrorClass.BAD_REFERENCE,
    "The audit log names this message without a usable space, conversation and message id, so it cannot be asked "
    "for. Nothing to do unless a later event completes the ids.",
)


def fetch(run: Run, chosen: Collection[str] = (), *, genie: Genie, lake: Lakehouse) -> FetchReport:
    """Fetch what one day needs, and append each distinct answer to the log.

    Args:
        run: The run; from its deadline on nothing more is asked for, and the rest stays pending.
        chosen: Workspaces that are looked at; none stands for all.
        genie: The API.
        lake: The tables.
    """
    started, began = time.monotonic(), run.clock()
    index_stored_messages(lake, {"ingestion_timestamp": began})
    day = _look_up(run.day, chosen, lake)
    before, stored_before = dict(day.errors), day.stored
    errors = ErrorLedger(lake, MESSAGE_FETCH_ERRORS, day.errors, run)
    changes = {reference.key: reference.last_change_time for reference in day.references}
    batches = Batches(MessageLog(lake, day.known, run, changes), errors, run, attempts=Attempts(lake, run))
    _heal(day, batches)
    worklist = _decide(day, run.clock())
    wanted = with_addresses(worklist.wanted, lake)
    for reference in worklist.deleted:
        batches.resolve(reference.key, ledger.DELETED)
    for reference in worklist.bad_references:
        batches.failed(_ids(reference), _UNUSABLE)
    for reference in worklist.left_out:
        batches.leave_out(_ids(reference))
    forbidden, probes = still_forbidden(wanted, errors.rows, genie, deadline=run.deadline)
    for ref, refusal in forbidden.items():
        batches.failed(_ids(ref), refusal)
    requests = plan_requests((ref for ref in wanted if ref not in forbidden), _conversation_sizes(day.known))
    tally = ask_for(requests, batches, genie, deadline=run.deadline)
    granted = ledger.newly_granted(before, errors.rows)
    again = _open_again(before, errors.rows, lake, run.clock())
    released = release(lake, granted, failed_before=began, now=run.clock())
    asked = replace(tally.asked, wanted=Counter(ref.workspace_id for ref in wanted))
    asked.add(probes)
    note_run(run, began, asked, day.places(errors.rows), lake)
    return FetchReport(
        verdicts=Counter(worklist.counts) + Counter({Verdict.CURRENT: day.current.total()}),
        wanted=len(wanted),
        pending=sum(
            key not in day.known and not ledger.is_open(errors.rows.get(key)) for key in tally.not_attempted
        ),
        released=released.total(),
        stuck=stuck((known_of(day.known[key]) for key in day.keys if key in day.known), run.clock()),
        seconds=time.monotonic() - started,
        stored_before=stored_before,
        tally=tally,
        asked=asked,
        waits={
            **{other: Wait(due=run.clock()) for other in released},
            run.day: wait_of(
                due_times(run.day, day.references, day.known, {**errors.rows, **again}),
                run.clock(),
                run.clock() if tally.not_attempted else None,
            ),
        },
    )


def _look_up(event_date: dt.date, chosen: Collection[str], lake: Lakehouse) -> FetchedDay:
    """The day's references and those of its open errors, unless they are plainly up to date."""
    days = [event_date]
    open_of_the_day = Rows(MESSAGE_FETCH_ERRORS, [Equals("event_date", event_date), *ledger.OPEN])
    found = lake.together(
        {
            "references": Counted(Rows(GENIE_MESSAGES_TO_FETCH, days=days), by=["workspace_id"]),
            "to judge": Wanted(Rows(GENIE_MESSAGES_TO_FETCH, [Not(PLAINLY_CURRENT)], days), OF_A_REFERENCE),
            "open": Wanted(open_of_the_day, MESSAGE_FETCH_ERRORS.column_names),
        }
    )
    rows = found["to judge"]
    current = Counter({row["workspace_id"]: row["count"] for row in found["references"]})
    current.subtract(row["workspace_id"] for row in rows)
    message_ids = {row["message_id"] for row in rows}
    conversation_ids = {row["conversation_id"] for row in rows if row["conversation_id"]}
    looked_up = message_ids | {row["message_id"] for row in found["open"]}
    about = lake.together({**ledger_questions(message_ids, conversation_ids), **answer_questions(looked_up)})
    errors = errors_in(about)
    for row in found["open"]:
        errors.setdefault(MessageKey.of(row), row)
    seen = {MessageKey.of(row) for row in rows}
    unseen = [
        row
        for key, row in errors.items()
        if key not in seen and ledger.is_open(row) and row["event_date"] == event_date
    ]
    known = answers_in(about) | known_answers(lake, {key.message_id for key in errors} - looked_up)
    judged = [reference_of(row, known.get(key), errors.get(key), chosen) for row, key in _by_key(rows)]
    judged += [reference_of_error(row, known.get(key), chosen) for row, key in _by_key(unseen)]
    return FetchedDay(judged, errors, known, current, len(rows))


def _open_again(
    before: Mapping[MessageKey, Row], errors: Mapping[Any, Row], lake: Lakehouse, now: dt.datetime
) -> dict[MessageKey, Row]:
    """Open errors again that this run has ended by references which are not so any more; their rows.

    Another process may have loaded a day meanwhile that shows these messages. It looks at the ledger after it has
    stored references, and ours looks at references after it has stored the ledger: one of them sees the other.

    Args:
        before: The ledger's rows when the run began.
        errors: The same as they are stored now.
        lake: The tables.
        now: The time, UTC.
    """
    called = {key: row for key, row in errors.items() if ledger.was_called_deleted(row)}
    ended = {key: row for key, row in called.items() if ledger.is_open(before.get(key))}
    if not ended:
        return {}
    of_these = In("message_id", sorted({key.message_id for key in ended}))
    shown = shown_again(ended.values(), lake.records(GENIE_MESSAGES_TO_FETCH, where=[of_these]))
    open_again(lake, MESSAGE_FETCH_ERRORS, shown, now)
    return {MessageKey.of(row): ledger.requeued(row, now) for row in shown}


def _by_key(rows: Iterable[Row]) -> list[tuple[Row, MessageKey]]:
    return [(row, MessageKey.of(row)) for row in rows]


def _heal(day: FetchedDay, batches: Batches[Row]) -> None:
    """Resolve errors of messages that were read after them."""
    for key, row in list(day.errors.items()):
        if ledger.is_outdated(row, day.known[key]["api_fetch_timestamp"] if key in day.known else None):
            batches.resolve(key, ledger.FETCHED)


def _decide(day: FetchedDay, now: dt.datetime) -> Worklist:
    known = {key: known_of(row) for key, row in day.known.items()}
    errors = {key: error for key, row in day.errors.items() if (error := error_of(row)) is not None}
    return make_worklist(day.references, known, errors, now)


def _ids(message: Reference | MessageRef) -> dict[str, str | None]:
    return {name: getattr(message, name) for name in MESSAGE_IDS}


def _conversation_sizes(known: Mapping[MessageKey, Row]) -> Counter[tuple[str, str, str]]:
    return Counter((row["workspace_id"], row["space_id"], row["conversation_id"]) for row in known.values())
