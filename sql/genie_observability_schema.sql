-- The tables of genie_analytics for Unity Catalog or any Spark with Delta Lake.
-- Generated from genie_assets/domain/tables*.py by `python -m genie_assets.schema_files`. Do not edit.
--
-- The catalog main stands for yours. Every time is UTC, and a *_timestamp of type LONG is epoch ms.
-- Primary keys inform the optimizer, nothing enforces them: the writer merges by key, and a check counts.
-- created_date is written by the pipeline. A generated column DATE(FROM_UNIXTIME(...)) would depend on the
-- time zone of the session that writes it.
--
-- Layout: one partition per day. Run after days have closed, for example weekly:
--   OPTIMIZE main.genie_analytics.genie_messages_to_fetch
--   OPTIMIZE main.genie_analytics.genie_deletions
--   OPTIMIZE main.genie_analytics.genie_day_loads
--   OPTIMIZE main.genie_analytics.genie_api_messages
--   OPTIMIZE main.genie_analytics.genie_message_looks
--   OPTIMIZE main.genie_analytics.genie_conversation_days ZORDER BY (conversation_id)
--   OPTIMIZE main.genie_analytics.genie_fetch_runs
--   OPTIMIZE main.genie_analytics.message_fetch_errors
--   OPTIMIZE main.genie_analytics.message_fetch_attempts
--   OPTIMIZE main.genie_analytics.message_details ZORDER BY (workspace_id, space_id, conversation_id, message_id)
--   OPTIMIZE main.genie_analytics.message_attachments
--   OPTIMIZE main.genie_analytics.genie_space_details
--   OPTIMIZE main.genie_analytics.genie_space_versions
--   OPTIMIZE main.genie_analytics.space_fetch_errors
--   OPTIMIZE main.genie_analytics.genie_space_applies
--   OPTIMIZE main.genie_analytics.genie_space_permissions
--   OPTIMIZE main.genie_analytics.genie_space_events
--   OPTIMIZE main.genie_analytics.reconciled_spaces
--   OPTIMIZE main.genie_analytics.reconciled_conversations
--   OPTIMIZE main.genie_analytics.message_comments
--   OPTIMIZE main.genie_analytics.message_comment_looks
--   OPTIMIZE main.genie_analytics.comment_fetch_errors
--   OPTIMIZE main.genie_analytics.agent_conversations
--   OPTIMIZE main.genie_analytics.agent_items
--   OPTIMIZE main.genie_analytics.agent_conversation_looks
--   OPTIMIZE main.genie_analytics.agent_fetch_errors
--   OPTIMIZE main.genie_analytics.genie_evaluation_runs
--   OPTIMIZE main.genie_analytics.genie_evaluation_results
--   OPTIMIZE main.genie_analytics.evaluation_fetch_errors
--   OPTIMIZE main.genie_analytics.genie_run_costs
--
-- Alternative in Unity Catalog: liquid clustering. Spark refuses it together with partitions, and with
-- ZORDER BY: replace PARTITIONED BY as follows, add the day to delta.dataSkippingStatsColumns, and run
-- OPTIMIZE without ZORDER BY.
--   genie_messages_to_fetch: CLUSTER BY (event_date, workspace_id, space_id)
--   genie_deletions: CLUSTER BY (event_date, workspace_id)
--   genie_api_messages: CLUSTER BY (created_date, workspace_id, space_id)
--   genie_message_looks: CLUSTER BY (created_date, workspace_id)
--   message_details: CLUSTER BY (created_date, workspace_id, space_id)
--   message_attachments: CLUSTER BY (created_date, workspace_id, space_id)

CREATE SCHEMA IF NOT EXISTS main.genie_analytics;

-- One row per message touched on a day.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_messages_to_fetch (
  event_date DATE NOT NULL COMMENT 'UTC day of the audit events.',
  workspace_id STRING NOT NULL COMMENT 'Workspace in which the message was asked.',
  workspace_name STRING COMMENT 'Its name, from system.access.workspaces_latest.',
  workspace_url STRING COMMENT 'Address in workspaces_latest: its host, with /?o= and its id or without.',
  space_id STRING COMMENT 'Genie space.',
  conversation_id STRING COMMENT 'Conversation.',
  message_id STRING NOT NULL COMMENT 'Message.',
  user_email STRING COMMENT 'Who asked, when an ask event shows it, our own principal, too, if it did.',
  first_event_time TIMESTAMP COMMENT 'Earliest event of the day.',
  last_event_time TIMESTAMP COMMENT 'Latest event of the day.',
  last_change_time TIMESTAMP COMMENT 'Latest event that may have changed the message, NULL if only reads.',
  is_new BOOLEAN COMMENT 'An ask event is among them.',
  is_deleted BOOLEAN COMMENT 'The message or its conversation was deleted on this day or later.',
  actions ARRAY<STRING> COMMENT 'Distinct audit actions, sorted.',
  event_count INT COMMENT 'Distinct audit events.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was first stored as it is.',
  first_seen_timestamp TIMESTAMP COMMENT 'When the message was first stored for this day.',
  last_comment_time TIMESTAMP COMMENT 'Latest event that may have made, changed or deleted a comment on the message, NULL if none.',
  CONSTRAINT pk_genie_messages_to_fetch PRIMARY KEY (event_date, workspace_id, message_id)
)
USING DELTA
COMMENT 'What the audit log says: every Genie message that somebody touched on a UTC day. Messages that only reconciliation found are there, too, with no events.'
PARTITIONED BY (event_date)
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id,message_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per conversation or message deleted on a day.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_deletions (
  event_date DATE NOT NULL COMMENT 'UTC day of the audit events.',
  workspace_id STRING NOT NULL COMMENT 'Workspace in which it happened.',
  deleted_type STRING NOT NULL COMMENT 'CONVERSATION or MESSAGE.',
  deleted_id STRING NOT NULL COMMENT 'The conversation or message.',
  space_id STRING COMMENT 'Genie space.',
  first_event_time TIMESTAMP COMMENT 'Earliest deletion of the day.',
  last_event_time TIMESTAMP COMMENT 'Latest deletion of the day.',
  actions ARRAY<STRING> COMMENT 'Distinct audit actions, sorted.',
  event_count INT COMMENT 'Distinct audit events.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_deletions PRIMARY KEY (event_date, workspace_id, deleted_type, deleted_id)
)
USING DELTA
COMMENT 'What the audit log says of deletions, for days that are loaded later than the deletion\'s.'
PARTITIONED BY (event_date)
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,deleted_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per day of the audit log that was loaded.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_day_loads (
  event_date DATE NOT NULL COMMENT 'UTC day of the audit events.',
  event_count LONG COMMENT 'Distinct events that the log held of it when it was last loaded.',
  message_count LONG COMMENT 'Messages that they name, added up over the workspaces.',
  newest_event_time TIMESTAMP COMMENT 'The newest of these events.',
  events_hash STRING COMMENT 'Hash of their ids, actions, conversations and messages.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written: by the first load that saw this.',
  inputs_hash STRING COMMENT 'Hash of what else it went by: deletions, workspaces, our version.',
  references_timestamp TIMESTAMP COMMENT 'Newest row of the day in genie_messages_to_fetch afterwards.',
  tables_hash STRING COMMENT 'Hash of the definitions of all tables, which existed then.',
  folded_hash STRING COMMENT 'Hash of what its last fold went by, or that one has begun since, NULL if none ever did.',
  folded_timestamp TIMESTAMP COMMENT 'When that fold began.',
  first_load_timestamp TIMESTAMP COMMENT 'When the day was first loaded, NULL if that was not noted.',
  last_load_timestamp TIMESTAMP COMMENT 'Latest run of it: each that changed something, and one a day.',
  folded_answers LONG COMMENT 'Answers, deletions and errors dated by then that it saw, if there are more, some came late.',
  window_hash STRING COMMENT 'Hash of what the log held then of the days in which deletions are looked for.',
  deletions_hash STRING COMMENT 'Hash of the deletions that it went by.',
  regions STRING COMMENT 'Of each region (GENIE_REGIONS), as JSON: what its log held of the day, and since when it could not be read, if so. NULL where there is one region only.',
  entered_count LONG COMMENT 'Messages of it that only reconciliation had found, if more, look again.',
  CONSTRAINT pk_genie_day_loads PRIMARY KEY (event_date)
)
USING DELTA
COMMENT 'Which days were loaded, and what the audit log held of each then: if it holds more, it is late.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'event_date',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per answer of the API for a message that differs from the one before.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_api_messages (
  workspace_id STRING NOT NULL COMMENT 'Workspace in which the message was asked.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  conversation_id STRING NOT NULL COMMENT 'Conversation.',
  message_id STRING NOT NULL COMMENT 'Message.',
  created_timestamp LONG COMMENT 'When the message was asked, epoch ms UTC.',
  created_date DATE NOT NULL COMMENT 'UTC date of created_timestamp, the audit event\'s day where that is unknown.',
  last_updated_timestamp LONG COMMENT 'When Genie last changed the message, epoch ms UTC.',
  status STRING COMMENT 'Genie\'s status, as the API spells it.',
  is_settled BOOLEAN COMMENT 'The status is terminal.',
  raw_json STRING COMMENT 'The whole message as JSON, never cut.',
  content_hash STRING NOT NULL COMMENT 'SHA-256 of the canonical message: the same answer has the same hash.',
  api_endpoint STRING COMMENT 'GET or LIST.',
  api_fetch_timestamp TIMESTAMP NOT NULL COMMENT 'When the request that brought this answer was sent.',
  event_date DATE COMMENT 'Dagster partition whose run fetched this answer.',
  event_change_time TIMESTAMP COMMENT 'It holds every change until then, by Databricks\' clock.',
  attachments_shown STRING COMMENT 'Marks of what it shows, as JSON: they tell which answer shows more.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_api_messages PRIMARY KEY (workspace_id, message_id, content_hash, api_fetch_timestamp)
)
USING DELTA
COMMENT 'What the Genie API says, untouched: an append-only log of every answer that is not as the last.'
PARTITIONED BY (created_date)
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id,message_id,event_date',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per look at a message that found nothing new.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_message_looks (
  workspace_id STRING NOT NULL COMMENT 'Workspace in which the message was asked.',
  conversation_id STRING NOT NULL COMMENT 'Conversation.',
  message_id STRING NOT NULL COMMENT 'Message.',
  created_date DATE NOT NULL COMMENT 'Day in which the message lives, as in genie_api_messages.',
  content_hash STRING NOT NULL COMMENT 'Hash of the answer that was found again.',
  api_fetch_timestamp TIMESTAMP NOT NULL COMMENT 'When the request was sent.',
  event_change_time TIMESTAMP COMMENT 'It holds every change until then, by Databricks\' clock.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_message_looks PRIMARY KEY (workspace_id, message_id, api_fetch_timestamp)
)
USING DELTA
COMMENT 'Later looks of the API that found the answer unchanged, so that the same look is not repeated.'
PARTITIONED BY (created_date)
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,conversation_id,message_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per day on which a message of a conversation was asked.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_conversation_days (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the conversation.',
  conversation_id STRING NOT NULL COMMENT 'Conversation.',
  created_date DATE NOT NULL COMMENT 'Day in which messages of it live, as in genie_api_messages.',
  ingestion_batch_id STRING NOT NULL COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_conversation_days PRIMARY KEY (workspace_id, conversation_id, created_date, ingestion_batch_id)
)
USING DELTA
COMMENT 'On which days a conversation has messages, so that all of them are found without a search. Runs at the same time may each say it.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,conversation_id,created_date',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per run that asked the API for messages of a day, and workspace.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_fetch_runs (
  event_date DATE NOT NULL COMMENT 'UTC day whose messages were asked for.',
  workspace_id STRING NOT NULL COMMENT 'Workspace in which they were asked.',
  run_id STRING NOT NULL COMMENT 'The run: the beginning of its id in Dagster.',
  started_timestamp TIMESTAMP NOT NULL COMMENT 'When it began to fetch.',
  discovered LONG COMMENT 'Messages that the audit log showed were touched on the day.',
  stored LONG COMMENT 'Of them, those that were stored afterwards and had no open error.',
  open_errors LONG COMMENT 'Those that could not be read.',
  closed LONG COMMENT 'Those that were given up by hand.',
  deleted LONG COMMENT 'Those that were deleted.',
  pending LONG COMMENT 'Those that were not read yet.',
  wanted LONG COMMENT 'Messages that the run wanted to ask for.',
  failed LONG COMMENT 'Those of them that it could not read, and those that cannot be asked for.',
  failures STRING COMMENT 'The same by error class, as a JSON object, NULL if none failed.',
  requests LONG COMMENT 'Requests to the Genie API.',
  answered_429 LONG COMMENT 'Of them, those answered with: slow down.',
  fetch_ms LONG COMMENT 'How long the run took to fetch, ms: the same in all its rows of the day.',
  endpoints STRING COMMENT 'The requests by endpoint, GET and LIST, as a JSON object: requests, answered_429, retries (sent because the one before failed in passing), bytes of the answers, p50_ms and p95_ms. NULL in rows that are older than this column.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_fetch_runs PRIMARY KEY (event_date, workspace_id, run_id, started_timestamp)
)
USING DELTA
COMMENT 'What each run that had something to ask found and did, by day and workspace. Runs that had nothing to ask, and runs that were killed, leave no row.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'event_date,workspace_id,started_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per message that could not be fetched.
CREATE TABLE IF NOT EXISTS main.genie_analytics.message_fetch_errors (
  workspace_id STRING NOT NULL COMMENT 'Workspace in which the message was asked.',
  message_id STRING NOT NULL COMMENT 'Message.',
  space_id STRING COMMENT 'Genie space.',
  conversation_id STRING COMMENT 'Conversation.',
  error_type STRING COMMENT 'AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.',
  error_class STRING COMMENT 'The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD.',
  error_message STRING COMMENT 'What went wrong, with secrets scrubbed.',
  error_timestamp TIMESTAMP COMMENT 'Last failure.',
  retry_count INT COMMENT 'Failed attempts after the first.',
  resolved BOOLEAN COMMENT 'No further attempt is needed.',
  event_date DATE COMMENT 'Dagster partition that asks for the message.',
  first_error_timestamp TIMESTAMP COMMENT 'First failure.',
  next_retry_timestamp TIMESTAMP COMMENT 'Earliest next attempt, NULL when none will be made.',
  resolved_timestamp TIMESTAMP COMMENT 'When it was resolved.',
  resolution STRING COMMENT 'FETCHED, DELETED, CLOSED or LEFT_OUT, GAVE_UP while parked, NULL while open.',
  http_status INT COMMENT 'HTTP status, where it is known.',
  error_code STRING COMMENT 'Databricks\' error_code, where the answer had one.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  CONSTRAINT pk_message_fetch_errors PRIMARY KEY (workspace_id, message_id)
)
USING DELTA
COMMENT 'The error ledger: why a message could not be fetched, when it is tried again, how it ended.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,message_id,event_date,next_retry_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per attempt to read a message that failed, or that ended an error.
CREATE TABLE IF NOT EXISTS main.genie_analytics.message_fetch_attempts (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the message.',
  space_id STRING COMMENT 'Its space.',
  conversation_id STRING COMMENT 'Its conversation.',
  message_id STRING NOT NULL COMMENT 'The message.',
  attempt_timestamp TIMESTAMP NOT NULL COMMENT 'When the attempt ended.',
  event_date DATE NOT NULL COMMENT 'UTC day whose run asked.',
  run_id STRING NOT NULL COMMENT 'The run: the beginning of its id in Dagster.',
  outcome STRING NOT NULL COMMENT 'The error class, or `FETCHED` or `DELETED`, which end an error.',
  http_status LONG COMMENT 'HTTP status of the failure, NULL without one.',
  error_code STRING COMMENT 'Databricks\' error code of the failure, NULL without one.',
  retry_count LONG COMMENT 'Attempts after the first one, by the ledger, this one included.',
  next_retry_timestamp TIMESTAMP COMMENT 'When the next one was due, NULL if none was.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_message_fetch_attempts PRIMARY KEY (workspace_id, message_id, attempt_timestamp)
)
USING DELTA
COMMENT 'What the error ledger says only of the last time: every attempt to read a message that failed, and the one after it that did not. Messages that were read at once have no row, nor have the last attempts of a run that was killed.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,message_id,attempt_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per message.
CREATE TABLE IF NOT EXISTS main.genie_analytics.message_details (
  workspace_id STRING NOT NULL COMMENT 'Workspace in which the message was asked.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  conversation_id STRING NOT NULL COMMENT 'Conversation.',
  message_id STRING NOT NULL COMMENT 'Message.',
  created_date DATE NOT NULL COMMENT 'UTC date of created_timestamp.',
  space_name STRING COMMENT 'Title of the space.',
  workspace_name STRING COMMENT 'Name of the workspace, from system.access.workspaces_latest.',
  content STRING COMMENT 'The user\'s question.',
  status STRING COMMENT 'COMPLETED, FAILED, CANCELLED, QUERY_RESULT_EXPIRED, or a running state.',
  created_timestamp LONG COMMENT 'When it was asked, epoch ms UTC.',
  updated_timestamp LONG COMMENT 'When Genie last changed it (last_updated_timestamp), epoch ms UTC.',
  query_sql STRING COMMENT 'SQL of the last query attachment that has SQL.',
  query_description STRING COMMENT 'Description of that query attachment.',
  statement_id STRING COMMENT 'Its statement in system.query.history.',
  attachments_count INT COMMENT 'Attachments of the answer, NULL while the API shows none.',
  attachments_json STRING COMMENT 'The whole attachments array as JSON, never cut.',
  query_execution_status STRING COMMENT 'FINISHED, FAILED or CANCELED, from system.query.history.',
  query_duration_ms LONG COMMENT 'Total duration of the statement, ms.',
  query_start_time TIMESTAMP COMMENT 'Start of the statement.',
  query_end_time TIMESTAMP COMMENT 'End of the statement, result fetch excluded.',
  query_warehouse_id STRING COMMENT 'Warehouse that ran it.',
  query_read_rows LONG COMMENT 'Rows read.',
  query_read_bytes LONG COMMENT 'Bytes read.',
  query_error_message STRING COMMENT 'Error of the statement.',
  api_fetch_timestamp TIMESTAMP COMMENT 'When the request that brought the latest answer was sent.',
  api_fetch_status STRING COMMENT 'SUCCESS, or the class of the error that blocks a newer look.',
  api_fetch_error STRING COMMENT 'Scrubbed text of that error.',
  user_id STRING COMMENT 'Numeric workspace user id of the asker, as text (it exceeds 2^53).',
  user_email STRING COMMENT 'Who asked, from the audit log.',
  conversation_position INT COMMENT '1 = first message of its conversation.',
  query_title STRING COMMENT 'Title of the query attachment.',
  answer_text STRING COMMENT 'The answer in words, of several texts with a blank line between.',
  query_row_count LONG COMMENT 'Rows of the query\'s result.',
  statements_count INT COMMENT 'Query attachments with a statement id.',
  response_time_ms LONG COMMENT 'Last update minus creation at the first look that found it settled, ms.',
  query_wait_ms LONG COMMENT 'Waiting for compute and at capacity, ms.',
  query_compile_ms LONG COMMENT 'Compilation, ms.',
  query_execution_ms LONG COMMENT 'Execution, ms.',
  query_fetch_ms LONG COMMENT 'Result fetch, ms.',
  query_from_cache BOOLEAN COMMENT 'Answered from the result cache.',
  feedback_rating STRING COMMENT 'POSITIVE, NEGATIVE or NULL.',
  feedback_comment STRING COMMENT 'Comment given with the rating.',
  error_type STRING COMMENT 'Genie\'s own error type.',
  error_message STRING COMMENT 'Genie\'s own error text.',
  enrichment_status STRING COMMENT 'PENDING, COMPLETE, NOT_APPLICABLE (no statement) or EXPIRED.',
  is_deleted BOOLEAN COMMENT 'The user deleted it in Genie, the row stays.',
  content_withheld BOOLEAN COMMENT 'The latest look showed less: answer and SQL are an earlier look\'s.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  query_first_seen_timestamp TIMESTAMP COMMENT 'When its statement was first found in query history, NULL if that was not noted.',
  CONSTRAINT pk_message_details PRIMARY KEY (workspace_id, message_id)
)
USING DELTA
COMMENT 'The one table to query: each message with its answer, its SQL\'s execution, feedback and names.'
PARTITIONED BY (created_date)
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id,message_id,created_timestamp,enrichment_status',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per attachment of a message.
CREATE TABLE IF NOT EXISTS main.genie_analytics.message_attachments (
  workspace_id STRING NOT NULL COMMENT 'Workspace in which the message was asked.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  conversation_id STRING NOT NULL COMMENT 'Conversation.',
  message_id STRING NOT NULL COMMENT 'Message.',
  created_date DATE NOT NULL COMMENT 'UTC date of the message.',
  attachment_ordinal INT NOT NULL COMMENT 'Position in the answer, from 1.',
  attachment_id STRING COMMENT 'Genie\'s id, where it has one.',
  attachment_type STRING COMMENT 'QUERY, TEXT, VIZ, SUGGESTED_QUESTIONS or OTHER.',
  attachment_json STRING COMMENT 'The whole attachment as JSON.',
  query_sql STRING COMMENT 'SQL of a query attachment.',
  query_title STRING COMMENT 'Its title.',
  query_description STRING COMMENT 'Its description.',
  statement_id STRING COMMENT 'Its statement in system.query.history.',
  row_count LONG COMMENT 'Rows of its result.',
  text_content STRING COMMENT 'Text of a text attachment.',
  text_purpose STRING COMMENT 'Purpose of the text, as the API spells it.',
  query_execution_status STRING COMMENT 'FINISHED, FAILED or CANCELED, from system.query.history.',
  query_duration_ms LONG COMMENT 'Total duration of the statement, ms.',
  query_read_rows LONG COMMENT 'Rows read.',
  query_read_bytes LONG COMMENT 'Bytes read.',
  query_error_message STRING COMMENT 'Error of the statement.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  query_first_seen_timestamp TIMESTAMP COMMENT 'When its statement was first found in query history, NULL if that was not noted.',
  CONSTRAINT pk_message_attachments PRIMARY KEY (workspace_id, message_id, attachment_ordinal)
)
USING DELTA
COMMENT 'Every attachment of every answer, each SQL statement with its own execution.'
PARTITIONED BY (created_date)
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id,message_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per space, latest good state.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_space_details (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  title STRING COMMENT 'Title.',
  description STRING COMMENT 'Description.',
  warehouse_id STRING COMMENT 'Warehouse that runs its SQL.',
  parent_path STRING COMMENT 'Workspace folder.',
  etag STRING COMMENT 'The API\'s version tag.',
  serialized_space STRING COMMENT 'The configuration as it came, of texts that say the same, the first one.',
  config_hash STRING COMMENT 'SHA-256 of serialized_space without what is empty, whatever the order of its named objects.',
  create_time TIMESTAMP COMMENT 'Creation, where the API tells it.',
  update_time TIMESTAMP COMMENT 'Last change, where the API tells it.',
  is_trashed BOOLEAN COMMENT 'The space was read before and is gone now.',
  first_seen_timestamp TIMESTAMP COMMENT 'First look at this space.',
  last_seen_timestamp TIMESTAMP COMMENT 'Last good look, kept to half a day.',
  api_fetch_status STRING COMMENT 'SUCCESS, or the error class of the last look.',
  api_fetch_error STRING COMMENT 'Scrubbed text of that error.',
  is_escaped BOOLEAN COMMENT 'Half characters in it, which UTF-8 cannot hold, stand escaped as in JSON.',
  section_hashes STRING COMMENT 'A short hash of each section that it has, as a JSON object.',
  made_by STRING COMMENT 'PEOPLE: the newer list of agents shows it, which leaves out what integrations such as dashboards made. UNLISTED: that list, read to its end, shows others of the workspace and not this one, which the older list shows, most likely a dashboard or another integration made it, which is no proof. NULL: not known.',
  tags STRING COMMENT 'Its tags, as a JSON object of key to value, {} for none, NULL where not known.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_space_details PRIMARY KEY (workspace_id, space_id)
)
USING DELTA
COMMENT 'Every known space\'s configuration: the latest one that could be read.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per distinct configuration of a space over time.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_space_versions (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  title STRING COMMENT 'Title.',
  description STRING COMMENT 'Description.',
  warehouse_id STRING COMMENT 'Warehouse that runs its SQL.',
  parent_path STRING COMMENT 'Workspace folder.',
  etag STRING COMMENT 'The API\'s version tag.',
  serialized_space STRING COMMENT 'The configuration as it came, of texts that say the same, the first one.',
  config_hash STRING NOT NULL COMMENT 'SHA-256 of serialized_space without what is empty, whatever the order of its named objects.',
  create_time TIMESTAMP COMMENT 'Creation, where the API tells it.',
  update_time TIMESTAMP COMMENT 'Last change, where the API tells it.',
  valid_from TIMESTAMP NOT NULL COMMENT 'First look that found this configuration.',
  valid_to TIMESTAMP COMMENT 'First look that found another one, NULL while in force.',
  is_escaped BOOLEAN COMMENT 'Half characters in it, which UTF-8 cannot hold, stand escaped as in JSON.',
  section_hashes STRING COMMENT 'A short hash of each section that it has, as a JSON object.',
  changed_sections ARRAY<STRING> COMMENT 'What differs from the version before, NULL for the first one.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_space_versions PRIMARY KEY (workspace_id, space_id, config_hash, valid_from)
)
USING DELTA
COMMENT 'The history of every space: each distinct configuration and when it was in force.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,valid_from',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per space that could not be read.
CREATE TABLE IF NOT EXISTS main.genie_analytics.space_fetch_errors (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  error_type STRING COMMENT 'AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.',
  error_class STRING COMMENT 'The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD.',
  error_message STRING COMMENT 'What went wrong, with secrets scrubbed.',
  error_timestamp TIMESTAMP COMMENT 'Last failure.',
  retry_count INT COMMENT 'Failed attempts after the first.',
  resolved BOOLEAN COMMENT 'No further attempt is needed.',
  first_error_timestamp TIMESTAMP COMMENT 'First failure.',
  next_retry_timestamp TIMESTAMP COMMENT 'Earliest next attempt, NULL when none will be made.',
  resolved_timestamp TIMESTAMP COMMENT 'When it was resolved.',
  resolution STRING COMMENT 'FETCHED, DELETED, CLOSED or LEFT_OUT, GAVE_UP while parked, NULL while open.',
  http_status INT COMMENT 'HTTP status, where it is known.',
  error_code STRING COMMENT 'Databricks\' error_code, where the answer had one.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  CONSTRAINT pk_space_fetch_errors PRIMARY KEY (workspace_id, space_id)
)
USING DELTA
COMMENT 'The error ledger of spaces: why one could not be read, when it is tried again, how it ended.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,next_retry_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per apply of a plan to a space.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_space_applies (
  apply_id STRING NOT NULL COMMENT 'Names this apply.',
  workspace_id STRING COMMENT 'Workspace of the space.',
  space_id STRING COMMENT 'The space, of a new one, as soon as it is known.',
  title STRING COMMENT 'Its title, as planned.',
  action STRING COMMENT 'restore, promote or import.',
  source STRING COMMENT 'Where the wanted state came from.',
  plan_hash STRING COMMENT 'SHA-256 of all that the plan says.',
  applied_by STRING COMMENT 'Who was logged in, as far as Databricks tells it.',
  started_timestamp TIMESTAMP COMMENT 'When it began.',
  finished_timestamp TIMESTAMP COMMENT 'When it ended, NULL if it never did.',
  result STRING COMMENT 'BEGUN, APPLIED, ALREADY, PARTLY, REFUSED, UNVERIFIED or UNKNOWN.',
  message STRING COMMENT 'What was said about it, with secrets scrubbed.',
  etag_before STRING COMMENT 'The version tag that was reviewed.',
  config_hash_before STRING COMMENT 'Hash of the configuration that was reviewed, NULL for a new space.',
  config_hash_after STRING COMMENT 'Hash of the configuration that was planned.',
  permissions STRING COMMENT 'What became of the planned permissions: APPLIED, ALREADY, CHANGED (by others since), NOT SET or UNVERIFIED, NULL where none were planned or come to.',
  CONSTRAINT pk_genie_space_applies PRIMARY KEY (apply_id)
)
USING DELTA
COMMENT 'What `genie-assets spaces apply` did to spaces: who, when, from what, to what, and how it ended.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'apply_id,started_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per access of a principal to a space over time.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_space_permissions (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  principal_type STRING NOT NULL COMMENT 'USER, GROUP or SERVICE_PRINCIPAL.',
  principal STRING NOT NULL COMMENT 'E-mail address, name of the group, or application id.',
  permission_level STRING COMMENT 'The highest level: CAN_VIEW, CAN_RUN, CAN_EDIT or CAN_MANAGE.',
  is_inherited BOOLEAN COMMENT 'All that gives this level is inherited, from a folder or a role.',
  previous_level STRING COMMENT 'Level before this one, NULL if there was none.',
  is_widened BOOLEAN COMMENT 'More than before, false for what the first look at the space found.',
  valid_from TIMESTAMP NOT NULL COMMENT 'First look that found it.',
  valid_to TIMESTAMP COMMENT 'First look that found it changed or gone, NULL while in force.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_space_permissions PRIMARY KEY (workspace_id, space_id, principal_type, principal, valid_from)
)
USING DELTA
COMMENT 'Who may do what with a space, since when and until when, by its access list.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,valid_from',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per event of the audit log that changed a space.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_space_events (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space, a new one where one was made or copied.',
  event_id STRING NOT NULL COMMENT 'Names the event.',
  event_time TIMESTAMP NOT NULL COMMENT 'When it was done.',
  action_name STRING NOT NULL COMMENT 'The action as Databricks calls it.',
  event STRING NOT NULL COMMENT 'CREATED, UPDATED, TRASHED, DELETED or RESTORED.',
  actor STRING COMMENT 'Who did it: e-mail address or application id.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_space_events PRIMARY KEY (workspace_id, event_id)
)
USING DELTA
COMMENT 'Who made, changed, trashed, deleted or restored which space, and when.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,event_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per space whose conversations are compared with what is stored.
CREATE TABLE IF NOT EXISTS main.genie_analytics.reconciled_spaces (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  attempted_timestamp TIMESTAMP COMMENT 'When its list of conversations was last asked for.',
  listed_timestamp TIMESTAMP COMMENT 'When it was last read to the end: a walk begins with it.',
  walked_timestamp TIMESTAMP COMMENT 'When all conversations of such a list had been walked, NULL if never.',
  conversation_count LONG COMMENT 'Conversations of the last whole walk.',
  refused_count LONG COMMENT 'Of them, those of which no message is shown to us (PERMISSION).',
  failed_count LONG COMMENT 'Of them, those whose messages could not be listed for another reason.',
  message_count LONG COMMENT 'Messages asked since GENIE_FIRST_DAY that the API showed in them.',
  stored_count LONG COMMENT 'Of them, those that the audit log had shown or that were stored.',
  missing_count LONG COMMENT 'The others: they were entered in genie_messages_to_fetch.',
  error_class STRING COMMENT 'Why its conversations could not be listed, NULL if they could.',
  error_message STRING COMMENT 'Scrubbed text of that error.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_reconciled_spaces PRIMARY KEY (workspace_id, space_id)
)
USING DELTA
COMMENT 'How far reconciliation has come with each space, and what it found: the coverage.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per conversation that a space lists.
CREATE TABLE IF NOT EXISTS main.genie_analytics.reconciled_conversations (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  conversation_id STRING NOT NULL COMMENT 'Conversation.',
  created_timestamp LONG COMMENT 'When it was begun, epoch ms UTC.',
  listed_timestamp TIMESTAMP COMMENT 'When the space\'s list last named it.',
  attempted_timestamp TIMESTAMP COMMENT 'When its messages were last asked for.',
  walked_timestamp TIMESTAMP COMMENT 'When they were last listed to the end, NULL if never.',
  message_count LONG COMMENT 'Messages asked since GENIE_FIRST_DAY that the API showed then.',
  missing_count LONG COMMENT 'Of them, those that the audit log had not shown, and that were not stored.',
  error_class STRING COMMENT 'Why they could not be listed, NULL if they could.',
  error_message STRING COMMENT 'Scrubbed text of that error.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_reconciled_conversations PRIMARY KEY (workspace_id, space_id, conversation_id)
)
USING DELTA
COMMENT 'What reconciliation saw of each conversation that the API lists, it goes on from there.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per comment on a message.
CREATE TABLE IF NOT EXISTS main.genie_analytics.message_comments (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the message.',
  space_id STRING COMMENT 'Its space.',
  conversation_id STRING COMMENT 'Its conversation.',
  message_id STRING NOT NULL COMMENT 'The message.',
  comment_id STRING NOT NULL COMMENT 'The comment, a hash of what it says, if the API names none.',
  user_id STRING COMMENT 'Who wrote it, as the workspace numbers people.',
  content STRING COMMENT 'What it says.',
  comment_type STRING COMMENT 'FIX_IT or REQUEST_REVIEW, where the API says so, NULL elsewhere.',
  created_timestamp LONG COMMENT 'When it was written, epoch ms UTC.',
  is_deleted BOOLEAN COMMENT 'The comments of the message were listed to the end since, without it.',
  deleted_seen_timestamp TIMESTAMP COMMENT 'First look that did not find it, NULL while it is there.',
  first_seen_timestamp TIMESTAMP COMMENT 'First look that found it.',
  raw_json STRING COMMENT 'The comment as the API gave it, with all that is not known here, when a list last showed all of it.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_message_comments PRIMARY KEY (workspace_id, message_id, comment_id)
)
USING DELTA
COMMENT 'What people wrote about messages: comments, and requests for a review. They are as confidential as the questions. A comment that is gone stays, and says so.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id,message_id,comment_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per message whose comments were listed.
CREATE TABLE IF NOT EXISTS main.genie_analytics.message_comment_looks (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the message.',
  space_id STRING COMMENT 'Its space.',
  conversation_id STRING COMMENT 'Its conversation.',
  message_id STRING NOT NULL COMMENT 'The message.',
  event_comment_time TIMESTAMP COMMENT 'Latest event about its comments that was known then, just before it, if they are to be listed once more because another run listed them, too. NULL while they are being stored.',
  comment_count LONG COMMENT 'Comments that were listed.',
  api_fetch_timestamp TIMESTAMP COMMENT 'When they were asked for.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_message_comment_looks PRIMARY KEY (workspace_id, message_id)
)
USING DELTA
COMMENT 'How current message_comments is: which messages\' comments were listed to the end, and what for.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,message_id,event_comment_time',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per message whose comments could not be listed.
CREATE TABLE IF NOT EXISTS main.genie_analytics.comment_fetch_errors (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the message.',
  space_id STRING COMMENT 'Its space.',
  conversation_id STRING COMMENT 'Its conversation.',
  message_id STRING NOT NULL COMMENT 'The message.',
  error_type STRING COMMENT 'AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.',
  error_class STRING COMMENT 'The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD.',
  error_message STRING COMMENT 'What went wrong, with secrets scrubbed.',
  error_timestamp TIMESTAMP COMMENT 'Last failure.',
  retry_count INT COMMENT 'Failed attempts after the first.',
  resolved BOOLEAN COMMENT 'No further attempt is needed.',
  first_error_timestamp TIMESTAMP COMMENT 'First failure.',
  next_retry_timestamp TIMESTAMP COMMENT 'Earliest next attempt, NULL when none will be made.',
  resolved_timestamp TIMESTAMP COMMENT 'When it was resolved.',
  resolution STRING COMMENT 'FETCHED, DELETED, CLOSED or LEFT_OUT, GAVE_UP while parked, NULL while open.',
  http_status INT COMMENT 'HTTP status, where it is known.',
  error_code STRING COMMENT 'Databricks\' error_code, where the answer had one.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  CONSTRAINT pk_comment_fetch_errors PRIMARY KEY (workspace_id, message_id)
)
USING DELTA
COMMENT 'The error ledger of comments: why those on a message could not be listed, when they are tried again, how it ended.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,message_id,next_retry_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per conversation with an agent.
CREATE TABLE IF NOT EXISTS main.genie_analytics.agent_conversations (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the agent.',
  workspace_url STRING COMMENT 'Its address, as far as it is known.',
  space_id STRING COMMENT 'The agent, which is a Genie space.',
  conversation_id STRING NOT NULL COMMENT 'The conversation.',
  first_event_time TIMESTAMP COMMENT 'Earliest event that names an agent, NULL if only a list shows it.',
  last_event_time TIMESTAMP COMMENT 'Latest event that names an agent and is no read.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_agent_conversations PRIMARY KEY (workspace_id, conversation_id)
)
USING DELTA
COMMENT 'Which conversations are in agent mode, by the audit log or by the lists of reconciliation.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,conversation_id,last_event_time',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per step of a conversation with an agent.
CREATE TABLE IF NOT EXISTS main.genie_analytics.agent_items (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the agent.',
  space_id STRING COMMENT 'The agent, which is a Genie space.',
  conversation_id STRING NOT NULL COMMENT 'The conversation.',
  item_id STRING NOT NULL COMMENT 'The step, a hash of what it says, if the API names none.',
  item_ordinal INT COMMENT 'Its place in the conversation, the first one is 1.',
  item_type STRING COMMENT 'message, reasoning, function_call, function_call_output, or what is new.',
  item_role STRING COMMENT 'Of a message: who says it, user or assistant.',
  item_status STRING COMMENT 'How the step stands, where the API says so.',
  response_id STRING COMMENT 'The response that it belongs to, where the API says so.',
  call_id STRING COMMENT 'Of a call and its output: what joins the two.',
  function_name STRING COMMENT 'Of a call: what is called, such as execute_sql.',
  query_sql STRING COMMENT 'Of a call: the SQL among its arguments.',
  text_content STRING COMMENT 'What it says, or what came of a call, as Markdown.',
  created_timestamp LONG COMMENT 'When it was made, epoch ms UTC, where the API says so.',
  is_deleted BOOLEAN COMMENT 'The conversation was listed to the end since, without it.',
  deleted_seen_timestamp TIMESTAMP COMMENT 'First look that did not find it, NULL while it is there.',
  first_seen_timestamp TIMESTAMP COMMENT 'First look that found it.',
  raw_json STRING COMMENT 'The step as the API gave it, with all that is not known here, when a list last showed all of it.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_agent_items PRIMARY KEY (workspace_id, conversation_id, item_id)
)
USING DELTA
COMMENT 'How agents came to their answers: messages, reasoning, the SQL that they ran, what came of it. Steps are as confidential as the questions and may hold rows of data.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,conversation_id,item_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per conversation with an agent whose steps were listed.
CREATE TABLE IF NOT EXISTS main.genie_analytics.agent_conversation_looks (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the agent.',
  space_id STRING COMMENT 'The agent.',
  conversation_id STRING NOT NULL COMMENT 'The conversation.',
  event_time TIMESTAMP COMMENT 'Latest event whose response had surely ended when it was listed, just before it, if it is to be listed once more because another run listed it, too. NULL if none is known, and while steps are being stored.',
  item_count LONG COMMENT 'Steps that were listed.',
  api_fetch_timestamp TIMESTAMP COMMENT 'When they were asked for.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_agent_conversation_looks PRIMARY KEY (workspace_id, conversation_id)
)
USING DELTA
COMMENT 'How current agent_items is: which conversations\' steps were listed to the end, and what for.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,conversation_id,event_time',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per conversation with an agent whose steps could not be listed.
CREATE TABLE IF NOT EXISTS main.genie_analytics.agent_fetch_errors (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the agent.',
  space_id STRING COMMENT 'The agent.',
  conversation_id STRING NOT NULL COMMENT 'The conversation.',
  error_type STRING COMMENT 'AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.',
  error_class STRING COMMENT 'The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD.',
  error_message STRING COMMENT 'What went wrong, with secrets scrubbed.',
  error_timestamp TIMESTAMP COMMENT 'Last failure.',
  retry_count INT COMMENT 'Failed attempts after the first.',
  resolved BOOLEAN COMMENT 'No further attempt is needed.',
  first_error_timestamp TIMESTAMP COMMENT 'First failure.',
  next_retry_timestamp TIMESTAMP COMMENT 'Earliest next attempt, NULL when none will be made.',
  resolved_timestamp TIMESTAMP COMMENT 'When it was resolved.',
  resolution STRING COMMENT 'FETCHED, DELETED, CLOSED or LEFT_OUT, GAVE_UP while parked, NULL while open.',
  http_status INT COMMENT 'HTTP status, where it is known.',
  error_code STRING COMMENT 'Databricks\' error_code, where the answer had one.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  CONSTRAINT pk_agent_fetch_errors PRIMARY KEY (workspace_id, conversation_id)
)
USING DELTA
COMMENT 'The error ledger of agents\' steps: why those of a conversation could not be listed, when they are tried again, how it ended.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,conversation_id,next_retry_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per evaluation of a space.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_evaluation_runs (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  eval_run_id STRING NOT NULL COMMENT 'The evaluation.',
  status STRING COMMENT 'NOT_STARTED, RUNNING, DONE, EVALUATION_FAILED and others, as the API says.',
  created_timestamp LONG COMMENT 'When it was started, epoch ms UTC.',
  last_updated_timestamp LONG COMMENT 'When it was last changed, epoch ms UTC.',
  num_questions LONG COMMENT 'Benchmark questions that it asks.',
  num_done LONG COMMENT 'Of them, those that were answered.',
  num_correct LONG COMMENT 'Of them, those whose answer was found good.',
  num_needs_review LONG COMMENT 'Of them, those that a person has to judge.',
  run_by_user STRING COMMENT 'Who started it, as the workspace numbers people.',
  first_seen_timestamp TIMESTAMP COMMENT 'First look that found it.',
  results_kept_timestamp TIMESTAMP COMMENT 'Look that read the last of its results with all details that were still shown, NULL until then.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_evaluation_runs PRIMARY KEY (workspace_id, space_id, eval_run_id)
)
USING DELTA
COMMENT 'Evaluations: runs of a space\'s benchmark questions, with their counts. What is listed no more stays.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,eval_run_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per benchmark question of an evaluation.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_evaluation_results (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  eval_run_id STRING NOT NULL COMMENT 'The evaluation.',
  result_id STRING NOT NULL COMMENT 'The result.',
  benchmark_question_id STRING COMMENT 'Id of the question in the space\'s configuration.',
  question STRING COMMENT 'The question.',
  benchmark_answer STRING COMMENT 'The answer that the benchmark names.',
  status STRING COMMENT 'How far it came, as the API spells it.',
  assessment STRING COMMENT 'GOOD, BAD or NEEDS_REVIEW, a detail.',
  is_manual_assessment BOOLEAN COMMENT 'A person judged it, a detail.',
  assessment_reasons ARRAY<STRING> COMMENT 'Why it was judged so, sorted, a detail.',
  actual_response STRING COMMENT 'What Genie answered, as JSON, a detail.',
  expected_response STRING COMMENT 'What was expected, as JSON, a detail.',
  has_details BOOLEAN COMMENT 'Details were read, false where they were gone before.',
  run_updated_timestamp LONG COMMENT 'Last change of the evaluation when its details were read, epoch ms UTC, NULL without details.',
  first_seen_timestamp TIMESTAMP COMMENT 'First look that found it.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_evaluation_results PRIMARY KEY (workspace_id, space_id, eval_run_id, result_id)
)
USING DELTA
COMMENT 'What came of each benchmark question of an evaluation. Databricks shows the details for about a week, here they stay. They are as confidential as questions. Rows that the SQL gave are not kept.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,eval_run_id,result_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per space or evaluation that could not be read.
CREATE TABLE IF NOT EXISTS main.genie_analytics.evaluation_fetch_errors (
  workspace_id STRING NOT NULL COMMENT 'Workspace of the space.',
  space_id STRING NOT NULL COMMENT 'Genie space.',
  of_what STRING NOT NULL COMMENT 'RUNS: the space\'s evaluations, RESULTS: those of one evaluation.',
  thing_id STRING NOT NULL COMMENT 'The space, or the evaluation.',
  error_type STRING COMMENT 'AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.',
  error_class STRING COMMENT 'The finer class under error_type, for example NOT_FOUND or BAD_PAYLOAD.',
  error_message STRING COMMENT 'What went wrong, with secrets scrubbed.',
  error_timestamp TIMESTAMP COMMENT 'Last failure.',
  retry_count INT COMMENT 'Failed attempts after the first.',
  resolved BOOLEAN COMMENT 'No further attempt is needed.',
  first_error_timestamp TIMESTAMP COMMENT 'First failure.',
  next_retry_timestamp TIMESTAMP COMMENT 'Earliest next attempt, NULL when none will be made.',
  resolved_timestamp TIMESTAMP COMMENT 'When it was resolved.',
  resolution STRING COMMENT 'FETCHED, DELETED, CLOSED or LEFT_OUT, GAVE_UP while parked, NULL while open.',
  http_status INT COMMENT 'HTTP status, where it is known.',
  error_code STRING COMMENT 'Databricks\' error_code, where the answer had one.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  CONSTRAINT pk_evaluation_fetch_errors PRIMARY KEY (workspace_id, space_id, of_what, thing_id)
)
USING DELTA
COMMENT 'The error ledger of evaluations: why those of a space could not be listed, or why the results of one could not be read whole, when it is tried again, how it ended.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'workspace_id,space_id,thing_id,next_retry_timestamp',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

-- One row per endpoint of Databricks that a run asked.
CREATE TABLE IF NOT EXISTS main.genie_analytics.genie_run_costs (
  cost_date DATE NOT NULL COMMENT 'UTC day on which the run ended, or noted for the last time if it was killed.',
  run_id STRING NOT NULL COMMENT 'The run: the beginning of its id in Dagster, as in genie_fetch_runs.',
  endpoint STRING NOT NULL COMMENT 'Verb and path without ids, `others` for the endpoints of a run, the least asked, that there was no room to note one by one. `all`, in rows of versions that noted only the sums then.',
  job_name STRING NOT NULL COMMENT 'The job that it was a run of.',
  requests LONG COMMENT 'Requests that were sent, whatever came of them, a second try is one more.',
  answered_429 LONG COMMENT 'Of them, those answered with: slow down. NULL for `all`.',
  failed LONG COMMENT 'Of them, those without a good answer. NULL for `all`.',
  bytes LONG COMMENT 'Bodies of the answers, unpacked. NULL for `all`.',
  p50_ms LONG COMMENT 'Half of them were answered within so many ms. NULL for `all` and `others`.',
  p95_ms LONG COMMENT '95 in a hundred were answered within so many ms. NULL for `all` and `others`.',
  statement_ms LONG COMMENT 'Of statements: time from sending each until it had ended, that of a warehouse\'s start included. NULL for other endpoints.',
  result_rows LONG COMMENT 'Of statements: rows of their results that came. NULL for other endpoints.',
  result_bytes LONG COMMENT 'Of statements: bytes that it took to send them. NULL for other endpoints.',
  retries LONG COMMENT 'Requests that were sent because the one before had failed in passing. NULL for `all`, and in rows that are older than this column.',
  statements LONG COMMENT 'Of statements: how many were sent to a warehouse. NULL for other endpoints, and in rows that are older than this column.',
  ingestion_batch_id STRING COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp TIMESTAMP COMMENT 'When this row was written.',
  CONSTRAINT pk_genie_run_costs PRIMARY KEY (cost_date, run_id, endpoint)
)
USING DELTA
COMMENT 'What every run of every job cost: its requests to Databricks by endpoint, its SQL statements and their time. Of whole days, once a day, from what runs noted of themselves as they went: of a run whose process was killed, the last minute is missing.'
TBLPROPERTIES (
  'delta.dataSkippingStatsColumns' = 'cost_date,run_id',
  'delta.enableDeletionVectors' = 'false',
  'delta.logRetentionDuration' = 'interval 7 days',
  'delta.deletedFileRetentionDuration' = 'interval 2 days'
);

CREATE OR REPLACE VIEW main.genie_analytics.messages (
  workspace_id COMMENT 'Workspace in which the message was asked.',
  space_id COMMENT 'Genie space.',
  conversation_id COMMENT 'Conversation.',
  message_id COMMENT 'Message.',
  created_date COMMENT 'UTC date of created_timestamp.',
  space_name COMMENT 'Title of the space.',
  workspace_name COMMENT 'Name of the workspace.',
  content COMMENT 'The user\'s question.',
  status COMMENT 'COMPLETED, FAILED, CANCELLED, QUERY_RESULT_EXPIRED, or a running state.',
  created_timestamp COMMENT 'When it was asked, epoch ms UTC.',
  updated_timestamp COMMENT 'When Genie last changed it, epoch ms UTC.',
  attachments_count COMMENT 'Attachments of the answer, NULL while the API shows none.',
  query_sql COMMENT 'SQL of the last query attachment that has SQL.',
  statement_id COMMENT 'Its statement in query history.',
  api_fetch_timestamp COMMENT 'When the request that brought this answer was sent.',
  api_fetch_status COMMENT 'SUCCESS, or the class of the error that blocks a newer look.',
  api_fetch_error COMMENT 'Scrubbed text of that error.',
  user_id COMMENT 'Numeric workspace user id of the asker, as text.',
  user_email COMMENT 'Who asked, from the audit log.',
  conversation_position COMMENT '1 = first message of its conversation.',
  statements_count COMMENT 'Query attachments with a statement id.',
  response_time_ms COMMENT 'Last update minus creation at the first look that found it settled, ms.',
  feedback_rating COMMENT 'POSITIVE, NEGATIVE or NULL.',
  feedback_comment COMMENT 'Comment given with the rating.',
  error_type COMMENT 'Genie\'s own error type.',
  error_message COMMENT 'Genie\'s own error text.',
  content_withheld COMMENT 'The latest look showed less: answer and SQL are an earlier look\'s.',
  enrichment_status COMMENT 'PENDING, COMPLETE, NOT_APPLICABLE or EXPIRED.',
  is_deleted COMMENT 'The user deleted it in Genie, the row stays.',
  ingestion_batch_id COMMENT 'The atomic batch that wrote this row.',
  ingestion_timestamp COMMENT 'When this row was written.'
)
COMMENT 'What was asked, and what became of it, without what message_attachments holds? One row per message, join it with message_attachments on workspace_id and message_id.'
AS SELECT
  workspace_id,
  space_id,
  conversation_id,
  message_id,
  created_date,
  space_name,
  workspace_name,
  content,
  status,
  created_timestamp,
  updated_timestamp,
  attachments_count,
  query_sql,
  statement_id,
  api_fetch_timestamp,
  api_fetch_status,
  api_fetch_error,
  user_id,
  user_email,
  conversation_position,
  statements_count,
  response_time_ms,
  feedback_rating,
  feedback_comment,
  error_type,
  error_message,
  content_withheld,
  enrichment_status,
  is_deleted,
  ingestion_batch_id,
  ingestion_timestamp
FROM main.genie_analytics.message_details;
