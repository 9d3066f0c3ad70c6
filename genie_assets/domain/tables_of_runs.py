"""What runs did: days that were loaded, requests that were made, walks that were taken, and what it cost."""

from genie_assets.domain.columns import INGESTION, api, audit, ours
from genie_assets.domain.table import Table

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
        ours(
            "folded_hash",
            "STRING",
            "Hash of what its last fold went by, or that one has begun since; NULL if none ever did.",
        ),
        ours("folded_timestamp", "TIMESTAMP", "When that fold began."),
        ours("first_load_timestamp", "TIMESTAMP", "When the day was first loaded; NULL if that was not noted."),
        ours("last_load_timestamp", "TIMESTAMP", "Latest run of it: each that changed something, and one a day."),
        ours(
            "folded_answers",
            "LONG",
            "Answers, deletions and errors dated by then that it saw; if there are more, some came late.",
        ),
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
        ours("entered_count", "LONG", "Messages of it that only reconciliation had found; if more, look again."),
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
        ours("failed", "LONG", "Those of them that it could not read, and those that cannot be asked for."),
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

GENIE_RUN_COSTS = Table(
    name="genie_run_costs",
    asset="genie_run_costs",
    row="endpoint of Databricks that a run asked",
    description="What every run of every job cost: its requests to Databricks by endpoint, its SQL statements and "
    "their time. Of whole days, once a day, from what runs noted of themselves as they went: of a run whose "
    "process was killed, the last minute is missing.",
    key=("cost_date", "run_id", "endpoint"),
    statistics=("cost_date", "run_id"),
    bookkeeping=("ingestion_timestamp", "ingestion_batch_id"),
    columns=(
        ours("cost_date!", "DATE", "UTC day on which the run ended, or noted for the last time if it was killed."),
        ours("run_id!", "STRING", "The run: the beginning of its id in Dagster, as in genie_fetch_runs."),
        ours(
            "endpoint!",
            "STRING",
            "Verb and path without ids; `others` for the endpoints of a run, the least asked, that there was no "
            "room to note one by one. `all`, in rows of versions that noted only the sums then.",
        ),
        ours("job_name!", "STRING", "The job that it was a run of."),
        ours("requests", "LONG", "Requests that were sent, whatever came of them; a second try is one more."),
        ours("answered_429", "LONG", "Of them, those answered with: slow down. NULL for `all`."),
        ours("failed", "LONG", "Of them, those without a good answer. NULL for `all`."),
        ours("bytes", "LONG", "Bodies of the answers, unpacked. NULL for `all`."),
        ours("p50_ms", "LONG", "Half of them were answered within so many ms. NULL for `all` and `others`."),
        ours("p95_ms", "LONG", "95 in a hundred were answered within so many ms. NULL for `all` and `others`."),
        ours(
            "statement_ms",
            "LONG",
            "Of statements: time from sending each until it had ended, that of a warehouse's start included. NULL "
            "for other endpoints.",
        ),
        ours("result_rows", "LONG", "Of statements: rows of their results that came. NULL for other endpoints."),
        ours("result_bytes", "LONG", "Of statements: bytes that it took to send them. NULL for other endpoints."),
        ours(
            "retries",
            "LONG",
            "Requests that were sent because the one before had failed in passing. NULL for `all`, and in rows "
            "that are older than this column.",
        ),
        ours(
            "statements",
            "LONG",
            "Of statements: how many were sent to a warehouse. NULL for other endpoints, and in rows that are "
            "older than this column.",
        ),
        *INGESTION,
    ),
)
