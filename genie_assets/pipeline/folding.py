"""`enriched_message_details`: fold stored answers, query history and names into the tables that users query."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from genie_assets.domain.enrichment import Folded, Surroundings, executions, fold, parse_answers
from genie_assets.domain.messages import Message
from genie_assets.domain.tables import (
    GENIE_API_MESSAGES,
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    Table,
    records,
)
from genie_assets.gateways.genie_api import GenieApi
from genie_assets.gateways.lakehouse import Equals, In, Lakehouse, MergeResult
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.pipeline.spaces import SpaceKey, look_at_spaces, space_titles
from genie_assets.pipeline.stored import Key, Row, full_answers, is_deleted, is_open, key_of, ledger_rows

Answers = Sequence[tuple[Mapping[str, Any], Message]]

# Query history is read from this long before the first question to this long after the last look: clocks differ.
_MARGIN = dt.timedelta(days=1)
# Statements are waited for during 72 hours; some days more, so that the last look says that they never came.
_PENDING_DAYS = 7


@dataclass(frozen=True)
class FoldReport:
    """What one fold wrote, and what it found about the day's own messages."""

    messages: int
    days: int
    details: MergeResult
    attachments: MergeResult
    statements: int
    statements_found: int
    statuses: Mapping[str, int]
    enrichment: Mapping[str, int]
    space_requests: int

    def numbers(self) -> dict[str, float]:
        """What is worth plotting per partition."""
        return {
            "messages": self.messages,
            "days_touched": self.days,
            "inserted": self.details.inserted,
            "updated": self.details.updated,
            "moved_or_removed": self.details.deleted,
            "attachments_changed": self.attachments.changed,
            "statements": self.statements,
            "statements_found": self.statements_found,
            "space_requests": self.space_requests,
        }


def enrich(
    event_date: dt.date,
    *,
    system_tables: SystemTables,
    genie: GenieApi,
    lake: Lakehouse,
    run_id: str,
    clock: Callable[[], dt.datetime],
) -> FoldReport:
    """Fold every conversation that one day touches: by an audit event, by a fetch, or by a message asked on it.

    Whole conversations, because a message's position depends on the others. Conversations of the last days whose
    statements had not arrived in query history are looked at again, whichever day it is.
    """
    references = records(lake.read(GENIE_MESSAGES_TO_FETCH, days=[event_date]))
    conversation_ids = _touched_conversations(event_date, references, lake, clock())
    answers = parse_answers(records(full_answers(lake, conversation_ids)))
    in_conversations = [In("conversation_id", conversation_ids)]
    previous = records(lake.read(MESSAGE_DETAILS, where=in_conversations))
    previous_attachments = records(lake.read(MESSAGE_ATTACHMENTS, where=in_conversations))
    history = _history(system_tables, answers)
    runs = executions(history, previous, previous_attachments)
    titles, space_requests = _titles(answers, references, genie, lake, run_id, clock)
    now = clock()
    folded = fold(
        answers,
        runs,
        {key_of(row): row for row in previous},
        _surroundings(_all_references(lake, answers), _ledger(lake, references, answers), titles),
        now,
    )
    stamp = {"ingestion_batch_id": f"{event_date}/{run_id}/fold", "ingestion_timestamp": now}
    # Attachments first: whoever sees a message in message_details finds its attachments.
    messages = {key_of(row) for row in folded.details}
    attachments = _merge(lake, MESSAGE_ATTACHMENTS, folded.attachments, previous_attachments, messages, stamp)
    details = _merge(lake, MESSAGE_DETAILS, folded.details, previous, messages, stamp)
    return _report(event_date, folded, details, attachments, runs, space_requests)


def _touched_conversations(
    event_date: dt.date, references: list[Row], lake: Lakehouse, now: dt.datetime
) -> list[str]:
    fetched = lake.read(GENIE_API_MESSAGES, columns=["conversation_id"], where=[Equals("event_date", event_date)])
    recent = [now.date() - dt.timedelta(days=back) for back in range(_PENDING_DAYS)]
    waiting = [Equals("enrichment_status", "PENDING")]
    pending = lake.read(MESSAGE_DETAILS, columns=["conversation_id"], days=recent, where=waiting)
    asked = lake.read(GENIE_API_MESSAGES, columns=["conversation_id"], days=[event_date])
    touched = {*fetched["conversation_id"], *asked["conversation_id"], *pending["conversation_id"]}
    touched.update(row["conversation_id"] for row in references if row["conversation_id"])
    nameless = [row["message_id"] for row in references if not row["conversation_id"]]
    if nameless:
        known = lake.read(GENIE_API_MESSAGES, columns=["conversation_id"], where=[In("message_id", nameless)])
        touched.update(known["conversation_id"])
    return sorted(touched)


def _history(system_tables: SystemTables, answers: Answers) -> list[Row]:
    """Query history of all statements of the answers."""
    statement_ids = {statement_id for _, message in answers for statement_id in message.statement_ids}
    if not statement_ids:
        return []
    asked = [answer["created_timestamp"] for answer, _ in answers if answer["created_timestamp"] is not None]
    looked = max(answer["api_fetch_timestamp"] for answer, _ in answers)
    first = dt.datetime.fromtimestamp(min(asked) / 1000, dt.UTC) if asked else looked - dt.timedelta(days=365)
    frame = system_tables.query_history(statement_ids, from_time=first - _MARGIN, to_time=looked + _MARGIN)
    return records(frame)


def _titles(
    answers: Answers,
    references: list[Row],
    genie: GenieApi,
    lake: Lakehouse,
    run_id: str,
    clock: Callable[[], dt.datetime],
) -> tuple[dict[SpaceKey, str], int]:
    """Titles of the answers' spaces, and the requests it took to read the spaces never looked at before."""
    needed = {(answer["workspace_id"], answer["space_id"]) for answer, _ in answers}
    workspace_ids = {workspace_id for workspace_id, _ in needed}
    titles = space_titles(lake, workspace_ids)
    never_seen = needed - titles.keys()
    urls = {row["workspace_id"]: row["workspace_url"] for row in references}
    report = look_at_spaces(never_seen, urls, genie=genie, lake=lake, run_id=run_id, clock=clock)
    if never_seen:
        titles = space_titles(lake, workspace_ids)
    return {key: title for key, title in titles.items() if title}, report.requests


def _all_references(lake: Lakehouse, answers: Answers) -> list[Row]:
    """What the audit log said about these messages on any day: who asked, and whether they were deleted."""
    columns = ["event_date", "workspace_id", "message_id", "user_email", "is_deleted", "workspace_name"]
    message_ids = In("message_id", sorted({answer["message_id"] for answer, _ in answers}))
    return records(
        lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, where=[message_ids]).sort_values("event_date")
    )


def _ledger(lake: Lakehouse, references: list[Row], answers: Answers) -> dict[Key, Row]:
    message_ids = {row["message_id"] for row in references} | {answer["message_id"] for answer, _ in answers}
    return ledger_rows(lake, message_ids=sorted(message_ids))


def _surroundings(
    references: list[Row], errors: Mapping[Key, Row], titles: Mapping[SpaceKey, str]
) -> Surroundings:
    deleted = {key_of(row) for row in references if row["is_deleted"]}
    deleted |= {key for key, row in errors.items() if is_deleted(row)}
    return Surroundings(
        user_emails={key_of(row): row["user_email"] for row in references if row["user_email"]},
        deleted=deleted,
        errors={key: (row["error_class"], row["error_message"]) for key, row in errors.items() if is_open(row)},
        space_names=titles,
        workspace_names={
            row["workspace_id"]: row["workspace_name"] for row in references if row["workspace_name"]
        },
    )


def _merge(
    lake: Lakehouse,
    table: Table,
    rows: list[Row],
    previous: list[Row],
    messages: Set[Key],
    stamp: Mapping[str, Any],
) -> MergeResult:
    """Store the rows, and remove earlier ones of these messages that are not among them at their place."""
    place = (*table.key, "created_date")
    places = {tuple(row[name] for name in place) for row in rows}
    stale = [
        row for row in previous if key_of(row) in messages and tuple(row[name] for name in place) not in places
    ]
    return lake.merge(
        table,
        table.frame({**row, **stamp} for row in rows),
        delete=table.frame(stale) if stale else None,
    )


def _report(
    event_date: dt.date,
    folded: Folded,
    details: MergeResult,
    attachments: MergeResult,
    runs: Collection[Any],
    space_requests: int,
) -> FoldReport:
    of_the_day = [row for row in folded.details if row["created_date"] == event_date]
    statements = {(row["workspace_id"], row["statement_id"]) for row in folded.attachments if row["statement_id"]}
    return FoldReport(
        messages=len(folded.details),
        days=len({row["created_date"] for row in folded.details}),
        details=details,
        attachments=attachments,
        statements=len(statements),
        statements_found=sum(statement in runs for statement in statements),
        statuses=Counter(row["status"] or "UNKNOWN" for row in of_the_day),
        enrichment=Counter(row["enrichment_status"] for row in of_the_day),
        space_requests=space_requests,
    )
