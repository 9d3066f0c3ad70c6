-- Question: How do Genie's statements run: how long, how many from the cache, how much is read?
-- Grain: one row per day, workspace, space and warehouse with at least one answer that has a statement.
-- Coverage: is_day_loaded, known
-- Percentiles are nearest ranks, as in response_times.
-- Columns:
--   day DATE: UTC day.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   warehouse_id STRING: Warehouse; NULL while query history does not tell.
--   is_day_loaded BOOLEAN: The day was loaded; if not, there may be more than what is known.
--   statements LONG: Messages whose answer has a statement.
--   known LONG: Of them, those that query history knows.
--   finished LONG: Statements that finished.
--   failed LONG: Statements that failed.
--   canceled LONG: Statements that were cancelled.
--   cache_n LONG: Statements of which it is known whether the cache answered them.
--   from_cache LONG: Of them, those that it answered.
--   cache_share DOUBLE: from_cache / cache_n; NULL if there are none.
--   duration_n LONG: Statements whose duration is known.
--   duration_p50_ms LONG: 50 % of them are no longer than this, ms.
--   duration_p95_ms LONG: 95 %.
--   duration_p99_ms LONG: 99 %.
--   read_rows LONG: Rows read, as far as known.
--   read_bytes LONG: Bytes read, as far as known.
SELECT
  day,
  workspace_id,
  MAX(workspace_name) AS workspace_name,
  space_id,
  MAX(space_name) AS space_name,
  query_warehouse_id AS warehouse_id,
  MAX(is_day_loaded) AS is_day_loaded,
  COUNT(*) AS statements,
  COUNT(query_execution_status) AS known,
  COUNT(CASE WHEN query_execution_status = 'FINISHED' THEN 1 END) AS finished,
  COUNT(CASE WHEN query_execution_status = 'FAILED' THEN 1 END) AS failed,
  COUNT(CASE WHEN query_execution_status = 'CANCELED' THEN 1 END) AS canceled,
  COUNT(query_from_cache) AS cache_n,
  COUNT(CASE WHEN query_from_cache THEN 1 END) AS from_cache,
  CAST(COUNT(CASE WHEN query_from_cache THEN 1 END) AS DOUBLE) / NULLIF(COUNT(query_from_cache), 0) AS cache_share,
  COUNT(query_duration_ms) AS duration_n,
  CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY query_duration_ms) AS BIGINT) AS duration_p50_ms,
  CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY query_duration_ms) AS BIGINT) AS duration_p95_ms,
  CAST(PERCENTILE_DISC(0.99) WITHIN GROUP (ORDER BY query_duration_ms) AS BIGINT) AS duration_p99_ms,
  CAST(SUM(query_read_rows) AS BIGINT) AS read_rows,
  CAST(SUM(query_read_bytes) AS BIGINT) AS read_bytes
FROM message_overview
WHERE statement_id IS NOT NULL
GROUP BY day, workspace_id, space_id, query_warehouse_id
