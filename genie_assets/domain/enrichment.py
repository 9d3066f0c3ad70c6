"""The fold: stored answers and query history become `message_details` and `message_attachments`.

Pure and repeatable: the same answers, history and earlier rows give the same rows. What is known stays known: a
value that has become unavailable (history expires, a grant goes) never replaces one that was read.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from genie_assets.domain.messages import Attachment, Message, as_json, parse_message

Row = dict[str, Any]
Key = tuple[str, str]  # (workspace_id, message_id)

# A statement that is not in query history this long after its question is not waited for any more.
HISTORY_TIME_LIMIT = dt.timedelta(hours=72)
_REDACTED = "<REDACTED>"
_EXECUTION_COLUMNS = (
    "query_execution_status",
    "query_duration_ms",
    "query_start_time",
    "query_end_time",
    "query_warehouse_id",
    "query_read_rows",
    "query_read_bytes",
    "query_error_message",
    "query_wait_ms",
    "query_compile_ms",
    "query_execution_ms",
    "query_fetch_ms",
    "query_from_cache",
)
_ATTACHMENT_EXECUTION_COLUMNS = (
    "query_execution_status",
    "query_duration_ms",
    "query_read_rows",
    "query_read_bytes",
    "query_error_message",
)


@dataclass(frozen=True)
class Surroundings:
    """What is known about messages beside their answers.

    Attributes:
        user_emails: Who asked, by (workspace_id, message_id).
        deleted: Messages known to be deleted.
        errors: (error class, scrubbed text) of open errors that block a newer look.
        space_names: Titles by (workspace_id, space_id).
        workspace_names: Names by workspace_id.
    """

    user_emails: Mapping[Key, str] = field(default_factory=dict)
    deleted: Set[Key] = frozenset()
    errors: Mapping[Key, tuple[str, str]] = field(default_factory=dict)
    space_names: Mapping[Key, str] = field(default_factory=dict)
    workspace_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Folded:
    """The rows of both tables."""

    details: list[Row]
    attachments: list[Row]


def parse_answers(answers: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Message]]:
    """Each row of `genie_api_messages` with its parsed message."""
    return [(answer, parse_message(json.loads(answer["raw_json"]))) for answer in answers]


def executions(
    history: Iterable[Mapping[str, Any]],
    previous_details: Iterable[Mapping[str, Any]],
    previous_attachments: Iterable[Mapping[str, Any]],
) -> dict[Key, Row]:
    """How each statement ran, by (workspace_id, statement_id), in the columns of `message_details`.

    Rows of `sql/query_history.sql` win, the one with the newest update_time among several; what earlier folds
    stored stands in for what history does not show any more: old statements, redacted texts.
    """
    known: dict[Key, Row] = {}
    for columns, rows in (
        (_ATTACHMENT_EXECUTION_COLUMNS, previous_attachments),
        (_EXECUTION_COLUMNS, previous_details),
    ):
        for row in rows:
            if row["statement_id"] and row["query_execution_status"]:
                known[row["workspace_id"], row["statement_id"]] = {name: row[name] for name in columns}
    newest: dict[Key, Mapping[str, Any]] = {}
    for row in history:
        key = (row["workspace_id"], row["statement_id"])
        if key not in newest or _updated(row) >= _updated(newest[key]):
            newest[key] = row
    for key, row in newest.items():
        shown = {name: value for name, value in _execution(row).items() if value is not None}
        known[key] = known.get(key, {}) | shown
    return known


def fold(
    answers: Sequence[tuple[Mapping[str, Any], Message]],
    runs: Mapping[Key, Row],
    previous: Mapping[Key, Mapping[str, Any]],
    surroundings: Surroundings,
    positions: Mapping[Key, int],
    now: dt.datetime,
) -> Folded:
    """Fold messages.

    Args:
        answers: The latest answer of each message, with its parsed message.
        runs: How statements ran, from `executions`.
        previous: Rows of `message_details` so far, by (workspace_id, message_id).
        surroundings: E-mails, deletions, errors and names.
        positions: The messages' places in their conversations, from `conversation_positions`.
        now: The time of the fold, UTC; decides how long a missing statement is waited for.
    """
    details: list[Row] = []
    attachments: list[Row] = []
    for answer, message in answers:
        key = (answer["workspace_id"], answer["message_id"])
        row = _details_row(answer, message, runs, previous.get(key, {}), surroundings, now)
        row["conversation_position"] = positions[key]
        details.append(row)
        attachments.extend(_attachment_row(answer, attachment, runs) for attachment in message.attachments or ())
    return Folded(details, attachments)


def conversation_positions(messages: Iterable[Mapping[str, Any]]) -> dict[Key, int]:
    """The rank of every message in its conversation, from 1, by creation time and then id.

    Args:
        messages: workspace_id, conversation_id, message_id and created_timestamp (ms, may be None) of all messages
            of the conversations.
    """
    conversations: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for message in messages:
        created = message["created_timestamp"]
        place = (2**63 if created is None else created, message["message_id"])
        conversations[message["workspace_id"], message["conversation_id"]].append(place)
    return {
        (workspace_id, message_id): position
        for (workspace_id, _), members in conversations.items()
        for position, (_, message_id) in enumerate(sorted(members), start=1)
    }


def _details_row(
    answer: Mapping[str, Any],
    message: Message,
    runs: Mapping[Key, Row],
    previous: Mapping[str, Any],
    surroundings: Surroundings,
    now: dt.datetime,
) -> Row:
    workspace_id, space_id = answer["workspace_id"], answer["space_id"]
    key = (workspace_id, answer["message_id"])
    query = message.query
    statement_id = query.statement_id if query else None
    error_class, error_text = surroundings.errors.get(key, ("SUCCESS", None))
    return {
        "workspace_id": workspace_id,
        "space_id": space_id,
        "conversation_id": answer["conversation_id"],
        "message_id": answer["message_id"],
        "created_date": answer["created_date"],
        "space_name": surroundings.space_names.get((workspace_id, space_id)) or previous.get("space_name"),
        "workspace_name": surroundings.workspace_names.get(workspace_id) or previous.get("workspace_name"),
        "content": message.content,
        "status": message.status,
        "created_timestamp": message.created_timestamp,
        "updated_timestamp": message.last_updated_timestamp,
        "query_sql": query.query_sql if query else None,
        "query_description": query.query_description if query else None,
        "query_title": query.query_title if query else None,
        "query_row_count": query.row_count if query else None,
        "statement_id": statement_id,
        "api_fetch_timestamp": answer["api_fetch_timestamp"],
        "api_fetch_status": error_class,
        "api_fetch_error": error_text,
        "user_id": message.user_id,
        "user_email": surroundings.user_emails.get(key) or previous.get("user_email"),
        "answer_text": message.answer_text,
        "response_time_ms": response_time_ms(message),
        "feedback_rating": message.feedback_rating,
        "feedback_comment": message.feedback_comment,
        "error_type": message.error_type,
        "error_message": message.error_message,
        "enrichment_status": enrichment_status(message, workspace_id, runs, now),
        "is_deleted": key in surroundings.deleted or bool(previous.get("is_deleted")),
        **_attachments_columns(message),
        **(runs.get((workspace_id, statement_id), {}) if statement_id else {}),
    }


def _attachments_columns(message: Message) -> Row:
    """Counts of the answer; unknown while the API shows no attachments at all."""
    if message.attachments is None:
        return {}
    return {
        "attachments_count": len(message.attachments),
        "attachments_json": as_json([attachment.body for attachment in message.attachments]),
        "statements_count": len(message.statement_ids),
    }


def _attachment_row(answer: Mapping[str, Any], attachment: Attachment, runs: Mapping[Key, Row]) -> Row:
    run = runs.get((answer["workspace_id"], attachment.statement_id or ""), {})
    return {
        **{
            name: answer[name]
            for name in ("workspace_id", "space_id", "conversation_id", "message_id", "created_date")
        },
        "attachment_ordinal": attachment.ordinal,
        "attachment_id": attachment.attachment_id,
        "attachment_type": attachment.attachment_type,
        "attachment_json": as_json(attachment.body),
        "query_sql": attachment.query_sql,
        "query_title": attachment.query_title,
        "query_description": attachment.query_description,
        "statement_id": attachment.statement_id,
        "row_count": attachment.row_count,
        "text_content": attachment.text_content,
        "text_purpose": attachment.text_purpose,
        **{name: run.get(name) for name in _ATTACHMENT_EXECUTION_COLUMNS},
    }


def response_time_ms(message: Message) -> int | None:
    """Last update minus creation, ms, once the message is settled; None if either is unknown or out of order."""
    created, updated = message.created_timestamp, message.last_updated_timestamp
    if not message.is_settled or created is None or updated is None or updated < created:
        return None
    return updated - created


def enrichment_status(message: Message, workspace_id: str, runs: Mapping[Key, Row], now: dt.datetime) -> str:
    """Whether the message's statements have been found in query history, are waited for, or never came."""
    if not message.statement_ids:
        return "NOT_APPLICABLE"
    if all((workspace_id, statement_id) in runs for statement_id in message.statement_ids):
        return "COMPLETE"
    asked = message.created_timestamp or message.last_updated_timestamp or 0
    waited_ms = now.timestamp() * 1000 - asked
    return "PENDING" if waited_ms < HISTORY_TIME_LIMIT.total_seconds() * 1000 else "EXPIRED"


def _updated(row: Mapping[str, Any]) -> dt.datetime:
    return row["update_time"] or row["start_time"] or dt.datetime.min.replace(tzinfo=dt.UTC)


def _execution(row: Mapping[str, Any]) -> Row:
    """A row of query history in our columns. Real data hold negative durations: those are unknown."""
    waits = [_duration(row["waiting_for_compute_duration_ms"]), _duration(row["waiting_at_capacity_duration_ms"])]
    known_waits = [wait for wait in waits if wait is not None]
    return {
        "query_execution_status": row["execution_status"],
        "query_duration_ms": _duration(row["total_duration_ms"]),
        "query_start_time": row["start_time"],
        "query_end_time": row["end_time"],
        "query_warehouse_id": row["warehouse_id"],
        "query_read_rows": row["read_rows"],
        "query_read_bytes": row["read_bytes"],
        "query_error_message": None if row["error_message"] in ("", _REDACTED) else row["error_message"],
        "query_wait_ms": sum(known_waits) if known_waits else None,
        "query_compile_ms": _duration(row["compilation_duration_ms"]),
        "query_execution_ms": _duration(row["execution_duration_ms"]),
        "query_fetch_ms": _duration(row["result_fetch_duration_ms"]),
        "query_from_cache": row["from_result_cache"],
    }


def _duration(value: int | None) -> int | None:
    return value if value is not None and value >= 0 else None
