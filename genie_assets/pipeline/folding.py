"""`enriched_message_details`: fold stored answers, query history and names into the tables that users query."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.enrichment import (
    Folded,
    Surroundings,
    conversation_positions,
    executions,
    fold,
    parse_answers,
)
from genie_assets.domain.messages import Message
from genie_assets.domain.tables import (
    GENIE_MESSAGES_TO_FETCH,
    MESSAGE_ATTACHMENTS,
    MESSAGE_DETAILS,
    Table,
    records,
)
from genie_assets.gateways.genie_api import GenieApi
from genie_assets.gateways.lakehouse import (
    Between,
    Filter,
    In,
    Lakehouse,
    MergeResult,
)
from genie_assets.gateways.system_tables import SystemTables
from genie_assets.pipeline.conversation_days import entry_of, index_stored_messages, indexed_days, store_days
from genie_assets.pipeline.spaces import SpaceKey, look_at_spaces, space_titles
from genie_assets.pipeline.stored import (
    Key,
    Row,
    as_datetime,
    full_answers,
    headers_of,
    is_deleted,
    is_open,
    key_of,
    ledger_rows,
)
from genie_assets.pipeline.touched import in_parts, touched_conversations

Answers = Sequence[tuple[Mapping[str, Any], Message]]

# Query history is read from this long before the first question to this long after the last look: clocks differ.
_MARGIN = dt.timedelta(days=1)
# How far it goes back at most.
_LONGEST_HISTORY = dt.timedelta(days=365)


_OF_A_FOLDED_MESSAGE = (
    "workspace_id",
    "message_id",
    "created_date",
    "conversation_position",
    "api_fetch_timestamp",
    "enrichment_status",
)


@dataclass(frozen=True)
class FoldReport:
    """What one fold wrote, and what it found about the day's own messages. Reports of parts can be added."""

    messages: int = 0
    days: frozenset[dt.date] = frozenset()
    details: MergeResult = field(default_factory=MergeResult)
    attachments: MergeResult = field(default_factory=MergeResult)
    statements: int = 0
    statements_found: int = 0
    statuses: Mapping[str, int] = field(default_factory=Counter)
    enrichment: Mapping[str, int] = field(default_factory=Counter)
    space_requests: int = 0

    def __add__(self, other: "FoldReport") -> "FoldReport":
        return FoldReport(
            messages=self.messages + other.messages,
            days=self.days | other.days,
            details=self.details + other.details,
            attachments=self.attachments + other.attachments,
            statements=self.statements + other.statements,
            statements_found=self.statements_found + other.statements_found,
            statuses=Counter(self.statuses) + Counter(other.statuses),
            enrichment=Counter(self.enrichment) + Counter(other.enrichment),
            space_requests=self.space_requests + other.space_requests,
        )

    def numbers(self) -> dict[str, float]:
        """What is worth plotting per partition."""
        return {
            "messages": self.messages,
            "days_touched": len(self.days),
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
    statements had not arrived in query history are looked at again, whichever day it is. Work is done in parts of
    some thousand messages, so that a day of any size fits into memory; each part is stored by itself, and what a
    broken run has stored is right.
    """
    now = clock()
    index_stored_messages(lake, {"ingestion_timestamp": now})
    part = _Part(event_date, system_tables, genie, lake, run_id, clock)
    report = FoldReport()
    for conversation_ids in in_parts(touched_conversations(event_date, lake, now)):
        report += part.fold(conversation_ids)
    return report


@dataclass(frozen=True)
class _Part:
    """Folds some of the conversations that one day touches."""

    event_date: dt.date
    system_tables: SystemTables
    genie: GenieApi
    lake: Lakehouse
    run_id: str
    clock: Callable[[], dt.datetime]

    def fold(self, conversation_ids: list[str]) -> FoldReport:
        """Fold those messages of the conversations that may have changed; the others only count for positions."""
        indexed = indexed_days(self.lake, conversation_ids)
        days = {self.event_date, *(created_date for _, _, created_date in indexed)}
        headers = headers_of(self.lake, conversation_ids, days)
        positions = conversation_positions(headers.values())
        before = self._folded_before(conversation_ids, days)
        stale = self._stale(headers, positions, before)
        if not stale:
            return FoldReport()
        answers = parse_answers(full_answers(self.lake, stale))
        folded_before = [before[key_of(header)] for header in stale if key_of(header) in before]
        previous = self._rows_of(MESSAGE_DETAILS, folded_before)
        previous_attachments = self._rows_of(MESSAGE_ATTACHMENTS, folded_before)
        by_key = {key_of(row): row for row in previous}
        runs = executions(self._history(answers, by_key), previous, previous_attachments)
        references = self._references(answers, by_key)
        titles, space_requests = self._titles(answers, references)
        errors = ledger_rows(self.lake, message_ids={row["message_id"] for row in stale})
        now = self.clock()
        folded = fold(answers, runs, by_key, _surroundings(references, errors, titles), positions, now)
        stamp = {"ingestion_batch_id": f"{self.event_date}/{self.run_id}/fold", "ingestion_timestamp": now}
        store_days(self.lake, set(map(entry_of, stale)) - indexed, stamp)
        # Attachments first: whoever sees a message in message_details finds its attachments.
        attachments = _merge(self.lake, MESSAGE_ATTACHMENTS, folded.attachments, previous_attachments, stamp)
        details = _merge(self.lake, MESSAGE_DETAILS, folded.details, previous, stamp)
        return _report(self.event_date, folded, details, attachments, runs, space_requests)

    def _folded_before(self, conversation_ids: list[str], days: Collection[dt.date]) -> dict[Key, Row]:
        named = [In("conversation_id", conversation_ids)]
        rows = self.lake.read(MESSAGE_DETAILS, columns=_OF_A_FOLDED_MESSAGE, days=days, where=named)
        return {key_of(row): row for row in records(rows)}

    def _stale(
        self, headers: Mapping[Key, Row], positions: Mapping[Key, int], before: Mapping[Key, Row]
    ) -> list[Row]:
        """Headers of the messages to fold: the day's own, those that it touches, and whose row is not right."""
        message_ids = {message_id for _, message_id in headers}
        touched = {key_of(row) for row in self._references_where(message_ids, days=[self.event_date])}
        touched |= ledger_rows(self.lake, message_ids=message_ids).keys()
        return [
            header
            for key, header in headers.items()
            if header["created_date"] == self.event_date
            or key in touched
            or not _is_right(before.get(key), header, positions[key])
        ]

    def _rows_of(self, table: Table, messages: Collection[Row]) -> list[Row]:
        """The rows that earlier folds made of these messages."""
        days = {row["created_date"] for row in messages}
        keys = {key_of(row) for row in messages}
        named = [In("message_id", {message_id for _, message_id in keys})]
        return [row for row in records(self.lake.read(table, days=days, where=named)) if key_of(row) in keys]

    def _history(self, answers: Answers, previous: Mapping[Key, Row]) -> list[Row]:
        """Query history of the day's own statements, and of others that no earlier fold has found or given up."""
        asked = [(answer, message) for answer, message in answers if self._asks_history(answer, message, previous)]
        if not asked:
            return []
        statement_ids = {statement_id for _, message in asked for statement_id in message.statement_ids}
        created = [message.created_timestamp for _, message in asked if message.created_timestamp is not None]
        looked = max(answer["api_fetch_timestamp"] for answer, _ in asked)
        first = as_datetime(min(created)) if len(created) == len(asked) else None
        frame = self.system_tables.query_history(
            statement_ids, from_time=(first or looked - _LONGEST_HISTORY) - _MARGIN, to_time=looked + _MARGIN
        )
        return records(frame)

    def _asks_history(self, answer: Mapping[str, Any], message: Message, previous: Mapping[Key, Row]) -> bool:
        if not message.statement_ids:
            return False
        before = previous.get(key_of(answer))
        if before is None or abs(answer["created_date"] - self.event_date) <= _MARGIN:
            return True
        is_newer = answer["api_fetch_timestamp"] > before["api_fetch_timestamp"]
        return is_newer or before["enrichment_status"] not in ("COMPLETE", "EXPIRED")

    def _references(self, answers: Answers, previous: Mapping[Key, Row]) -> list[Row]:
        """What the audit log said about these messages: who asked, and whether they were deleted.

        On the day itself, and on the days around their question. What other days said of a message that was
        folded before, their own folds have put there.
        """
        created = {answer["created_date"] for answer, _ in answers}
        around = {day + dt.timedelta(days=offset) for day in created for offset in (-1, 0, 1)}
        message_ids = {answer["message_id"] for answer, _ in answers}
        rows = self._references_where(message_ids, days={self.event_date, *around})
        unseen = [answer for answer, _ in answers if key_of(answer) not in previous]
        if unseen:
            later = Between("event_date", low=min(answer["created_date"] for answer in unseen))
            rows += self._references_where({answer["message_id"] for answer in unseen}, where=[later])
        return sorted(rows, key=lambda row: row["event_date"])

    def _references_where(
        self,
        message_ids: Collection[str],
        *,
        days: Collection[dt.date] | None = None,
        where: Sequence[Filter] = (),
    ) -> list[Row]:
        columns = ["event_date", "workspace_id", "message_id", "user_email", "is_deleted"]
        columns += ["workspace_name", "workspace_url"]
        named = In("message_id", message_ids)
        return records(self.lake.read(GENIE_MESSAGES_TO_FETCH, columns=columns, days=days, where=[named, *where]))

    def _titles(self, answers: Answers, references: list[Row]) -> tuple[dict[SpaceKey, str], int]:
        """Titles of the answers' spaces, and the requests it took to read the spaces never looked at before."""
        needed = {(answer["workspace_id"], answer["space_id"]) for answer, _ in answers}
        workspace_ids = {workspace_id for workspace_id, _ in needed}
        titles = space_titles(self.lake, workspace_ids)
        never_seen = needed - titles.keys()
        urls = {row["workspace_id"]: row["workspace_url"] for row in references if row["workspace_url"]}
        report = look_at_spaces(
            never_seen, urls, genie=self.genie, lake=self.lake, run_id=self.run_id, clock=self.clock
        )
        if never_seen:
            titles = space_titles(self.lake, workspace_ids)
        return {key: title for key, title in titles.items() if title}, report.requests


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


def _is_right(row: Row | None, header: Row, position: int) -> bool:
    """Whether the row of `message_details` says what the log does, and waits for nothing."""
    return (
        row is not None
        and row["created_date"] == header["created_date"]
        and row["conversation_position"] == position
        and row["api_fetch_timestamp"] == header["api_fetch_timestamp"]
        and row["enrichment_status"] != "PENDING"
    )


def _merge(
    lake: Lakehouse, table: Table, rows: list[Row], previous: list[Row], stamp: Mapping[str, Any]
) -> MergeResult:
    """Store the rows that differ from the previous ones of these messages; remove those that are not among them.

    What stays as it is does not even reach the table: comparing it there would read every day it lies in.
    """
    place = (*table.key, "created_date")
    before = {tuple(row[name] for name in place): row for row in previous}
    now = {tuple(row[name] for name in place): row for row in rows}
    gone = [row for at, row in before.items() if at not in now]
    changed = [row for at, row in now.items() if not _is_same(table, row, before.get(at))]
    if not (changed or gone):
        return MergeResult()
    return lake.merge(
        table,
        table.frame({**row, **stamp} for row in changed),
        delete=table.frame(gone) if gone else None,
    )


def _is_same(table: Table, row: Row, previous: Row | None) -> bool:
    return previous is not None and all(row.get(name) == previous[name] for name in table.content)


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
        days=frozenset(row["created_date"] for row in folded.details),
        details=details,
        attachments=attachments,
        statements=len(statements),
        statements_found=sum(statement in runs for statement in statements),
        statuses=Counter(row["status"] or "UNKNOWN" for row in of_the_day),
        enrichment=Counter(row["enrichment_status"] for row in of_the_day),
        space_requests=space_requests,
    )
