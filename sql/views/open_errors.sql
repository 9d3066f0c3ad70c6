-- Question: What cannot be read now, why, since when, and when is it tried again?
-- Grain: one row per message or space with an open error.
-- Coverage: last_error_at
-- Columns:
--   of_what STRING: MESSAGE or SPACE.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   conversation_id STRING: Conversation; NULL for a space.
--   message_id STRING: Message; NULL for a space.
--   error_class STRING: The class, for example PERMISSION or TIMEOUT.
--   error_type STRING: AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.
--   error_message STRING: What went wrong, with secrets scrubbed.
--   first_error_at TIMESTAMP: First failure.
--   last_error_at TIMESTAMP: Last failure.
--   age_days LONG: Whole days since the first failure.
--   retry_count INT: Failed attempts after the first.
--   next_retry_at TIMESTAMP: Earliest next attempt; NULL when none will be made.
--   retry_state STRING: DUE, WAITING, or PARKED (its attempts are used up: see `genie-assets errors`).
WITH errors AS (
  SELECT
    'MESSAGE' AS of_what,
    workspace_id,
    space_id,
    conversation_id,
    message_id,
    error_class,
    error_type,
    error_message,
    first_error_timestamp,
    error_timestamp,
    retry_count,
    next_retry_timestamp
  FROM message_fetch_errors
  WHERE NOT resolved
  UNION ALL
  SELECT
    'SPACE' AS of_what,
    workspace_id,
    space_id,
    CAST(NULL AS STRING) AS conversation_id,
    CAST(NULL AS STRING) AS message_id,
    error_class,
    error_type,
    error_message,
    first_error_timestamp,
    error_timestamp,
    retry_count,
    next_retry_timestamp
  FROM space_fetch_errors
  WHERE NOT resolved
)
SELECT
  e.of_what,
  e.workspace_id,
  w.workspace_name,
  e.space_id,
  s.title AS space_name,
  e.conversation_id,
  e.message_id,
  e.error_class,
  e.error_type,
  e.error_message,
  e.first_error_timestamp AS first_error_at,
  e.error_timestamp AS last_error_at,
  CAST(
    FLOOR((UNIX_MILLIS(CURRENT_TIMESTAMP()) - UNIX_MILLIS(e.first_error_timestamp)) / 86400000) AS BIGINT
  ) AS age_days,
  e.retry_count,
  e.next_retry_timestamp AS next_retry_at,
  CASE
    WHEN e.next_retry_timestamp IS NULL THEN 'PARKED'
    WHEN e.next_retry_timestamp <= CURRENT_TIMESTAMP() THEN 'DUE'
    ELSE 'WAITING'
  END AS retry_state
FROM errors AS e
LEFT JOIN workspaces AS w ON w.workspace_id = e.workspace_id
LEFT JOIN genie_space_details AS s ON s.workspace_id = e.workspace_id AND s.space_id = e.space_id
