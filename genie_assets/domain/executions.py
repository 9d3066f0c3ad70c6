"""How the SQL of messages ran: what query history says of it, and whether it is still waited for.

Query history knows statements, not messages, and forgets them after a year; some of its texts are redacted later.
What was read once stays known. What is not here: which statements an answer names (`messages`), and which are
looked for (`evidence`).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from genie_assets.domain.columns import STATEMENT_SEEN
from genie_assets.domain.keys import Row
from genie_assets.domain.messages import Message, not_negative
from genie_assets.domain.questions import Equals
from genie_assets.domain.tables import MESSAGE_ATTACHMENTS, MESSAGE_DETAILS
from genie_assets.domain.times import wanted_since

StatementKey = tuple[str, str]  # (workspace_id, statement_id)

# A statement that is not in query history this long after its question, or after the message has named it, is not
# waited for any more.
HISTORY_TIME_LIMIT = dt.timedelta(hours=72)
_REDACTED = "<REDACTED>"
# What stays known of an execution when history has forgotten it.
EXECUTION_COLUMNS = (*MESSAGE_DETAILS.columns_from("history"), STATEMENT_SEEN.name)
ATTACHMENT_EXECUTION_COLUMNS = (*MESSAGE_ATTACHMENTS.columns_from("history"), STATEMENT_SEEN.name)


class EnrichmentStatus(StrEnum):
    """Whether the statements of a message have been found in query history."""

    PENDING = "PENDING"  # not all of them, and they are waited for
    COMPLETE = "COMPLETE"
    NOT_APPLICABLE = "NOT_APPLICABLE"  # it has none
    EXPIRED = "EXPIRED"  # not all of them, and they are not waited for any more


# The same, asked of rows of `message_details`: do they wait for a statement?
WAITING = (Equals("enrichment_status", EnrichmentStatus.PENDING.value),)


def is_waiting(row: Mapping[str, Any]) -> bool:
    """Whether a row of `message_details` waits for a statement."""
    return bool(row["enrichment_status"] == EnrichmentStatus.PENDING)


def enrichment_status(
    message: Message,
    workspace_id: str,
    runs: Mapping[StatementKey, Row],
    *,
    looks: Sequence[Mapping[str, Any]],
    now: dt.datetime | None,
) -> EnrichmentStatus:
    """Whether the message's statements have been found in query history, are waited for, or never came.

    Args:
        message: What is known of the message.
        workspace_id: Where it was asked.
        runs: The statements that were found.
        looks: The message's answers, the earliest first. They tell which statements came later than it did; and
            one that does not tell when it was asked would be given up at once, if not for the first of them.
        now: When they were looked for (UTC); None if they could not be: then nothing is given up.
    """
    if not message.statement_ids:
        return EnrichmentStatus.NOT_APPLICABLE
    missing = [each for each in message.statement_ids if (workspace_id, each) not in runs]
    if not missing:
        return EnrichmentStatus.COMPLETE
    if now is None:
        return EnrichmentStatus.PENDING
    asked = message.created_timestamp or message.last_updated_timestamp or _seen_ms(looks)
    later = [at.timestamp() * 1000 for each in missing if (at := wanted_since(each, looks)) is not None]
    waited_ms = now.timestamp() * 1000 - max([asked, *later])
    is_in_time = waited_ms < HISTORY_TIME_LIMIT.total_seconds() * 1000
    return EnrichmentStatus.PENDING if is_in_time else EnrichmentStatus.EXPIRED


def _seen_ms(looks: Sequence[Mapping[str, Any]]) -> float:
    first: dt.datetime = min(look["api_fetch_timestamp"] for look in looks)
    return first.timestamp() * 1000


def executions(
    history: Iterable[Mapping[str, Any]],
    previous_details: Iterable[Mapping[str, Any]],
    previous_attachments: Iterable[Mapping[str, Any]],
    now: dt.datetime,
) -> dict[StatementKey, Row]:
    """How each statement ran, by (workspace_id, statement_id), in the columns of `message_details`.

    Rows of `sql/query_history.sql` win, the one with the newest update_time among several; what earlier folds
    stored stands in for what history does not show any more: old statements, redacted texts. A statement that no
    earlier fold had found is first seen `now` (UTC); when one was found that an earlier version stored is unknown.
    """
    known: dict[StatementKey, Row] = {}
    for columns, rows in (
        (ATTACHMENT_EXECUTION_COLUMNS, previous_attachments),
        (EXECUTION_COLUMNS, previous_details),
    ):
        for row in rows:
            if row["statement_id"] and row["query_execution_status"]:
                known[row["workspace_id"], row["statement_id"]] = {name: row[name] for name in columns}
    newest: dict[StatementKey, Mapping[str, Any]] = {}
    for row in history:
        key = (row["workspace_id"], row["statement_id"])
        if key not in newest or _updated(row) >= _updated(newest[key]):
            newest[key] = row
    for key, row in newest.items():
        shown = {name: value for name, value in _execution(row).items() if value is not None}
        known[key] = known.get(key, {STATEMENT_SEEN.name: now}) | shown
    return known


def _updated(row: Mapping[str, Any]) -> dt.datetime:
    return row["update_time"] or row["start_time"] or dt.datetime.min.replace(tzinfo=dt.UTC)


def _execution(row: Mapping[str, Any]) -> Row:
    """A row of query history in our columns. Real data hold negative durations: such numbers are unknown."""
    waits = [
        not_negative(row["waiting_for_compute_duration_ms"]),
        not_negative(row["waiting_at_capacity_duration_ms"]),
    ]
    known_waits = [wait for wait in waits if wait is not None]
    return {
        "query_execution_status": row["execution_status"],
        "query_duration_ms": not_negative(row["total_duration_ms"]),
        "query_start_time": row["start_time"],
        "query_end_time": row["end_time"],
        "query_warehouse_id": row["warehouse_id"],
        "query_read_rows": not_negative(row["read_rows"]),
        "query_read_bytes": not_negative(row["read_bytes"]),
        "query_error_message": None if row["error_message"] in ("", _REDACTED) else row["error_message"],
        "query_wait_ms": sum(known_waits) if known_waits else None,
        "query_compile_ms": not_negative(row["compilation_duration_ms"]),
        "query_execution_ms": not_negative(row["execution_duration_ms"]),
        "query_fetch_ms": not_negative(row["result_fetch_duration_ms"]),
        "query_from_cache": row["from_result_cache"],
    }
