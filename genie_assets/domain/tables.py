"""Every table of `genie_analytics`, defined once.

The Delta tables, the DDL in `sql/genie_observability_schema.sql`, the column descriptions in the Dagster UI and
the data dictionary in `docs/` all come from here. Types carry Spark SQL's names; all times are UTC; a
`*_timestamp` of type LONG is epoch milliseconds; unknown is NULL, never 0 or an empty string.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd

ColumnType = Literal["STRING", "LONG", "INT", "BOOLEAN", "DATE", "TIMESTAMP", "ARRAY<STRING>"]

# What a pandas frame uses for each type. Nullable integers, because a float would round ids and turn NULL to NaN.
_PANDAS_TYPES: Mapping[ColumnType, str] = {
    "STRING": "object",
    "LONG": "Int64",
    "INT": "Int32",
    "BOOLEAN": "boolean",
    "DATE": "object",
    "TIMESTAMP": "datetime64[us, UTC]",
    "ARRAY<STRING>": "object",
}


@dataclass(frozen=True)
class Column:
    """One column: its Spark SQL type, what it means, and whether it may be unknown."""

    name: str
    type: ColumnType
    description: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """One table: what a row is, which asset writes it, and how it lies on disk."""

    name: str
    asset: str
    row: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partitioned_by: str | None = None
    z_order_by: tuple[str, ...] = ()
    # Columns whose minimum and maximum Delta keeps per file. Never user text: statistics land in the log.
    statistics: tuple[str, ...] = ()
    # Columns that say when and how a row was written. Rows that differ only here are the same row.
    bookkeeping: tuple[str, ...] = ("ingestion_timestamp", "ingestion_batch_id")
    # Rows are only ever added, in many small commits: the table itself tells what was there at which time.
    append_only: bool = False

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def content(self) -> tuple[str, ...]:
        """Names of the columns that say something about Genie, bookkeeping left out."""
        return tuple(name for name in self.column_names if name not in self.bookkeeping)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError if the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def frame(self, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Rows as a frame with exactly this table's columns and types; a missing key is NULL."""
        rows = list(rows)
        return pd.DataFrame(
            {
                column.name: pd.Series([row.get(column.name) for row in rows], dtype=_PANDAS_TYPES[column.type])
                for column in self.columns
            }
        )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The frame's rows as dictionaries, with None for every kind of NULL that pandas knows."""
    columns = {name: _plain_values(frame[name]) for name in frame.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain_values(series: pd.Series) -> list[Any]:
    plain = series.astype(object)
    return plain.where(series.notna(), None).tolist()


def _columns(*definitions: tuple[str, ColumnType, str]) -> tuple[Column, ...]:
    """Columns from (name, type, meaning); a `!` at the end of the name marks NOT NULL."""
    return tuple(
        Column(name.removesuffix("!"), type_, description, nullable=not name.endswith("!"))
        for name, type_, description in definitions
    )


_INGESTION = _columns(
    ("ingestion_batch_id", "STRING", "The atomic batch that wrote this row."),
    ("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
)

GENIE_MESSAGES_TO_FETCH = Table(
    name="genie_messages_to_fetch",
    asset="audit_messages",
    row="message touched on a day",
    description="What the audit log says: every Genie message that somebody touched on a UTC day.",
    key=("event_date", "workspace_id", "message_id"),
    partitioned_by="event_date",
    statistics=("event_date", "workspace_id", "space_id", "conversation_id", "message_id"),
    bookkeeping=("ingestion_timestamp",),
    columns=_columns(
        ("event_date!", "DATE", "UTC day of the audit events."),
        ("workspace_id!", "STRING", "Workspace in which the message was asked."),
        ("workspace_name", "STRING", "Its name, from system.access.workspaces_latest."),
        ("workspace_url", "STRING", "Its address as https://host, from system.access.workspaces_latest."),
        ("space_id", "STRING", "Genie space."),
        ("conversation_id", "STRING", "Conversation."),
        ("message_id!", "STRING", "Message."),
        ("user_email", "STRING", "Who asked, when an ask event shows it; never our own principal."),
        ("first_event_time", "TIMESTAMP", "Earliest event of the day."),
        ("last_event_time", "TIMESTAMP", "Latest event of the day."),
        (
            "last_change_time",
            "TIMESTAMP",
            "Latest event that may have changed the message; NULL if only reads.",
        ),
        ("is_new", "BOOLEAN", "An ask event is among them."),
        ("is_deleted", "BOOLEAN", "The message or its conversation was deleted on this day or later."),
        ("actions", "ARRAY<STRING>", "Distinct audit actions, sorted."),
        ("event_count", "INT", "Distinct audit events."),
        ("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)

GENIE_API_MESSAGES = Table(
    name="genie_api_messages",
    asset="genie_api_messages",
    row="distinct answer of the API for a message",
    description="What the Genie API says, untouched: an append-only log of every distinct answer.",
    key=("workspace_id", "message_id", "content_hash"),
    partitioned_by="created_date",
    statistics=("created_date", "workspace_id", "space_id", "conversation_id", "message_id", "event_date"),
    append_only=True,
    columns=_columns(
        ("workspace_id!", "STRING", "Workspace in which the message was asked."),
        ("space_id!", "STRING", "Genie space."),
        ("conversation_id!", "STRING", "Conversation."),
        ("message_id!", "STRING", "Message."),
        ("created_timestamp", "LONG", "When the message was asked, epoch ms UTC."),
        (
            "created_date!",
            "DATE",
            "UTC date of created_timestamp; the audit event's day where that is unknown.",
        ),
        ("last_updated_timestamp", "LONG", "When Genie last changed the message, epoch ms UTC."),
        ("status", "STRING", "Genie's status, as the API spells it."),
        ("is_settled", "BOOLEAN", "The status is terminal."),
        ("raw_json", "STRING", "The whole message as JSON, never cut."),
        ("content_hash!", "STRING", "SHA-256 of the canonical message: the same answer has the same hash."),
        ("api_endpoint", "STRING", "GET or LIST."),
        ("api_fetch_timestamp", "TIMESTAMP", "When the request that brought this answer was sent."),
        ("event_date", "DATE", "Dagster partition whose run fetched this answer."),
    )
    + _INGESTION,
)

GENIE_MESSAGE_LOOKS = Table(
    name="genie_message_looks",
    asset="genie_api_messages",
    row="look at a message that found nothing new",
    description="Later looks of the API that found the answer unchanged, so that the same look is not repeated.",
    key=("workspace_id", "message_id", "api_fetch_timestamp"),
    partitioned_by="created_date",
    statistics=("created_date", "workspace_id", "conversation_id", "message_id"),
    append_only=True,
    columns=_columns(
        ("workspace_id!", "STRING", "Workspace in which the message was asked."),
        ("conversation_id!", "STRING", "Conversation."),
        ("message_id!", "STRING", "Message."),
        ("created_date!", "DATE", "Day in which the message lives, as in genie_api_messages."),
        ("content_hash!", "STRING", "Hash of the answer that was found again."),
        ("api_fetch_timestamp!", "TIMESTAMP", "When the request was sent."),
    )
    + _INGESTION,
)

GENIE_CONVERSATION_DAYS = Table(
    name="genie_conversation_days",
    asset="genie_api_messages",
    row="day on which a message of a conversation was asked",
    description="On which days a conversation has messages, so that all of them are found without a search.",
    key=("workspace_id", "conversation_id", "created_date"),
    z_order_by=("conversation_id",),
    statistics=("workspace_id", "conversation_id", "created_date"),
    append_only=True,
    columns=_columns(
        ("workspace_id!", "STRING", "Workspace of the conversation."),
        ("conversation_id!", "STRING", "Conversation."),
        ("created_date!", "DATE", "Day in which messages of it live, as in genie_api_messages."),
    )
    + _INGESTION,
)

MESSAGE_FETCH_ERRORS = Table(
    name="message_fetch_errors",
    asset="genie_api_messages",
    row="message that could not be fetched",
    description="The error ledger: why a message could not be fetched, when it is tried again, how it ended.",
    key=("workspace_id", "message_id"),
    statistics=("workspace_id", "message_id", "event_date", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=_columns(
        ("workspace_id!", "STRING", "Workspace in which the message was asked."),
        ("message_id!", "STRING", "Message."),
        ("space_id", "STRING", "Genie space."),
        ("conversation_id", "STRING", "Conversation."),
        ("error_type", "STRING", "AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED."),
        ("error_class", "STRING", "The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD."),
        ("error_message", "STRING", "What went wrong, with secrets scrubbed."),
        ("error_timestamp", "TIMESTAMP", "Last failure."),
        ("retry_count", "INT", "Failed attempts after the first."),
        ("resolved", "BOOLEAN", "No further attempt is needed."),
        ("event_date", "DATE", "Dagster partition that asks for the message."),
        ("first_error_timestamp", "TIMESTAMP", "First failure."),
        ("next_retry_timestamp", "TIMESTAMP", "Earliest next attempt; NULL when none will be made."),
        ("resolved_timestamp", "TIMESTAMP", "When it was resolved."),
        ("resolution", "STRING", "FETCHED, DELETED or CLOSED (by hand); GAVE_UP while parked; NULL while open."),
        ("http_status", "INT", "HTTP status, where it is known."),
        ("error_code", "STRING", "Databricks' error_code, where the answer had one."),
        ("ingestion_batch_id", "STRING", "The atomic batch that wrote this row."),
    ),
)

MESSAGE_DETAILS = Table(
    name="message_details",
    asset="enriched_message_details",
    row="message",
    description="The one table to query: each message with its answer, its SQL's execution, feedback and names.",
    key=("workspace_id", "message_id"),
    partitioned_by="created_date",
    z_order_by=("workspace_id", "space_id", "conversation_id", "message_id"),
    statistics=(
        "created_date",
        "workspace_id",
        "space_id",
        "conversation_id",
        "message_id",
        "created_timestamp",
    ),
    columns=_columns(
        ("workspace_id!", "STRING", "Workspace in which the message was asked."),
        ("space_id!", "STRING", "Genie space."),
        ("conversation_id!", "STRING", "Conversation."),
        ("message_id!", "STRING", "Message."),
        ("created_date!", "DATE", "UTC date of created_timestamp."),
        ("space_name", "STRING", "Title of the space."),
        ("workspace_name", "STRING", "Name of the workspace, from system.access.workspaces_latest."),
        ("content", "STRING", "The user's question."),
        ("status", "STRING", "COMPLETED, FAILED, CANCELLED, QUERY_RESULT_EXPIRED, or a running state."),
        ("created_timestamp", "LONG", "When it was asked, epoch ms UTC."),
        ("updated_timestamp", "LONG", "When Genie last changed it (last_updated_timestamp), epoch ms UTC."),
        ("query_sql", "STRING", "SQL of the last query attachment that has SQL."),
        ("query_description", "STRING", "Description of that query attachment."),
        ("statement_id", "STRING", "Its statement in system.query.history."),
        ("attachments_count", "INT", "Attachments of the answer; NULL while the API shows none."),
        ("attachments_json", "STRING", "The whole attachments array as JSON, never cut."),
        ("query_execution_status", "STRING", "FINISHED, FAILED or CANCELED, from system.query.history."),
        ("query_duration_ms", "LONG", "Total duration of the statement, ms."),
        ("query_start_time", "TIMESTAMP", "Start of the statement."),
        ("query_end_time", "TIMESTAMP", "End of the statement, result fetch excluded."),
        ("query_warehouse_id", "STRING", "Warehouse that ran it."),
        ("query_read_rows", "LONG", "Rows read."),
        ("query_read_bytes", "LONG", "Bytes read."),
        ("query_error_message", "STRING", "Error of the statement."),
        ("api_fetch_timestamp", "TIMESTAMP", "When the request that brought this answer was sent."),
        ("api_fetch_status", "STRING", "SUCCESS, or the class of the error that blocks a newer look."),
        ("api_fetch_error", "STRING", "Scrubbed text of that error."),
        ("user_id", "STRING", "Numeric workspace user id of the asker, as text (it exceeds 2^53)."),
        ("user_email", "STRING", "Who asked, from the audit log."),
        ("conversation_position", "INT", "1 = first message of its conversation."),
        ("query_title", "STRING", "Title of the query attachment."),
        ("answer_text", "STRING", "Text attachment(s) marked as the answer."),
        ("query_row_count", "LONG", "Rows of the query's result."),
        ("statements_count", "INT", "Query attachments with a statement id."),
        ("response_time_ms", "LONG", "Last update minus creation once settled, ms."),
        ("query_wait_ms", "LONG", "Waiting for compute and at capacity, ms."),
        ("query_compile_ms", "LONG", "Compilation, ms."),
        ("query_execution_ms", "LONG", "Execution, ms."),
        ("query_fetch_ms", "LONG", "Result fetch, ms."),
        ("query_from_cache", "BOOLEAN", "Answered from the result cache."),
        ("feedback_rating", "STRING", "POSITIVE, NEGATIVE or NULL."),
        ("feedback_comment", "STRING", "Comment given with the rating."),
        ("error_type", "STRING", "Genie's own error type."),
        ("error_message", "STRING", "Genie's own error text."),
        ("enrichment_status", "STRING", "PENDING, COMPLETE, NOT_APPLICABLE (no statement) or EXPIRED."),
        ("is_deleted", "BOOLEAN", "The user deleted it in Genie; the row stays."),
    )
    + _INGESTION,
)

MESSAGE_ATTACHMENTS = Table(
    name="message_attachments",
    asset="enriched_message_details",
    row="attachment of a message",
    description="Every attachment of every answer, each SQL statement with its own execution.",
    key=("workspace_id", "message_id", "attachment_ordinal"),
    partitioned_by="created_date",
    statistics=("created_date", "workspace_id", "space_id", "conversation_id", "message_id"),
    columns=_columns(
        ("workspace_id!", "STRING", "Workspace in which the message was asked."),
        ("space_id!", "STRING", "Genie space."),
        ("conversation_id!", "STRING", "Conversation."),
        ("message_id!", "STRING", "Message."),
        ("created_date!", "DATE", "UTC date of the message."),
        ("attachment_ordinal!", "INT", "Position in the answer, from 1."),
        ("attachment_id", "STRING", "Genie's id, where it has one."),
        ("attachment_type", "STRING", "QUERY, TEXT, VIZ, SUGGESTED_QUESTIONS or OTHER."),
        ("attachment_json", "STRING", "The whole attachment as JSON."),
        ("query_sql", "STRING", "SQL of a query attachment."),
        ("query_title", "STRING", "Its title."),
        ("query_description", "STRING", "Its description."),
        ("statement_id", "STRING", "Its statement in system.query.history."),
        ("row_count", "LONG", "Rows of its result."),
        ("text_content", "STRING", "Text of a text attachment."),
        ("text_purpose", "STRING", "Purpose of the text, as the API spells it."),
        ("query_execution_status", "STRING", "FINISHED, FAILED or CANCELED, from system.query.history."),
        ("query_duration_ms", "LONG", "Total duration of the statement, ms."),
        ("query_read_rows", "LONG", "Rows read."),
        ("query_read_bytes", "LONG", "Bytes read."),
        ("query_error_message", "STRING", "Error of the statement."),
    )
    + _INGESTION,
)

_SPACE_CONFIGURATION = _columns(
    ("workspace_id!", "STRING", "Workspace of the space."),
    ("space_id!", "STRING", "Genie space."),
    ("title", "STRING", "Title."),
    ("description", "STRING", "Description."),
    ("warehouse_id", "STRING", "Warehouse that runs its SQL."),
    ("parent_path", "STRING", "Workspace folder."),
    ("etag", "STRING", "The API's version tag."),
    ("serialized_space", "STRING", "The exported configuration as canonical JSON (sorted keys)."),
    ("config_hash", "STRING", "SHA-256 of serialized_space."),
    ("create_time", "TIMESTAMP", "Creation, where the API tells it."),
    ("update_time", "TIMESTAMP", "Last change, where the API tells it."),
)

GENIE_SPACE_DETAILS = Table(
    name="genie_space_details",
    asset="genie_space_details",
    row="space, latest good state",
    description="Every known space's configuration: the latest one that could be read.",
    key=("workspace_id", "space_id"),
    statistics=("workspace_id", "space_id"),
    columns=_SPACE_CONFIGURATION
    + _columns(
        ("is_trashed", "BOOLEAN", "The space was read before and is gone now."),
        ("first_seen_timestamp", "TIMESTAMP", "First look at this space."),
        ("last_seen_timestamp", "TIMESTAMP", "Last good look, kept to half a day."),
        ("api_fetch_status", "STRING", "SUCCESS, or the error class of the last look."),
        ("api_fetch_error", "STRING", "Scrubbed text of that error."),
    )
    + _INGESTION,
)

GENIE_SPACE_VERSIONS = Table(
    name="genie_space_versions",
    asset="genie_space_details",
    row="distinct configuration of a space over time",
    description="The history of every space: each distinct configuration and when it was in force.",
    key=("workspace_id", "space_id", "config_hash", "valid_from"),
    statistics=("workspace_id", "space_id", "valid_from"),
    columns=_SPACE_CONFIGURATION
    + _columns(
        ("valid_from!", "TIMESTAMP", "First look that found this configuration."),
        ("valid_to", "TIMESTAMP", "First look that found another one; NULL while in force."),
    )
    + _INGESTION,
)

TABLES: tuple[Table, ...] = (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    GENIE_CONVERSATION_DAYS,
    MESSAGE_FETCH_ERRORS,
    MESSAGE_DETAILS,
    MESSAGE_ATTACHMENTS,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_VERSIONS,
)
