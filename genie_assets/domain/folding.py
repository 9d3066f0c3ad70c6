"""The fold: what is known of messages becomes the rows of `message_details` and `message_attachments`.

Pure and repeatable: the same evidence gives the same rows. What is known stays known: a value that has become
unavailable (history expires, a grant goes) never replaces one that was read. What is not here: how statements ran
(`executions`), what the evidence is (`evidence`), and which messages are folded again (`folded_again`).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from genie_assets.domain import ledger
from genie_assets.domain.actions import deletes_conversation, deletes_message
from genie_assets.domain.digests import is_same
from genie_assets.domain.evidence import Evidence
from genie_assets.domain.executions import (
    ATTACHMENT_EXECUTION_COLUMNS,
    EXECUTION_COLUMNS,
    EnrichmentStatus,
    StatementKey,
    enrichment_status,
    executions,
)
from genie_assets.domain.keys import MESSAGE_IDS, ConversationKey, MessageKey, Row, SpaceKey
from genie_assets.domain.messages import CLOCKS_DIFFER, Attachment, Message, as_json
from genie_assets.domain.set_aside import SetAside
from genie_assets.domain.tables import Table
from genie_assets.domain.times import created_date, response_time_ms


@dataclass(frozen=True)
class Folded:
    """The rows of both tables, and how many statements they name, of which so many were found in history.

    `set_aside` are the messages that have no rows because something about them breaks the fold.
    """

    details: list[Row]
    attachments: list[Row]
    set_aside: list[SetAside] = field(default_factory=list)
    statements: int = 0
    statements_found: int = 0

    def replaced(self, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Of the rows that earlier folds made, those that this fold replaces: of what breaks it, the last stay."""
        broken = {MessageKey.of(each.answer) for each in self.set_aside}
        return [row for row in rows if MessageKey.of(row) not in broken]


def fold(evidence: Evidence, now: dt.datetime) -> Folded:
    """Fold messages; `now` (UTC) decides whether a missing statement is still waited for."""
    known = _Known.from_evidence(evidence, now)
    details: list[Row] = []
    attachments: list[Row] = []
    set_aside = list(evidence.set_aside)
    for answer, message in evidence.answers:
        try:
            row = _details_row(answer, message, known, now)
            row["conversation_position"] = evidence.positions[MessageKey.of(answer)]
            row["content_withheld"] = MessageKey.of(answer) in evidence.withheld
            place = {name: row[name] for name in (*MESSAGE_IDS, "created_date")}
            parts = [_attachment_row(place, each, known.runs) for each in message.attachments or ()]
        except Exception as problem:  # noqa: BLE001 - one poisonous record must not stop the others
            set_aside.append(SetAside(answer, type(problem).__name__))
        else:
            details.append(row)
            attachments.extend(parts)
    statements = {(row["workspace_id"], row["statement_id"]) for row in attachments if row["statement_id"]}
    return Folded(details, attachments, set_aside, len(statements), len(statements & known.runs.keys()))


def conversation_positions(messages: Iterable[Mapping[str, Any]]) -> dict[MessageKey, int]:
    """The rank of every message in its conversation, from 1, by creation time and then id.

    Args:
        messages: workspace_id, conversation_id, message_id and created_timestamp (ms, may be None) of all messages
            of the conversations.
    """
    conversations: defaultdict[ConversationKey, list[tuple[int, str]]] = defaultdict(list)
    for message in messages:
        created = message["created_timestamp"]
        place = (2**63 if created is None else created, message["message_id"])
        conversations[ConversationKey.of(message)].append(place)
    return {
        MessageKey(workspace_id, message_id): position
        for (workspace_id, _), members in conversations.items()
        for position, (_, message_id) in enumerate(sorted(members), start=1)
    }


class Difference(NamedTuple):
    """What has to be done to a table; of the changed rows, so many are `inserted`."""

    changed: list[Row]
    gone: list[Mapping[str, Any]]
    inserted: int


def difference(table: Table, rows: Iterable[Row], previous: Iterable[Mapping[str, Any]]) -> Difference:
    """The rows that differ from the previous ones of these messages, and those of them that are no more.

    A row that moved to another day is in both: changed there, gone here.
    """
    place = (*table.key, "created_date")
    before = {tuple(row[name] for name in place): row for row in previous}
    now = {tuple(row[name] for name in place): row for row in rows}
    changed = [row for at, row in now.items() if at not in before or not is_same(table, row, before[at])]
    return Difference(
        changed, [row for at, row in before.items() if at not in now], len(now.keys() - before.keys())
    )


@dataclass(frozen=True)
class _Known:
    """What is known of messages beside their answers, by what it is looked up by."""

    runs: Mapping[StatementKey, Row]
    previous: Mapping[MessageKey, Mapping[str, Any]]
    errors: Mapping[MessageKey, Mapping[str, Any]]
    space_names: Mapping[SpaceKey, str]
    user_emails: Mapping[MessageKey, str]
    workspace_names: Mapping[str, str]
    looks: Mapping[MessageKey, Sequence[Mapping[str, Any]]]  # the earliest first
    references: Mapping[MessageKey, Sequence[Mapping[str, Any]]]
    is_history_read: bool

    @classmethod
    def from_evidence(cls, evidence: Evidence, now: dt.datetime) -> "_Known":
        """The later of two references wins."""
        references = sorted(evidence.references, key=lambda row: row["event_date"])
        return cls(
            runs=executions(evidence.history or (), evidence.details, evidence.attachments, now),
            previous={MessageKey.of(row): row for row in evidence.details},
            errors=evidence.errors,
            space_names=evidence.space_names,
            user_emails={MessageKey.of(row): row["user_email"] for row in references if row["user_email"]},
            workspace_names={
                row["workspace_id"]: row["workspace_name"] for row in references if row["workspace_name"]
            },
            looks=_by_message(sorted(evidence.looks, key=lambda row: row["api_fetch_timestamp"])),
            references=_by_message(references),
            is_history_read=evidence.history is not None and evidence.is_history_whole,
        )

    def is_deleted(self, answer: Mapping[str, Any]) -> bool:
        """The audit log or the ledger says so, and nothing that came later says otherwise.

        If neither knows the message any more, what was said before stays.
        """
        key = MessageKey.of(answer)
        references = self.references.get(key, ())
        if ledger.is_deleted(self.errors.get(key)):
            return True
        if not references:
            return bool(self.previous.get(key, {}).get("is_deleted"))
        if not any(row["is_deleted"] for row in references):
            return False
        deleted_at = max((row["last_change_time"] for row in references if _tells_deletion(row)), default=None)
        return deleted_at is None or not _is_shown_since(deleted_at, answer, references)

    def is_looked_for(self, answer: Mapping[str, Any]) -> bool:
        """Whether query history was looked into for the statements of this answer, now or before."""
        before = self.previous.get(MessageKey.of(answer))
        return self.is_history_read or (
            before is not None
            and before["enrichment_status"] == EnrichmentStatus.EXPIRED
            and before["api_fetch_timestamp"] == answer["api_fetch_timestamp"]
        )

    def course(self, answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """All answers for a message, the earliest first, of which this is the latest."""
        return (*self.looks.get(MessageKey.of(answer), ()), answer)

    def blocking_error(self, key: MessageKey) -> tuple[str, str | None]:
        """Class and scrubbed text of the open error that blocks a newer look, or SUCCESS."""
        error = self.errors.get(key)
        if error is None or not ledger.is_open(error):
            return "SUCCESS", None
        return error["error_class"], error["error_message"]


def _tells_deletion(reference: Mapping[str, Any]) -> bool:
    """Whether the deletion happened on the day of this reference, and is the last that happened on it."""
    deletions = (deletes_message(each) or deletes_conversation(each) for each in reference["actions"] or ())
    return bool(reference["is_deleted"]) and reference["last_change_time"] is not None and any(deletions)


def _is_shown_since(
    deleted_at: dt.datetime, answer: Mapping[str, Any], references: Iterable[Mapping[str, Any]]
) -> bool:
    """Whether something was done with a message after its deletion, or the API still showed it long after."""
    changes = (row["last_change_time"] for row in references if row["last_change_time"] is not None)
    return answer["api_fetch_timestamp"] - CLOCKS_DIFFER > deleted_at or any(at > deleted_at for at in changes)


def _by_message(rows: Iterable[Mapping[str, Any]]) -> dict[MessageKey, list[Mapping[str, Any]]]:
    found: defaultdict[MessageKey, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[MessageKey.of(row)].append(row)
    return found


def _details_row(answer: Mapping[str, Any], message: Message, known: _Known, now: dt.datetime) -> Row:
    workspace_id, key = answer["workspace_id"], MessageKey.of(answer)
    previous = known.previous.get(key, {})
    query = message.query
    statement_id = query.statement_id if query else None
    error_class, error_text = known.blocking_error(key)
    space_name = known.space_names.get(SpaceKey.of(answer))
    looked = now if known.is_looked_for(answer) else None
    return {
        **{name: answer[name] for name in (*MESSAGE_IDS, "api_fetch_timestamp")},
        "created_date": created_date(answer, known.looks.get(key, ()), known.references.get(key, ())),
        "space_name": space_name or previous.get("space_name"),
        "workspace_name": known.workspace_names.get(workspace_id) or previous.get("workspace_name"),
        "content": message.content,
        "status": message.status,
        "created_timestamp": message.created_timestamp,
        "updated_timestamp": message.last_updated_timestamp,
        "query_sql": query.query_sql if query else None,
        "query_description": query.query_description if query else None,
        "query_title": query.query_title if query else None,
        "query_row_count": query.row_count if query else None,
        "statement_id": statement_id,
        "api_fetch_status": error_class,
        "api_fetch_error": error_text,
        "user_id": message.user_id,
        "user_email": known.user_emails.get(key) or previous.get("user_email"),
        "answer_text": message.answer_text,
        "response_time_ms": response_time_ms(known.looks.get(key, ())),
        "feedback_rating": message.feedback_rating,
        "feedback_comment": message.feedback_comment,
        "error_type": message.error_type,
        "error_message": message.error_message,
        "enrichment_status": str(
            enrichment_status(message, workspace_id, known.runs, looks=known.course(answer), now=looked)
        ),
        "is_deleted": known.is_deleted(answer),
        **_attachments_columns(message),
        **_execution_columns(known.runs.get((workspace_id, statement_id or ""), {}), EXECUTION_COLUMNS),
    }


def _attachments_columns(message: Message) -> Row:
    """Counts of the answer; unknown while the API shows no attachments at all."""
    if message.attachments is None:
        return dict.fromkeys(("attachments_count", "attachments_json", "statements_count"))
    return {
        "attachments_count": len(message.attachments),
        "attachments_json": as_json([attachment.body for attachment in message.attachments]),
        "statements_count": len(message.statement_ids),
    }


def _execution_columns(run: Row, columns: Iterable[str]) -> Row:
    return {name: run.get(name) for name in columns}


def _attachment_row(place: Row, attachment: Attachment, runs: Mapping[StatementKey, Row]) -> Row:
    run = runs.get((place["workspace_id"], attachment.statement_id or ""), {})
    return {
        **place,
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
        **_execution_columns(run, ATTACHMENT_EXECUTION_COLUMNS),
    }
