"""`genie_api_messages`: fetch what is new, changed, unsettled or due, batch by batch, and keep the ledger true."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genie_assets.domain import ledger
from genie_assets.domain.fetch_plan import FetchRequest, MessageRef, plan_requests
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_FETCH_ERRORS,
    records,
)
from genie_assets.domain.worklist import (
    STUCK_AFTER,
    ClosedError,
    Known,
    OpenError,
    Reference,
    Verdict,
    Worklist,
    make_worklist,
)
from genie_assets.gateways.genie_api import GenieApi
from genie_assets.gateways.lakehouse import Equals, Exists, Lakehouse, Not, Rows
from genie_assets.pipeline.batches import BatchWriter, Tally
from genie_assets.pipeline.conversation_days import index_stored_messages
from genie_assets.pipeline.permission import newly_granted, release, still_forbidden
from genie_assets.pipeline.stored import (
    Key,
    Row,
    as_datetime,
    is_deleted,
    is_open,
    key_of,
    known_answers,
    ledger_rows,
)

# Failures that say something about the way to the API, not about one message.
_SYSTEMIC = frozenset(
    {
        ErrorClass.AUTH,
        ErrorClass.CONFIG,
        ErrorClass.NETWORK,
        ErrorClass.TIMEOUT,
        ErrorClass.SERVER,
        ErrorClass.RATE_LIMITED,
    }
)
# So many first refusals without one answer are no matter of single messages either.
_SUSPICIOUS = 20


@dataclass(frozen=True)
class FetchReport:
    """What one fetch of a day did."""

    verdicts: Mapping[Verdict, int]
    tally: Tally
    wanted: int
    not_attempted: int
    pending: int  # of the not attempted: messages that are neither stored nor open errors
    released: int  # errors of other days that need not wait for permission any more
    stuck: int  # messages that have not ended a day after they were asked
    requests: int
    throttled: int
    seconds: float
    stored_before: int  # messages of the day that were stored when the run began

    @property
    def nothing_worked(self) -> bool:
        """Messages were asked for, none was answered, and single messages are not the reason.

        A day of which something is stored already only has some messages left that cannot be read.
        """
        failed = self.tally.failed
        if not failed or self.tally.answered or self.tally.deleted or self.stored_before:
            return False
        return failed >= _SUSPICIOUS or all(name in _SYSTEMIC for name in self.tally.errors_by_class)

    def numbers(self) -> dict[str, float]:
        """What is worth plotting per partition. A rate is left out where nothing was asked for."""
        tally, asked = self.tally, self.wanted - self.not_attempted
        numbers: dict[str, float] = {
            "references": sum(self.verdicts.values()),
            "wanted": self.wanted,
            "answered": tally.answered,
            "stored": tally.stored,
            "unchanged": tally.unchanged,
            "brought_along": tally.extra,
            "failed": tally.failed,
            "found_deleted": tally.deleted,
            "not_attempted": self.not_attempted,
            "pending": self.pending,
            "put_off": tally.put_off,
            "released": self.released,
            "stuck": self.stuck,
            "batches": tally.batches,
            "requests": self.requests,
            "answered_429": self.throttled,
            "fetch_seconds": round(self.seconds, 3),
        }
        if asked:
            numbers["success_rate"] = round((tally.answered + tally.deleted) / asked, 6)
            numbers["requests_per_message"] = round(self.requests / asked, 4)
        return numbers


def fetch(
    event_date: dt.date,
    *,
    genie: GenieApi,
    lake: Lakehouse,
    run_id: str,
    clock: Callable[[], dt.datetime],
    deadline: float,
) -> FetchReport:
    """Fetch what one day needs, and append each distinct answer to the log.

    Args:
        event_date: The UTC day of audit events.
        genie: The API.
        lake: The tables.
        run_id: Names the batches.
        clock: The time, UTC.
        deadline: `time.monotonic()` seconds from which on nothing more is asked for; the rest stays pending.
    """
    started, began = time.monotonic(), clock()
    index_stored_messages(lake, {"ingestion_timestamp": began})
    day = _open_day(event_date, lake)
    references, errors, known = day.references, day.errors, day.known
    writer = BatchWriter(lake, event_date=event_date, run_id=run_id, known=known, errors=errors, clock=clock)
    _heal(known, errors, writer)
    worklist = _judge(references, known, errors, clock())
    for reference in worklist.deleted:
        writer.resolve(reference.key, ledger.DELETED)
    for reference in worklist.bad_references:
        writer.take_error(_ids(reference), _UNUSABLE)
    before, stored_before = dict(errors), day.current + sum(reference.key in known for reference in references)
    asked_for, probes = _without_forbidden(worklist.wanted, errors, genie, writer, deadline)
    asked = _ask(plan_requests(asked_for, _conversation_sizes(known)), genie, writer, deadline)
    tally, now = writer.close(), clock()
    return FetchReport(
        verdicts=Counter(worklist.counts) + Counter({Verdict.CURRENT: day.current}),
        tally=tally,
        wanted=len(worklist.wanted),
        not_attempted=len(asked.not_attempted),
        pending=sum(key not in known and not is_open(errors.get(key)) for key in asked.not_attempted),
        released=release(lake, newly_granted(before, errors), failed_before=began, now=now),
        stuck=_stuck(references, known, now),
        requests=probes + asked.requests,
        throttled=asked.throttled,
        seconds=time.monotonic() - started,
        stored_before=stored_before,
    )


@dataclass
class _Asked:
    not_attempted: list[Key] = field(default_factory=list)
    requests: int = 0
    throttled: int = 0


def _without_forbidden(
    wanted: Sequence[MessageRef], errors: Mapping[Key, Row], genie: GenieApi, writer: BatchWriter, deadline: float
) -> tuple[list[MessageRef], int]:
    """What is worth asking for, and the probes that it took to know; the rest is noted as forbidden still."""
    forbidden, probes = still_forbidden(wanted, errors, genie, deadline=deadline)
    asked_for = []
    for ref in wanted:
        refusal = forbidden.get((ref.workspace_id, ref.message_id))
        if refusal is None:
            asked_for.append(ref)
        else:
            writer.take_error(_ids(ref), refusal)
    return asked_for, probes


def _ask(requests: Sequence[FetchRequest], genie: GenieApi, writer: BatchWriter, deadline: float) -> _Asked:
    """Make the requests and hand what comes to the writer."""
    asked = _Asked()
    for result in genie.fetch(requests, deadline=deadline):
        writer.take(result)
        asked.not_attempted += [(result.request.workspace_id, message_id) for message_id in result.not_attempted]
        asked.requests += result.requests_made
        asked.throttled += result.throttled
    return asked


_UNUSABLE = FetchError(
    ErrorClass.BAD_REFERENCE,
    "The audit log names this message without a usable space, conversation and message id, so it cannot be asked "
    "for. Nothing to do unless a later event completes the ids.",
)


_OF_A_REFERENCE = (
    "workspace_id",
    "workspace_url",
    "space_id",
    "conversation_id",
    "message_id",
    "last_change_time",
    "ingestion_timestamp",
    "is_deleted",
)


@dataclass(frozen=True)
class _Day:
    """What has to be judged about a day."""

    references: list[Reference]
    errors: dict[Key, Row]  # the ledger's rows of these references and of their conversations
    known: dict[Key, Row]  # headers of their stored answers
    current: int  # references that need no judging: settled, unchanged, without an error


# The lakehouse itself picks out what is plainly up to date. The rules decide about everything else.
_PLAINLY_CURRENT = (
    Equals("is_deleted", False),
    Exists(
        Rows(GENIE_API_MESSAGES, [Equals("is_settled", True)]), since=("api_fetch_timestamp", "last_change_time")
    ),
    Not([Exists(Rows(GENIE_API_MESSAGES, [Equals("is_settled", False)]))]),
    Not([Exists(Rows(MESSAGE_FETCH_ERRORS))]),
)


def _open_day(event_date: dt.date, lake: Lakehouse) -> _Day:
    """The day's references and those of its open errors, unless they are plainly up to date."""
    days = [event_date]
    references = sum(row["count"] for row in lake.count(GENIE_MESSAGES_TO_FETCH, days=days))
    open_references = [Not(_PLAINLY_CURRENT)]
    rows = records(lake.read(GENIE_MESSAGES_TO_FETCH, columns=_OF_A_REFERENCE, days=days, where=open_references))
    current = references - len(rows)
    errors = ledger_rows(
        lake,
        message_ids={row["message_id"] for row in rows},
        conversation_ids={row["conversation_id"] for row in rows if row["conversation_id"]},
    )
    of_the_day = [Equals("event_date", event_date), Equals("resolved", False)]
    for row in records(lake.read(MESSAGE_FETCH_ERRORS, where=of_the_day)):
        errors.setdefault(key_of(row), row)
    seen = {key_of(row) for row in rows}
    unseen = [
        row for key, row in errors.items() if key not in seen and is_open(row) and row["event_date"] == event_date
    ]
    urls = _workspace_urls(event_date, lake) if unseen else {}
    rows += [
        {**row, "workspace_url": urls.get(row["workspace_id"]), "last_change_time": None, "is_deleted": False}
        for row in unseen
    ]
    known = known_answers(lake, {row["message_id"] for row in rows} | {message_id for _, message_id in errors})
    judged = [_reference(row, errors.get(key_of(row))) for row in rows]
    return _Day([_completed(each, known.get(each.key)) for each in judged], errors, known, current)


def _workspace_urls(event_date: dt.date, lake: Lakehouse) -> dict[str, str | None]:
    columns = ["workspace_id", "workspace_url"]
    frame = lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, days=[event_date], distinct=True)
    return {row["workspace_id"]: row["workspace_url"] for row in records(frame)}


def _reference(row: Row, error: Row | None) -> Reference:
    return Reference(
        workspace_id=row["workspace_id"],
        workspace_url=row["workspace_url"],
        space_id=row["space_id"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        last_change_time=_by_our_clock(row),
        is_deleted=bool(row["is_deleted"]) or is_deleted(error),
    )


def _completed(reference: Reference, known: Row | None) -> Reference:
    """A reference whose ids the day's events do not all name, with those under which it is stored."""
    if known is None or (reference.space_id and reference.conversation_id):
        return reference
    return replace(reference, space_id=known["space_id"], conversation_id=known["conversation_id"])


def _by_our_clock(row: Row) -> dt.datetime | None:
    """When the message changed. What we have seen has happened, even if Databricks' clock is ahead of ours."""
    changed, seen = row["last_change_time"], row.get("ingestion_timestamp")
    return min(changed, seen) if changed is not None and seen is not None else changed


def _heal(known: Mapping[Key, Row], errors: Mapping[Key, Row], writer: BatchWriter) -> None:
    """Resolve errors of messages that were stored after them: a run died between its log and its ledger."""
    stored = [
        key
        for key, row in errors.items()
        if is_open(row) and key in known and known[key]["api_fetch_timestamp"] >= row["error_timestamp"]
    ]
    for key in stored:
        writer.resolve(key, ledger.FETCHED)


def _judge(
    references: list[Reference], known: Mapping[Key, Row], errors: Mapping[Key, Row], now: dt.datetime
) -> Worklist:
    return make_worklist(
        references,
        {key: _known(row) for key, row in known.items()},
        {key: error for key, row in errors.items() if (error := _error(row)) is not None},
        now,
    )


def _known(row: Row) -> Known:
    created_at = as_datetime(row["created_timestamp"])
    return Known(bool(row["is_settled"]), created_at, last_fetch=row["api_fetch_timestamp"])


def _open_error(row: Row) -> OpenError:
    # With a status it was the API that refused the ids: complete as they are, they will not get better.
    never_sent = row["error_class"] == ErrorClass.BAD_REFERENCE and row["http_status"] is None
    return OpenError(row["next_retry_timestamp"], is_bad_reference=never_sent)


def _error(row: Row) -> OpenError | ClosedError | None:
    if is_open(row):
        return _open_error(row)
    return ClosedError(row["resolved_timestamp"]) if row["resolution"] == ledger.CLOSED else None


def _stuck(references: list[Reference], known: Mapping[Key, Row], now: dt.datetime) -> int:
    """Messages of the day that have not ended long after they were asked."""
    unsettled = [known[r.key] for r in references if r.key in known and not known[r.key]["is_settled"]]
    asked = [as_datetime(row["created_timestamp"]) for row in unsettled]
    return sum(at is not None and now - at > STUCK_AFTER for at in asked)


def _ids(reference: Reference | MessageRef) -> dict[str, Any]:
    return {
        name: getattr(reference, name) for name in ("workspace_id", "space_id", "conversation_id", "message_id")
    }


def _conversation_sizes(known: Mapping[Key, Row]) -> Counter[tuple[str, str, str]]:
    return Counter((row["workspace_id"], row["space_id"], row["conversation_id"]) for row in known.values())
