-- Question: How long do answers take, and where does the time go?
-- Grain: one row per day, workspace and space with at least one answered message.
-- Coverage: is_day_loaded; each percentile with the number of messages that it is computed from
-- Percentiles are nearest ranks: the smallest time that at least so many per cent of the times do not exceed.
-- Columns:
--   day DATE: UTC day.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   is_day_loaded BOOLEAN: The day was loaded; if not, there may be more than what is known.
--   answered LONG: Answered messages.
--   response_n LONG: Of them, those whose response time is known: from asking to the end of the answer.
--   response_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   response_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   response_p99_ms LONG: 99 % of these times are no longer than this, ms.
--   thinking_n LONG: Of them, those whose thinking time is known: Genie's own share, without its statements.
--   thinking_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   thinking_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   thinking_p99_ms LONG: 99 % of these times are no longer than this, ms.
--   sql_n LONG: Of them, those whose sql time is known: all statements of the answer together.
--   sql_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   sql_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   sql_p99_ms LONG: 99 % of these times are no longer than this, ms.
--   wait_n LONG: Of them, those whose wait time is known: the answer's statement waiting for compute.
--   wait_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   wait_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   wait_p99_ms LONG: 99 % of these times are no longer than this, ms.
--   compile_n LONG: Of them, those whose compile time is known: compiling it.
--   compile_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   compile_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   compile_p99_ms LONG: 99 % of these times are no longer than this, ms.
--   execution_n LONG: Of them, those whose execution time is known: executing it.
--   execution_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   execution_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   execution_p99_ms LONG: 99 % of these times are no longer than this, ms.
--   fetch_n LONG: Of them, those whose fetch time is known: fetching its result.
--   fetch_p50_ms LONG: 50 % of these times are no longer than this, ms.
--   fetch_p95_ms LONG: 95 % of these times are no longer than this, ms.
--   fetch_p99_ms LONG: 99 % of these times are no longer than this, ms.
SELECT
  day,
  workspace_id,
  MAX(workspace_name) AS workspace_name,
  space_id,
  MAX(space_name) AS space_name,
  MAX(is_day_loaded) AS is_day_loaded,
  COUNT(*) AS answered,
  COUNT(response_time_ms) AS response_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY response_time_ms) AS BIGINT) AS response_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY response_time_ms) AS BIGINT) AS response_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY response_time_ms) AS BIGINT) AS response_p99_ms,
  COUNT(thinking_time_ms) AS thinking_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY thinking_time_ms) AS BIGINT) AS thinking_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY thinking_time_ms) AS BIGINT) AS thinking_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY thinking_time_ms) AS BIGINT) AS thinking_p99_ms,
  COUNT(sql_time_ms) AS sql_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY sql_time_ms) AS BIGINT) AS sql_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY sql_time_ms) AS BIGINT) AS sql_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY sql_time_ms) AS BIGINT) AS sql_p99_ms,
  COUNT(query_wait_ms) AS wait_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY query_wait_ms) AS BIGINT) AS wait_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY query_wait_ms) AS BIGINT) AS wait_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY query_wait_ms) AS BIGINT) AS wait_p99_ms,
  COUNT(query_compile_ms) AS compile_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY query_compile_ms) AS BIGINT) AS compile_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY query_compile_ms) AS BIGINT) AS compile_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY query_compile_ms) AS BIGINT) AS compile_p99_ms,
  COUNT(query_execution_ms) AS execution_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY query_execution_ms) AS BIGINT) AS execution_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY query_execution_ms) AS BIGINT) AS execution_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY query_execution_ms) AS BIGINT) AS execution_p99_ms,
  COUNT(query_fetch_ms) AS fetch_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY query_fetch_ms) AS BIGINT) AS fetch_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY query_fetch_ms) AS BIGINT) AS fetch_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY query_fetch_ms) AS BIGINT) AS fetch_p99_ms
FROM message_overview
WHERE outcome = 'ANSWERED'
GROUP BY day, workspace_id, space_id
