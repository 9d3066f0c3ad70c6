"""Every table of `genie_analytics`, defined once.

The Delta tables, the DDL in `sql/genie_observability_schema.sql`, the column descriptions in the Dagster UI and
the data dictionary in `docs/` all come from here; the view `messages` and what the fold keeps of a statement's
execution follow from what a column says of itself. Types carry Spark SQL's names; all times are UTC; a
`*_timestamp` of type LONG is epoch milliseconds; unknown is NULL, never 0 or an empty string.
"""

from genie_assets.domain.columns import (
    COURSE,
    FAILURE,
    INGESTION,
    STATEMENT_SEEN,
    api,
    attachment,
    audit,
    execution,
    ledger,
    ours,
    space,
)
from genie_assets.domain.table import Column, ColumnType, Course, Table, records

__all__ = ["TABLES", "Column", "ColumnType", "Table", "records"]

GENIE_MESSAGES_TO_FETCH = Table(
    name="genie_messages_to_fetch",
    asset="audit_messages",
    row="message touched on a day",
    description="What the audit log says: every Genie message that somebody touched on a UTC day. Messages that "
    "only reconciliation found are there, too, with no events.",
    key=("event_date", "workspace_id", "message_id"),
    partitioned_by="event_date",
    statistics=("event_date", "workspace_id", "space_id", "conversation_id", "message_id"),
    bookkeeping=("ingestion_timestamp", "first_seen_timestamp"),
    columns=(
        audit("event_date!", "DATE", "UTC day of the audit events."),
        audit("workspace_id!", "STRING", "Workspace in which the message was asked."),
        audit("workspace_name", "STRING", "Its name, from system.access.workspaces_latest."),
        audit(
            "workspace_url", "STRING", "Address in workspaces_latest: its host, with /?o= and its id or without."
        ),
        audit("space_id", "STRING", "Genie space."),
        audit("conversation_id", "STRING", "Conversation."),
        audit("message_id!", "STRING", "Message."),
        audit("user_email", "STRING", "Who asked, when an ask event shows it; our own principal, too, if it did."),
        audit("first_event_time", "TIMESTAMP", "Earliest event of the day."),
        audit("last_event_time", "TIMESTAMP", "Latest event of the day."),
        audit(
            "last_change_time",
            "TIMESTAMP",
            "Latest event that may have changed the message; NULL if only reads.",
        ),
        audit("is_new", "BOOLEAN", "An ask event is among them."),
        audit("is_deleted", "BOOLEAN", "The message or its conversation was deleted on this day or later."),
        audit("actions", "ARRAY<STRING>", "Distinct audit actions, sorted."),
        audit("event_count", "INT", "Distinct audit events."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was first stored as it is."),
        ours("first_seen_timestamp", "TIMESTAMP", "When the message was first stored for this day."),
        audit(
            "last_comment_time",
            "TIMESTAMP",
            "Latest event that may have made, changed or deleted a comment on the message; NULL if none.",
        ),
    ),
)

GENIE_DELETIONS = Table(
    name="genie_deletions",
    asset="audit_messages",
    row="conversation or message deleted on a day",
    description="What the audit log says of deletions, for days that are loaded later than the deletion's.",
    key=("event_date", "workspace_id", "deleted_type", "deleted_id"),
    partitioned_by="event_date",
    statistics=("event_date", "workspace_id", "deleted_id"),
    bookkeeping=("ingestion_timestamp",),
    columns=(
        audit("event_date!", "DATE", "UTC day of the audit events."),
        audit("workspace_id!", "STRING", "Workspace in which it happened."),
        audit("deleted_type!", "STRING", "CONVERSATION or MESSAGE."),
        audit("deleted_id!", "STRING", "The conversation or message."),
        audit("space_id", "STRING", "Genie space."),
        audit("first_event_time", "TIMESTAMP", "Earliest deletion of the day."),
        audit("last_event_time", "TIMESTAMP", "Latest deletion of the day."),
        audit("actions", "ARRAY<STRING>", "Distinct audit actions, sorted."),
        audit("event_count", "INT", "Distinct audit events."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)

GENIE_API_MESSAGES = Table(
    name="genie_api_messages",
    asset="genie_api_messages",
    row="answer of the API for a message that differs from the one before",
    description="What the Genie API says, untouched: an append-only log of every answer that is not as the last.",
    key=("workspace_id", "message_id", "content_hash", "api_fetch_timestamp"),
    partitioned_by="created_date",
    statistics=("created_date", "workspace_id", "space_id", "conversation_id", "message_id", "event_date"),
    append_only=True,
    course=Course(of=("workspace_id", "message_id"), at="api_fetch_timestamp", says="content_hash"),
    columns=(
        api("workspace_id!", "STRING", "Workspace in which the message was asked."),
        api("space_id!", "STRING", "Genie space."),
        api("conversation_id!", "STRING", "Conversation."),
        api("message_id!", "STRING", "Message."),
        api("created_timestamp", "LONG", "When the message was asked, epoch ms UTC."),
        ours(
            "created_date!",
            "DATE",
            "UTC date of created_timestamp; the audit event's day where that is unknown.",
        ),
        api("last_updated_timestamp", "LONG", "When Genie last changed the message, epoch ms UTC."),
        api("status", "STRING", "Genie's status, as the API spells it."),
        api("is_settled", "BOOLEAN", "The status is terminal."),
        api("raw_json", "STRING", "The whole message as JSON, never cut.", is_document=True),
        ours("content_hash!", "STRING", "SHA-256 of the canonical message: the same answer has the same hash."),
        ours("api_endpoint", "STRING", "GET or LIST."),
        ours("api_fetch_timestamp", "TIMESTAMP", "When the request that brought this answer was sent."),
        ours("event_date", "DATE", "Dagster partition whose run fetched this answer."),
        audit("event_change_time", "TIMESTAMP", "It holds every change until then, by Databricks' clock."),
        ours("attachments_shown", "STRING", "Marks of what it shows, as JSON: they tell which answer shows more."),
        *INGESTION,
    ),
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
    columns=(
        api("workspace_id!", "STRING", "Workspace in which the message was asked."),
        api("conversation_id!", "STRING", "Conversation."),
        api("message_id!", "STRING", "Message."),
        ours("created_date!", "DATE", "Day in which the message lives, as in genie_api_messages."),
        ours("content_hash!", "STRING", "Hash of the answer that was found again."),
        ours("api_fetch_timestamp!", "TIMESTAMP", "When the request was sent."),
        audit("event_change_time", "TIMESTAMP", "It holds every change until then, by Databricks' clock."),
        *INGESTION,
    ),
)

GENIE_CONVERSATION_DAYS = Table(
    name="genie_conversation_days",
    asset="genie_api_messages",
    row="day on which a message of a conversation was asked",
    description="On which days a conversation has messages, so that all of them are found without a search. "
    "Runs at the same time may each say it.",
    key=("workspace_id", "conversation_id", "created_date", "ingestion_batch_id"),
    z_order_by=("conversation_id",),
    statistics=("workspace_id", "conversation_id", "created_date"),
    append_only=True,
    columns=(
        api("workspace_id!", "STRING", "Workspace of the conversation."),
        api("conversation_id!", "STRING", "Conversation."),
        ours("created_date!", "DATE", "Day in which messages of it live, as in genie_api_messages."),
        *INGESTION,
    ),
)

MESSAGE_FETCH_ERRORS = Table(
    name="message_fetch_errors",
    asset="genie_api_messages",
    row="message that could not be fetched",
    description="The error ledger: why a message could not be fetched, when it is tried again, how it ended.",
    key=("workspace_id", "message_id"),
    statistics=("workspace_id", "message_id", "event_date", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace in which the message was asked."),
        audit("message_id!", "STRING", "Message."),
        audit("space_id", "STRING", "Genie space."),
        audit("conversation_id", "STRING", "Conversation."),
        *FAILURE,
        ours("event_date", "DATE", "Dagster partition that asks for the message."),
        *COURSE,
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
        "enrichment_status",  # spares the files in which nothing waits
    ),
    bookkeeping=("ingestion_timestamp", "ingestion_batch_id", STATEMENT_SEEN.name),
    columns=(
        api("workspace_id!", "STRING", "Workspace in which the message was asked."),
        api("space_id!", "STRING", "Genie space."),
        api("conversation_id!", "STRING", "Conversation."),
        api("message_id!", "STRING", "Message."),
        api("created_date!", "DATE", "UTC date of created_timestamp."),
        space("space_name", "STRING", "Title of the space."),
        audit("workspace_name", "STRING", "Name of the workspace, from system.access.workspaces_latest."),
        api("content", "STRING", "The user's question."),
        api("status", "STRING", "COMPLETED, FAILED, CANCELLED, QUERY_RESULT_EXPIRED, or a running state."),
        api("created_timestamp", "LONG", "When it was asked, epoch ms UTC."),
        api("updated_timestamp", "LONG", "When Genie last changed it (last_updated_timestamp), epoch ms UTC."),
        attachment("query_sql", "STRING", "SQL of the last query attachment that has SQL."),
        attachment("query_description", "STRING", "Description of that query attachment."),
        attachment("statement_id", "STRING", "Its statement in system.query.history."),
        # The counts speak of the message: they tell one without attachments (0) from one whose attachments are
        # unknown (NULL).
        api("attachments_count", "INT", "Attachments of the answer; NULL while the API shows none."),
        attachment(
            "attachments_json", "STRING", "The whole attachments array as JSON, never cut.", is_document=True
        ),
        execution("query_execution_status", "STRING", "FINISHED, FAILED or CANCELED, from system.query.history."),
        execution("query_duration_ms", "LONG", "Total duration of the statement, ms."),
        execution("query_start_time", "TIMESTAMP", "Start of the statement."),
        execution("query_end_time", "TIMESTAMP", "End of the statement, result fetch excluded."),
        execution("query_warehouse_id", "STRING", "Warehouse that ran it."),
        execution("query_read_rows", "LONG", "Rows read."),
        execution("query_read_bytes", "LONG", "Bytes read."),
        execution("query_error_message", "STRING", "Error of the statement."),
        ours("api_fetch_timestamp", "TIMESTAMP", "When the request that brought the latest answer was sent."),
        ledger("api_fetch_status", "STRING", "SUCCESS, or the class of the error that blocks a newer look."),
        ledger("api_fetch_error", "STRING", "Scrubbed text of that error."),
        api("user_id", "STRING", "Numeric workspace user id of the asker, as text (it exceeds 2^53)."),
        audit("user_email", "STRING", "Who asked, from the audit log."),
        ours("conversation_position", "INT", "1 = first message of its conversation."),
        attachment("query_title", "STRING", "Title of the query attachment."),
        attachment("answer_text", "STRING", "The answer in words; of several texts with a blank line between."),
        attachment("query_row_count", "LONG", "Rows of the query's result."),
        api("statements_count", "INT", "Query attachments with a statement id."),
        api("response_time_ms", "LONG", "Last update minus creation at the first look that found it settled, ms."),
        execution("query_wait_ms", "LONG", "Waiting for compute and at capacity, ms."),
        execution("query_compile_ms", "LONG", "Compilation, ms."),
        execution("query_execution_ms", "LONG", "Execution, ms."),
        execution("query_fetch_ms", "LONG", "Result fetch, ms."),
        execution("query_from_cache", "BOOLEAN", "Answered from the result cache."),
        api("feedback_rating", "STRING", "POSITIVE, NEGATIVE or NULL."),
        api("feedback_comment", "STRING", "Comment given with the rating."),
        api("error_type", "STRING", "Genie's own error type."),
        api("error_message", "STRING", "Genie's own error text."),
        ours("enrichment_status", "STRING", "PENDING, COMPLETE, NOT_APPLICABLE (no statement) or EXPIRED."),
        audit("is_deleted", "BOOLEAN", "The user deleted it in Genie; the row stays."),
        ours("content_withheld", "BOOLEAN", "The latest look showed less: answer and SQL are an earlier look's."),
        *INGESTION,
        STATEMENT_SEEN,
    ),
)

MESSAGE_ATTACHMENTS = Table(
    name="message_attachments",
    asset="enriched_message_details",
    row="attachment of a message",
    description="Every attachment of every answer, each SQL statement with its own execution.",
    key=("workspace_id", "message_id", "attachment_ordinal"),
    partitioned_by="created_date",
    statistics=("created_date", "workspace_id", "space_id", "conversation_id", "message_id"),
    bookkeeping=("ingestion_timestamp", "ingestion_batch_id", STATEMENT_SEEN.name),
    columns=(
        api("workspace_id!", "STRING", "Workspace in which the message was asked."),
        api("space_id!", "STRING", "Genie space."),
        api("conversation_id!", "STRING", "Conversation."),
        api("message_id!", "STRING", "Message."),
        api("created_date!", "DATE", "UTC date of the message."),
        attachment("attachment_ordinal!", "INT", "Position in the answer, from 1."),
        attachment("attachment_id", "STRING", "Genie's id, where it has one."),
        attachment("attachment_type", "STRING", "QUERY, TEXT, VIZ, SUGGESTED_QUESTIONS or OTHER."),
        attachment("attachment_json", "STRING", "The whole attachment as JSON.", is_document=True),
        attachment("query_sql", "STRING", "SQL of a query attachment."),
        attachment("query_title", "STRING", "Its title."),
        attachment("query_description", "STRING", "Its description."),
        attachment("statement_id", "STRING", "Its statement in system.query.history."),
        attachment("row_count", "LONG", "Rows of its result."),
        attachment("text_content", "STRING", "Text of a text attachment."),
        attachment("text_purpose", "STRING", "Purpose of the text, as the API spells it."),
        execution("query_execution_status", "STRING", "FINISHED, FAILED or CANCELED, from system.query.history."),
        execution("query_duration_ms", "LONG", "Total duration of the statement, ms."),
        execution("query_read_rows", "LONG", "Rows read."),
        execution("query_read_bytes", "LONG", "Bytes read."),
        execution("query_error_message", "STRING", "Error of the statement."),
        *INGESTION,
        STATEMENT_SEEN,
    ),
)

_SPACE_CONFIGURATION = (
    space("workspace_id!", "STRING", "Workspace of the space."),
    space("space_id!", "STRING", "Genie space."),
    space("title", "STRING", "Title."),
    space("description", "STRING", "Description."),
    space("warehouse_id", "STRING", "Warehouse that runs its SQL."),
    space("parent_path", "STRING", "Workspace folder."),
    space("etag", "STRING", "The API's version tag."),
    space(
        "serialized_space",
        "STRING",
        "The configuration as it came; of texts that say the same, the first one.",
        is_document=True,
    ),
    ours(
        "config_hash",
        "STRING",
        "SHA-256 of serialized_space without what is empty, whatever the order of its named objects.",
    ),
    space("create_time", "TIMESTAMP", "Creation, where the API tells it."),
    space("update_time", "TIMESTAMP", "Last change, where the API tells it."),
)
# What is told about the configuration; at the end of both tables, where columns are added.
_CONFIGURATION_NOTES = (
    ours("is_escaped", "BOOLEAN", "Half characters in it, which UTF-8 cannot hold, stand escaped as in JSON."),
    ours("section_hashes", "STRING", "A short hash of each section that it has, as a JSON object."),
)

GENIE_SPACE_DETAILS = Table(
    name="genie_space_details",
    asset="genie_space_details",
    row="space, latest good state",
    description="Every known space's configuration: the latest one that could be read.",
    key=("workspace_id", "space_id"),
    statistics=("workspace_id", "space_id"),
    columns=(
        *_SPACE_CONFIGURATION,
        ours("is_trashed", "BOOLEAN", "The space was read before and is gone now."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look at this space."),
        ours("last_seen_timestamp", "TIMESTAMP", "Last good look, kept to half a day."),
        ours("api_fetch_status", "STRING", "SUCCESS, or the error class of the last look."),
        ours("api_fetch_error", "STRING", "Scrubbed text of that error."),
        *_CONFIGURATION_NOTES,
        *INGESTION,
    ),
)

GENIE_SPACE_VERSIONS = Table(
    name="genie_space_versions",
    asset="genie_space_details",
    row="distinct configuration of a space over time",
    description="The history of every space: each distinct configuration and when it was in force.",
    key=("workspace_id", "space_id", "config_hash", "valid_from"),
    statistics=("workspace_id", "space_id", "valid_from"),
    columns=(
        *_SPACE_CONFIGURATION,
        ours("valid_from!", "TIMESTAMP", "First look that found this configuration."),
        ours("valid_to", "TIMESTAMP", "First look that found another one; NULL while in force."),
        *_CONFIGURATION_NOTES,
        ours("changed_sections", "ARRAY<STRING>", "What differs from the version before; NULL for the first one."),
        *INGESTION,
    ),
)

SPACE_FETCH_ERRORS = Table(
    name="space_fetch_errors",
    asset="genie_space_details",
    row="space that could not be read",
    description="The error ledger of spaces: why one could not be read, when it is tried again, how it ended.",
    key=("workspace_id", "space_id"),
    statistics=("workspace_id", "space_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        space("workspace_id!", "STRING", "Workspace of the space."),
        space("space_id!", "STRING", "Genie space."),
        *FAILURE,
        *COURSE,
    ),
)

GENIE_SPACE_APPLIES = Table(
    name="genie_space_applies",
    asset="genie_space_details",
    row="apply of a plan to a space",
    description="What `genie-assets spaces apply` did to spaces: who, when, from what, to what, and how it ended.",
    key=("apply_id",),
    statistics=("apply_id", "started_timestamp"),
    bookkeeping=(),
    columns=(
        ours("apply_id!", "STRING", "Names this apply."),
        ours("workspace_id", "STRING", "Workspace of the space."),
        ours("space_id", "STRING", "The space; of a new one, as soon as it is known."),
        ours("title", "STRING", "Its title, as planned."),
        ours("action", "STRING", "restore, promote or import."),
        ours("source", "STRING", "Where the wanted state came from."),
        ours("plan_hash", "STRING", "SHA-256 of all that the plan says."),
        ours("applied_by", "STRING", "Who was logged in, as far as Databricks tells it."),
        ours("started_timestamp", "TIMESTAMP", "When it began."),
        ours("finished_timestamp", "TIMESTAMP", "When it ended; NULL if it never did."),
        ours("result", "STRING", "BEGUN, APPLIED, ALREADY, PARTLY, REFUSED, UNVERIFIED or UNKNOWN."),
        ours("message", "STRING", "What was said about it, with secrets scrubbed."),
        ours("etag_before", "STRING", "The version tag that was reviewed."),
        ours("config_hash_before", "STRING", "Hash of the configuration that was reviewed; NULL for a new space."),
        ours("config_hash_after", "STRING", "Hash of the configuration that was planned."),
        ours(
            "permissions",
            "STRING",
            "What became of the planned permissions: APPLIED, ALREADY, CHANGED (by others since), NOT SET or "
            "UNVERIFIED; NULL where none were planned or come to.",
        ),
    ),
)

GENIE_SPACE_PERMISSIONS = Table(
    name="genie_space_permissions",
    asset="genie_space_details",
    row="access of a principal to a space over time",
    description="Who may do what with a space, since when and until when, by its access list.",
    key=("workspace_id", "space_id", "principal_type", "principal", "valid_from"),
    statistics=("workspace_id", "space_id", "valid_from"),
    columns=(
        space("workspace_id!", "STRING", "Workspace of the space."),
        space("space_id!", "STRING", "Genie space."),
        space("principal_type!", "STRING", "USER, GROUP or SERVICE_PRINCIPAL."),
        space("principal!", "STRING", "E-mail address, name of the group, or application id."),
        space("permission_level", "STRING", "The highest level: CAN_VIEW, CAN_RUN, CAN_EDIT or CAN_MANAGE."),
        space("is_inherited", "BOOLEAN", "All that gives this level is inherited, from a folder or a role."),
        ours("previous_level", "STRING", "Level before this one; NULL if there was none."),
        ours("is_widened", "BOOLEAN", "More than before; false for what the first look at the space found."),
        ours("valid_from!", "TIMESTAMP", "First look that found it."),
        ours("valid_to", "TIMESTAMP", "First look that found it changed or gone; NULL while in force."),
        *INGESTION,
    ),
)

GENIE_SPACE_EVENTS = Table(
    name="genie_space_events",
    asset="audit_messages",
    row="event of the audit log that changed a space",
    description="Who made, changed, trashed, deleted or restored which space, and when.",
    key=("workspace_id", "event_id"),
    statistics=("workspace_id", "space_id", "event_id"),
    bookkeeping=("ingestion_timestamp",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the space."),
        audit("space_id!", "STRING", "Genie space; a new one where one was made or copied."),
        audit("event_id!", "STRING", "Names the event."),
        audit("event_time!", "TIMESTAMP", "When it was done."),
        audit("action_name!", "STRING", "The action as Databricks calls it."),
        ours("event!", "STRING", "CREATED, UPDATED, TRASHED, DELETED or RESTORED."),
        audit("actor", "STRING", "Who did it: e-mail address or application id."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)

GENIE_DAY_LOADS = Table(
    name="genie_day_loads",
    asset="audit_messages",
    row="day of the audit log that was loaded",
    description="Which days were loaded, and what the audit log held of each then: if it holds more, it is late.",
    key=("event_date",),
    statistics=("event_date",),
    bookkeeping=("ingestion_timestamp",),
    columns=(
        audit("event_date!", "DATE", "UTC day of the audit events."),
        audit("event_count", "LONG", "Distinct events that the log held of it when it was last loaded."),
        audit("message_count", "LONG", "Messages that they name, added up over the workspaces."),
        audit("newest_event_time", "TIMESTAMP", "The newest of these events."),
        audit("events_hash", "STRING", "Hash of their ids, actions, conversations and messages."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was written: by the first load that saw this."),
        ours("inputs_hash", "STRING", "Hash of what else it went by: deletions, workspaces, our version."),
        ours("references_timestamp", "TIMESTAMP", "Newest row of the day in genie_messages_to_fetch afterwards."),
        ours("tables_hash", "STRING", "Hash of the definitions of all tables, which existed then."),
        ours("folded_hash", "STRING", "Hash of what its last fold went by; NULL if it was never folded."),
        ours("folded_timestamp", "TIMESTAMP", "When that fold began."),
        ours("first_load_timestamp", "TIMESTAMP", "When the day was first loaded; NULL if that was not noted."),
        ours("last_load_timestamp", "TIMESTAMP", "Latest run of it: each that changed something, and one a day."),
        ours("folded_answers", "LONG", "Answers dated by then that it saw; if there are more, some came late."),
        ours(
            "window_hash",
            "STRING",
            "Hash of what the log held then of the days in which deletions are looked for.",
        ),
        ours("deletions_hash", "STRING", "Hash of the deletions that it went by."),
        ours(
            "regions",
            "STRING",
            "Of each region (GENIE_REGIONS), as JSON: what its log held of the day, and since when it could "
            "not be read, if so. NULL where there is one region only.",
        ),
    ),
)

GENIE_FETCH_RUNS = Table(
    name="genie_fetch_runs",
    asset="genie_api_messages",
    row="run that asked the API for messages of a day, and workspace",
    description="What each run that had something to ask found and did, by day and workspace. Runs that had "
    "nothing to ask, and runs that were killed, leave no row.",
    key=("event_date", "workspace_id", "run_id", "started_timestamp"),
    statistics=("event_date", "workspace_id", "started_timestamp"),
    append_only=True,
    columns=(
        ours("event_date!", "DATE", "UTC day whose messages were asked for."),
        audit("workspace_id!", "STRING", "Workspace in which they were asked."),
        ours("run_id!", "STRING", "The run: the beginning of its id in Dagster."),
        ours("started_timestamp!", "TIMESTAMP", "When it began to fetch."),
        ours("discovered", "LONG", "Messages that the audit log showed were touched on the day."),
        ours("stored", "LONG", "Of them, those that were stored afterwards and had no open error."),
        ours("open_errors", "LONG", "Those that could not be read."),
        ours("closed", "LONG", "Those that were given up by hand."),
        ours("deleted", "LONG", "Those that were deleted."),
        ours("pending", "LONG", "Those that were not read yet."),
        ours("wanted", "LONG", "Messages that the run wanted to ask for."),
        ours("failed", "LONG", "Of them, those that it could not read."),
        ours("failures", "STRING", "The same by error class, as a JSON object; NULL if none failed."),
        ours("requests", "LONG", "Requests to the Genie API."),
        ours("answered_429", "LONG", "Of them, those answered with: slow down."),
        ours("fetch_ms", "LONG", "How long the run took to fetch, ms: the same in all its rows of the day."),
        ours(
            "endpoints",
            "STRING",
            "The requests by endpoint, GET and LIST, as a JSON object: requests, answered_429, retries (sent "
            "because the one before failed in passing), bytes of the answers, p50_ms and p95_ms. NULL in rows "
            "that are older than this column.",
        ),
        *INGESTION,
    ),
)

MESSAGE_FETCH_ATTEMPTS = Table(
    name="message_fetch_attempts",
    asset="genie_api_messages",
    row="attempt to read a message that failed, or that ended an error",
    description="What the error ledger says only of the last time: every attempt to read a message that failed, "
    "and the one after it that did not. Messages that were read at once have no row; nor have the last attempts "
    "of a run that was killed.",
    key=("workspace_id", "message_id", "attempt_timestamp"),
    statistics=("workspace_id", "message_id", "attempt_timestamp"),
    append_only=True,
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the message."),
        audit("space_id", "STRING", "Its space."),
        audit("conversation_id", "STRING", "Its conversation."),
        audit("message_id!", "STRING", "The message."),
        ours("attempt_timestamp!", "TIMESTAMP", "When the attempt ended."),
        ours("event_date!", "DATE", "UTC day whose run asked."),
        ours("run_id!", "STRING", "The run: the beginning of its id in Dagster."),
        ours("outcome!", "STRING", "The error class, or `FETCHED` or `DELETED`, which end an error."),
        ours("http_status", "LONG", "HTTP status of the failure; NULL without one."),
        ours("error_code", "STRING", "Databricks' error code of the failure; NULL without one."),
        ours("retry_count", "LONG", "Attempts after the first one, by the ledger, this one included."),
        ours("next_retry_timestamp", "TIMESTAMP", "When the next one was due; NULL if none was."),
        *INGESTION,
    ),
)

RECONCILED_CONVERSATIONS = Table(
    name="reconciled_conversations",
    asset="reconciled_conversations",
    row="conversation that a space lists",
    description="What reconciliation saw of each conversation that the API lists; it goes on from there.",
    key=("workspace_id", "space_id", "conversation_id"),
    statistics=("workspace_id", "space_id", "conversation_id"),
    bookkeeping=("ingestion_timestamp", "ingestion_batch_id"),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the space."),
        api("space_id!", "STRING", "Genie space."),
        api("conversation_id!", "STRING", "Conversation."),
        api("created_timestamp", "LONG", "When it was begun, epoch ms UTC."),
        ours("listed_timestamp", "TIMESTAMP", "When the space's list last named it."),
        ours("attempted_timestamp", "TIMESTAMP", "When its messages were last asked for."),
        ours("walked_timestamp", "TIMESTAMP", "When they were last listed to the end; NULL if never."),
        ours("message_count", "LONG", "Messages asked since GENIE_FIRST_DAY that the API showed then."),
        ours(
            "missing_count", "LONG", "Of them, those that the audit log had not shown, and that were not stored."
        ),
        ours("error_class", "STRING", "Why they could not be listed; NULL if they could."),
        ours("error_message", "STRING", "Scrubbed text of that error."),
        *INGESTION,
    ),
)

RECONCILED_SPACES = Table(
    name="reconciled_spaces",
    asset="reconciled_conversations",
    row="space whose conversations are compared with what is stored",
    description="How far reconciliation has come with each space, and what it found: the coverage.",
    key=("workspace_id", "space_id"),
    statistics=("workspace_id", "space_id"),
    bookkeeping=("ingestion_timestamp", "ingestion_batch_id"),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the space."),
        api("space_id!", "STRING", "Genie space."),
        ours("attempted_timestamp", "TIMESTAMP", "When its list of conversations was last asked for."),
        ours("listed_timestamp", "TIMESTAMP", "When it was last read to the end: a walk begins with it."),
        ours(
            "walked_timestamp",
            "TIMESTAMP",
            "When all conversations of such a list had been walked; NULL if never.",
        ),
        ours("conversation_count", "LONG", "Conversations of the last whole walk."),
        ours("refused_count", "LONG", "Of them, those of which no message is shown to us (PERMISSION)."),
        ours("failed_count", "LONG", "Of them, those whose messages could not be listed for another reason."),
        ours("message_count", "LONG", "Messages asked since GENIE_FIRST_DAY that the API showed in them."),
        ours("stored_count", "LONG", "Of them, those that the audit log had shown or that were stored."),
        ours("missing_count", "LONG", "The others: they were entered in genie_messages_to_fetch."),
        ours("error_class", "STRING", "Why its conversations could not be listed; NULL if they could."),
        ours("error_message", "STRING", "Scrubbed text of that error."),
        *INGESTION,
    ),
)

MESSAGE_COMMENTS = Table(
    name="message_comments",
    asset="message_comments",
    row="comment on a message",
    description="What people wrote about messages: comments, and requests for a review. They are as confidential "
    "as the questions. A comment that is gone stays, and says so.",
    key=("workspace_id", "message_id", "comment_id"),
    statistics=("workspace_id", "space_id", "conversation_id", "message_id", "comment_id"),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the message."),
        api("space_id", "STRING", "Its space."),
        api("conversation_id", "STRING", "Its conversation."),
        api("message_id!", "STRING", "The message."),
        api("comment_id!", "STRING", "The comment; a hash of what it says, if the API names none."),
        api("user_id", "STRING", "Who wrote it, as the workspace numbers people."),
        api("content", "STRING", "What it says."),
        api("comment_type", "STRING", "FIX_IT or REQUEST_REVIEW, where the API says so; NULL elsewhere."),
        api("created_timestamp", "LONG", "When it was written, epoch ms UTC."),
        ours("is_deleted", "BOOLEAN", "The comments of the message were listed to the end since, without it."),
        ours("deleted_seen_timestamp", "TIMESTAMP", "First look that did not find it; NULL while it is there."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        api(
            "raw_json",
            "STRING",
            "The comment as the API gave it, with all that is not known here.",
            is_document=True,
        ),
        *INGESTION,
    ),
)

MESSAGE_COMMENT_LOOKS = Table(
    name="message_comment_looks",
    asset="message_comments",
    row="message whose comments were listed",
    description="How current message_comments is: which messages' comments were listed to the end, and what for.",
    key=("workspace_id", "message_id"),
    statistics=("workspace_id", "message_id", "event_comment_time"),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the message."),
        audit("space_id", "STRING", "Its space."),
        audit("conversation_id", "STRING", "Its conversation."),
        audit("message_id!", "STRING", "The message."),
        audit("event_comment_time", "TIMESTAMP", "Latest event about its comments that was known then."),
        api("comment_count", "LONG", "Comments that were listed."),
        ours("api_fetch_timestamp", "TIMESTAMP", "When they were asked for."),
        *INGESTION,
    ),
)

COMMENT_FETCH_ERRORS = Table(
    name="comment_fetch_errors",
    asset="message_comments",
    row="message whose comments could not be listed",
    description="The error ledger of comments: why those on a message could not be listed, when they are tried "
    "again, how it ended.",
    key=("workspace_id", "message_id"),
    statistics=("workspace_id", "message_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the message."),
        audit("space_id", "STRING", "Its space."),
        audit("conversation_id", "STRING", "Its conversation."),
        audit("message_id!", "STRING", "The message."),
        *FAILURE,
        *COURSE,
    ),
)

AGENT_CONVERSATIONS = Table(
    name="agent_conversations",
    asset="agent_items",
    row="conversation with an agent",
    description="Which conversations are in agent mode, by the audit log or by the lists of reconciliation.",
    key=("workspace_id", "conversation_id"),
    statistics=("workspace_id", "conversation_id", "last_event_time"),
    bookkeeping=("ingestion_timestamp",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the agent."),
        audit("workspace_url", "STRING", "Its address, as far as it is known."),
        audit("space_id", "STRING", "The agent, which is a Genie space."),
        audit("conversation_id!", "STRING", "The conversation."),
        audit(
            "first_event_time", "TIMESTAMP", "Earliest event that names an agent; NULL if only a list shows it."
        ),
        audit("last_event_time", "TIMESTAMP", "Latest event that names an agent and is no read."),
        ours("ingestion_timestamp", "TIMESTAMP", "When this row was written."),
    ),
)

AGENT_ITEMS = Table(
    name="agent_items",
    asset="agent_items",
    row="step of a conversation with an agent",
    description="How agents came to their answers: messages, reasoning, the SQL that they ran, what came of it. "
    "Steps are as confidential as the questions and may hold rows of data.",
    key=("workspace_id", "conversation_id", "item_id"),
    statistics=("workspace_id", "space_id", "conversation_id", "item_id"),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the agent."),
        api("space_id", "STRING", "The agent, which is a Genie space."),
        api("conversation_id!", "STRING", "The conversation."),
        api("item_id!", "STRING", "The step; a hash of what it says, if the API names none."),
        api("item_ordinal", "INT", "Its place in the conversation, the first one is 1."),
        api("item_type", "STRING", "message, reasoning, function_call, function_call_output, or what is new."),
        api("item_role", "STRING", "Of a message: who says it, user or assistant."),
        api("item_status", "STRING", "How the step stands, where the API says so."),
        api("response_id", "STRING", "The response that it belongs to, where the API says so."),
        api("call_id", "STRING", "Of a call and its output: what joins the two."),
        api("function_name", "STRING", "Of a call: what is called, such as execute_sql."),
        api("query_sql", "STRING", "Of a call: the SQL among its arguments."),
        api("text_content", "STRING", "What it says, or what came of a call, as Markdown.", is_document=True),
        api("created_timestamp", "LONG", "When it was made, epoch ms UTC, where the API says so."),
        ours("is_deleted", "BOOLEAN", "The conversation was listed to the end since, without it."),
        ours("deleted_seen_timestamp", "TIMESTAMP", "First look that did not find it; NULL while it is there."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        api(
            "raw_json", "STRING", "The step as the API gave it, with all that is not known here.", is_document=True
        ),
        *INGESTION,
    ),
)

AGENT_CONVERSATION_LOOKS = Table(
    name="agent_conversation_looks",
    asset="agent_items",
    row="conversation with an agent whose steps were listed",
    description="How current agent_items is: which conversations' steps were listed to the end, and what for.",
    key=("workspace_id", "conversation_id"),
    statistics=("workspace_id", "conversation_id", "event_time"),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the agent."),
        audit("space_id", "STRING", "The agent."),
        audit("conversation_id!", "STRING", "The conversation."),
        audit(
            "event_time",
            "TIMESTAMP",
            "Latest event whose response had surely ended when it was listed; NULL if none is known.",
        ),
        api("item_count", "LONG", "Steps that were listed."),
        ours("api_fetch_timestamp", "TIMESTAMP", "When they were asked for."),
        *INGESTION,
    ),
)

AGENT_FETCH_ERRORS = Table(
    name="agent_fetch_errors",
    asset="agent_items",
    row="conversation with an agent whose steps could not be listed",
    description="The error ledger of agents' steps: why those of a conversation could not be listed, when they "
    "are tried again, how it ended.",
    key=("workspace_id", "conversation_id"),
    statistics=("workspace_id", "conversation_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        audit("workspace_id!", "STRING", "Workspace of the agent."),
        audit("space_id", "STRING", "The agent."),
        audit("conversation_id!", "STRING", "The conversation."),
        *FAILURE,
        *COURSE,
    ),
)

_OF_A_RUN = (
    api("workspace_id!", "STRING", "Workspace of the space."),
    api("space_id!", "STRING", "Genie space."),
    api("eval_run_id!", "STRING", "The evaluation."),
)

GENIE_EVALUATION_RUNS = Table(
    name="genie_evaluation_runs",
    asset="genie_evaluation_runs",
    row="evaluation of a space",
    description="Evaluations: runs of a space's benchmark questions, with their counts. What is listed no more "
    "stays.",
    key=("workspace_id", "space_id", "eval_run_id"),
    statistics=("workspace_id", "space_id", "eval_run_id"),
    columns=(
        *_OF_A_RUN,
        api("status", "STRING", "NOT_STARTED, RUNNING, DONE, EVALUATION_FAILED and others, as the API says."),
        api("created_timestamp", "LONG", "When it was started, epoch ms UTC."),
        api("last_updated_timestamp", "LONG", "When it was last changed, epoch ms UTC."),
        api("num_questions", "LONG", "Benchmark questions that it asks."),
        api("num_done", "LONG", "Of them, those that were answered."),
        api("num_correct", "LONG", "Of them, those whose answer was found good."),
        api("num_needs_review", "LONG", "Of them, those that a person has to judge."),
        api("run_by_user", "STRING", "Who started it, as the workspace numbers people."),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        ours(
            "results_kept_timestamp",
            "TIMESTAMP",
            "Look that read the last of its results with all details that were still shown; NULL until then.",
        ),
        *INGESTION,
    ),
)

GENIE_EVALUATION_RESULTS = Table(
    name="genie_evaluation_results",
    asset="genie_evaluation_runs",
    row="benchmark question of an evaluation",
    description="What came of each benchmark question of an evaluation. Databricks shows the details for about a "
    "week; here they stay. They are as confidential as questions. Rows that the SQL gave are not kept.",
    key=("workspace_id", "space_id", "eval_run_id", "result_id"),
    statistics=("workspace_id", "space_id", "eval_run_id", "result_id"),
    columns=(
        *_OF_A_RUN,
        api("result_id!", "STRING", "The result."),
        api("benchmark_question_id", "STRING", "Id of the question in the space's configuration."),
        api("question", "STRING", "The question."),
        api("benchmark_answer", "STRING", "The answer that the benchmark names."),
        api("status", "STRING", "How far it came, as the API spells it."),
        api("assessment", "STRING", "GOOD, BAD or NEEDS_REVIEW; a detail."),
        api("is_manual_assessment", "BOOLEAN", "A person judged it; a detail."),
        api("assessment_reasons", "ARRAY<STRING>", "Why it was judged so, sorted; a detail."),
        api("actual_response", "STRING", "What Genie answered, as JSON; a detail.", is_document=True),
        api("expected_response", "STRING", "What was expected, as JSON; a detail.", is_document=True),
        ours("has_details", "BOOLEAN", "Details were read; false where they were gone before."),
        ours(
            "run_updated_timestamp",
            "LONG",
            "Last change of the evaluation when its details were read, epoch ms UTC; NULL without details.",
        ),
        ours("first_seen_timestamp", "TIMESTAMP", "First look that found it."),
        *INGESTION,
    ),
)

EVALUATION_FETCH_ERRORS = Table(
    name="evaluation_fetch_errors",
    asset="genie_evaluation_runs",
    row="space or evaluation that could not be read",
    description="The error ledger of evaluations: why those of a space could not be listed, or why the results of "
    "one could not be read whole, when it is tried again, how it ended.",
    key=("workspace_id", "space_id", "of_what", "thing_id"),
    statistics=("workspace_id", "space_id", "thing_id", "next_retry_timestamp"),
    bookkeeping=("ingestion_batch_id",),
    columns=(
        api("workspace_id!", "STRING", "Workspace of the space."),
        api("space_id!", "STRING", "Genie space."),
        ours("of_what!", "STRING", "RUNS: the space's evaluations; RESULTS: those of one evaluation."),
        api("thing_id!", "STRING", "The space, or the evaluation."),
        *FAILURE,
        *COURSE,
    ),
)

GENIE_RUN_COSTS = Table(
    name="genie_run_costs",
    asset="genie_run_costs",
    row="endpoint of Databricks that a run asked",
    description="What every run of every job cost: its requests to Databricks by endpoint, its SQL statements and "
    "their time. Of whole days, once a day, from what runs noted of themselves; a run whose process was killed "
    "has no row.",
    key=("cost_date", "run_id", "endpoint"),
    statistics=("cost_date", "run_id"),
    bookkeeping=("ingestion_timestamp", "ingestion_batch_id"),
    columns=(
        ours("cost_date!", "DATE", "UTC day on which the run ended."),
        ours("run_id!", "STRING", "The run: the beginning of its id in Dagster, as in genie_fetch_runs."),
        ours("endpoint!", "STRING", "Verb and path without ids; `all` if there were too many to note each."),
        ours("job_name!", "STRING", "The job that it was a run of."),
        ours("requests", "LONG", "Requests that were sent, whatever came of them; a second try is one more."),
        ours("answered_429", "LONG", "Of them, those answered with: slow down. NULL for `all`."),
        ours("failed", "LONG", "Of them, those without a good answer. NULL for `all`."),
        ours("bytes", "LONG", "Bodies of the answers, unpacked. NULL for `all`."),
        ours("p50_ms", "LONG", "Half of them were answered within so many ms. NULL for `all`."),
        ours("p95_ms", "LONG", "95 in a hundred were answered within so many ms. NULL for `all`."),
        ours(
            "statement_ms",
            "LONG",
            "Of statements: time from sending each until it had ended, that of a warehouse's start included. NULL "
            "for other endpoints.",
        ),
        ours("result_rows", "LONG", "Of statements: rows of their results that came. NULL for other endpoints."),
        ours("result_bytes", "LONG", "Of statements: bytes that it took to send them. NULL for other endpoints."),
        *INGESTION,
    ),
)

TABLES: tuple[Table, ...] = (
    GENIE_MESSAGES_TO_FETCH,
    GENIE_DELETIONS,
    GENIE_DAY_LOADS,
    GENIE_API_MESSAGES,
    GENIE_MESSAGE_LOOKS,
    GENIE_CONVERSATION_DAYS,
    GENIE_FETCH_RUNS,
    MESSAGE_FETCH_ERRORS,
    MESSAGE_FETCH_ATTEMPTS,
    MESSAGE_DETAILS,
    MESSAGE_ATTACHMENTS,
    GENIE_SPACE_DETAILS,
    GENIE_SPACE_VERSIONS,
    SPACE_FETCH_ERRORS,
    GENIE_SPACE_APPLIES,
    GENIE_SPACE_PERMISSIONS,
    GENIE_SPACE_EVENTS,
    RECONCILED_SPACES,
    RECONCILED_CONVERSATIONS,
    MESSAGE_COMMENTS,
    MESSAGE_COMMENT_LOOKS,
    COMMENT_FETCH_ERRORS,
    AGENT_CONVERSATIONS,
    AGENT_ITEMS,
    AGENT_CONVERSATION_LOOKS,
    AGENT_FETCH_ERRORS,
    GENIE_EVALUATION_RUNS,
    GENIE_EVALUATION_RESULTS,
    EVALUATION_FETCH_ERRORS,
    GENIE_RUN_COSTS,
)


def beside(main: Table) -> list[Table]:
    """The tables that the asset of a table fills besides it."""
    return [table for table in TABLES if table.asset == main.asset and table is not main]
