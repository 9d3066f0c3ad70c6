-- Question: What was asked, what was answered, how long did it take, and how can it be opened in Genie?
-- Grain: one row per message.
-- Coverage: is_day_loaded
-- Columns:
--   day DATE: UTC day on which it was asked.
--   asked_at TIMESTAMP: When it was asked.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   conversation_id STRING: Conversation.
--   conversation_position INT: 1 = first message of its conversation.
--   message_id STRING: Message.
--   user_key STRING: Who asked: the e-mail or application id in small letters, else the numeric id; NULL if nobody knows.
--   user_kind STRING: PERSON, SERVICE_PRINCIPAL (one may stand for many people), or UNKNOWN (only a numeric id).
--   question STRING: The question.
--   answer_text STRING: The answer in words.
--   query_title STRING: Title of the answer's query.
--   query_sql STRING: Its SQL.
--   has_sql BOOLEAN: The answer has SQL.
--   statement_id STRING: Its statement in query history.
--   query_row_count LONG: Rows of its result.
--   status STRING: Genie's status.
--   outcome STRING: ANSWERED, FAILED, CANCELLED, UNSETTLED, WITHHELD (no part of the answer is shown) or DELETED.
--   is_judged BOOLEAN: It was answered or failed: rates are computed from these messages.
--   is_hidden_now BOOLEAN: The latest look showed less of the answer than an earlier one, which is what stands here.
--   is_result_expired BOOLEAN: It was answered, and its result set is gone by now.
--   error_type STRING: Genie's error type.
--   error_group STRING: THROTTLING, SQL, ACCESS, CONTEXT, MODEL, USER ACTION or OTHER; NULL without an error.
--   error_message STRING: Genie's error text.
--   rating STRING: POSITIVE, NEGATIVE or NULL.
--   comment STRING: Comment given with the rating.
--   attachments_count INT: Attachments of the answer; NULL while the API shows none.
--   statements_count INT: Queries of the answer with a statement.
--   response_time_ms LONG: From asking to the end of the answer, ms.
--   sql_time_ms LONG: All its statements together, ms; NULL unless all are known.
--   thinking_time_ms LONG: response_time_ms without sql_time_ms; NULL if either is unknown or they do not fit.
--   query_duration_ms LONG: Total duration of the answer's statement, ms.
--   query_wait_ms LONG: Of it, waiting for compute, ms.
--   query_compile_ms LONG: Compiling, ms.
--   query_execution_ms LONG: Executing, ms.
--   query_fetch_ms LONG: Fetching the result, ms.
--   query_execution_status STRING: FINISHED, FAILED or CANCELED.
--   query_from_cache BOOLEAN: Answered from the result cache.
--   query_read_rows LONG: Rows read.
--   query_read_bytes LONG: Bytes read.
--   query_warehouse_id STRING: Warehouse.
--   genie_url STRING: The conversation in Genie; NULL where its parts make no safe address.
--   is_day_loaded BOOLEAN: The day was loaded; if not, the message came along with another one's conversation.
WITH addresses AS (
  SELECT workspace_id, workspace_url
  FROM workspaces
  WHERE workspace_url LIKE 'http%://%' AND NOT workspace_url RLIKE '[^A-Za-z0-9.:/-]'
    AND NOT workspace_id RLIKE '[^0-9]'
),
users AS (
  SELECT workspace_id, user_id, MAX(LOWER(user_email)) AS user_email
  FROM message_details
  WHERE user_email IS NOT NULL
  GROUP BY workspace_id, user_id
),
statements AS (
  SELECT
    created_date,
    workspace_id,
    message_id,
    COUNT(statement_id) AS statements,
    COUNT(query_duration_ms) AS timed,
    CAST(SUM(query_duration_ms) AS BIGINT) AS duration_ms
  FROM message_attachments
  WHERE statement_id IS NOT NULL
  GROUP BY created_date, workspace_id, message_id
),
judged AS (
  SELECT
    m.created_date,
    m.created_timestamp,
    m.workspace_id,
    m.workspace_name,
    m.space_id,
    m.space_name,
    m.conversation_id,
    m.conversation_position,
    m.message_id,
    m.user_id,
    m.content,
    m.answer_text,
    m.query_title,
    m.query_sql,
    m.statement_id,
    m.query_row_count,
    m.status,
    m.content_withheld,
    m.error_type,
    m.error_message,
    m.feedback_rating,
    m.feedback_comment,
    m.attachments_count,
    m.statements_count,
    m.response_time_ms,
    m.query_duration_ms,
    m.query_wait_ms,
    m.query_compile_ms,
    m.query_execution_ms,
    m.query_fetch_ms,
    m.query_execution_status,
    m.query_from_cache,
    m.query_read_rows,
    m.query_read_bytes,
    m.query_warehouse_id,
    CASE
      WHEN m.is_deleted THEN 'DELETED'
      WHEN m.status = 'FAILED' THEN 'FAILED'
      WHEN m.status = 'CANCELLED' THEN 'CANCELLED'
      WHEN m.status IN ('COMPLETED', 'QUERY_RESULT_EXPIRED') AND m.attachments_count IS NULL THEN 'WITHHELD'
      WHEN m.status IN ('COMPLETED', 'QUERY_RESULT_EXPIRED') THEN 'ANSWERED'
      ELSE 'UNSETTLED'
    END AS outcome,
    COALESCE(LOWER(m.user_email), u.user_email) AS known_email,
    CASE
      WHEN m.statements_count = 0 THEN 0
      WHEN s.statements = s.timed THEN s.duration_ms
    END AS sql_time_ms
  FROM message_details AS m
  LEFT JOIN users AS u ON u.workspace_id = m.workspace_id AND u.user_id = m.user_id
  -- By the day, too: who asks for few days reads the attachments of these days only.
  LEFT JOIN statements AS s
    ON s.created_date = m.created_date AND s.workspace_id = m.workspace_id AND s.message_id = m.message_id
)
SELECT
  j.created_date AS day,
  TIMESTAMP_MILLIS(j.created_timestamp) AS asked_at,
  j.workspace_id,
  j.workspace_name,
  j.space_id,
  j.space_name,
  j.conversation_id,
  j.conversation_position,
  j.message_id,
  COALESCE(j.known_email, j.user_id) AS user_key,
  CASE
    WHEN j.known_email LIKE '%@%' THEN 'PERSON'
    WHEN j.known_email IS NOT NULL THEN 'SERVICE_PRINCIPAL'
    WHEN j.user_id IS NOT NULL THEN 'UNKNOWN'
  END AS user_kind,
  j.content AS question,
  j.answer_text,
  j.query_title,
  j.query_sql,
  j.query_sql IS NOT NULL AS has_sql,
  j.statement_id,
  j.query_row_count,
  j.status,
  j.outcome,
  j.outcome IN ('ANSWERED', 'FAILED') AS is_judged,
  COALESCE(j.content_withheld, FALSE) AS is_hidden_now,
  j.outcome = 'ANSWERED' AND j.status = 'QUERY_RESULT_EXPIRED' AS is_result_expired,
  j.error_type,
  CASE
    WHEN j.error_type IS NULL THEN NULL
    WHEN j.error_type LIKE 'RATE_LIMIT%' OR j.error_type LIKE 'BUDGET_%' OR j.error_type LIKE 'PAY_PER_TOKEN_%'
      THEN 'THROTTLING'
    WHEN j.error_type LIKE 'MESSAGE_%_WHILE_EXECUTING_EXCEPTION' OR j.error_type LIKE 'STOP_PROCESS_%'
      THEN 'USER ACTION'
    WHEN j.error_type LIKE '%WAREHOUSE_%' OR j.error_type LIKE '%PERMISSION_DENIED%'
      OR j.error_type IN ('TABLES_MISSING_EXCEPTION', 'NO_TABLES_TO_QUERY_EXCEPTION')
      THEN 'ACCESS'
    WHEN j.error_type LIKE '%SQL%' OR j.error_type LIKE 'DESCRIBE_QUERY_%' THEN 'SQL'
    WHEN j.error_type LIKE '%CONTEXT_EXCEEDED_%' OR j.error_type LIKE '%TOO_LONG%'
      OR j.error_type IN ('EXCEEDED_MAX_TOKEN_LENGTH_EXCEPTION', 'TOO_MANY_TABLES_EXCEPTION')
      THEN 'CONTEXT'
    WHEN j.error_type LIKE 'CHAT_COMPLETION_%' OR j.error_type LIKE '%REPLY_PROCESS_%'
      OR j.error_type IN (
        'CONTENT_FILTER_EXCEPTION', 'UNKNOWN_AI_MODEL', 'RETRYABLE_PROCESSING_EXCEPTION'
      )
      THEN 'MODEL'
    ELSE 'OTHER'
  END AS error_group,
  j.error_message,
  j.feedback_rating AS rating,
  j.feedback_comment AS comment,
  j.attachments_count,
  j.statements_count,
  j.response_time_ms,
  j.sql_time_ms,
  CASE WHEN j.response_time_ms >= j.sql_time_ms THEN j.response_time_ms - j.sql_time_ms END AS thinking_time_ms,
  j.query_duration_ms,
  j.query_wait_ms,
  j.query_compile_ms,
  j.query_execution_ms,
  j.query_fetch_ms,
  j.query_execution_status,
  j.query_from_cache,
  j.query_read_rows,
  j.query_read_bytes,
  j.query_warehouse_id,
  CASE
    -- Without an address, nothing comes of it.
    WHEN NOT j.space_id RLIKE '[^A-Za-z0-9_-]' AND NOT j.conversation_id RLIKE '[^A-Za-z0-9_-]'
      THEN CONCAT(
        a.workspace_url, '/genie/rooms/', j.space_id, '/chats/', j.conversation_id, '?o=', j.workspace_id
      )
  END AS genie_url,
  COALESCE(c.is_loaded, FALSE) AS is_day_loaded
FROM judged AS j
LEFT JOIN addresses AS a ON a.workspace_id = j.workspace_id
LEFT JOIN calendar AS c ON c.day = j.created_date
