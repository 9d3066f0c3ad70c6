-- Question: What was asked, and what became of it, without what message_attachments holds?
-- Grain: one row per message; join it with message_attachments on workspace_id and message_id.
-- Coverage: api_fetch_status
-- Columns:
--   workspace_id STRING: Workspace in which the message was asked.
--   space_id STRING: Genie space.
--   conversation_id STRING: Conversation.
--   message_id STRING: Message.
--   created_date DATE: UTC date of created_timestamp.
--   space_name STRING: Title of the space.
--   workspace_name STRING: Name of the workspace.
--   content STRING: The user's question.
--   status STRING: COMPLETED, FAILED, CANCELLED, QUERY_RESULT_EXPIRED, or a running state.
--   created_timestamp LONG: When it was asked, epoch ms UTC.
--   updated_timestamp LONG: When Genie last changed it, epoch ms UTC.
--   attachments_count INT: Attachments of the answer; NULL while the API shows none.
--   query_sql STRING: SQL of the last query attachment that has SQL.
--   statement_id STRING: Its statement in query history.
--   api_fetch_timestamp TIMESTAMP: When the request that brought this answer was sent.
--   api_fetch_status STRING: SUCCESS, or the class of the error that blocks a newer look.
--   api_fetch_error STRING: Scrubbed text of that error.
--   user_id STRING: Numeric workspace user id of the asker, as text.
--   user_email STRING: Who asked, from the audit log.
--   conversation_position INT: 1 = first message of its conversation.
--   statements_count INT: Query attachments with a statement id.
--   response_time_ms LONG: Last update minus creation at the first look that found it settled, ms.
--   feedback_rating STRING: POSITIVE, NEGATIVE or NULL.
--   feedback_comment STRING: Comment given with the rating.
--   error_type STRING: Genie's own error type.
--   error_message STRING: Genie's own error text.
--   content_withheld BOOLEAN: The latest look showed less: answer and SQL are an earlier look's.
--   enrichment_status STRING: PENDING, COMPLETE, NOT_APPLICABLE or EXPIRED.
--   is_deleted BOOLEAN: The user deleted it in Genie; the row stays.
--   ingestion_batch_id STRING: The atomic batch that wrote this row.
--   ingestion_timestamp TIMESTAMP: When this row was written.
SELECT
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
FROM message_details
