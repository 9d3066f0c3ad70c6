-- Every key figure of every choice: of each period all together, each workspace, each space.
-- Percentiles are nearest ranks: the smallest value that so many per cent of the values do not exceed.
WITH asked AS (
  SELECT
    m.*,
    s.is_without_sql,
    s.is_empty_result,
    s.is_clarification,
    s.is_rephrased,
    s.is_abandoned
  FROM message_overview AS m
  INNER JOIN question_signals AS s ON s.workspace_id = m.workspace_id AND s.message_id = m.message_id
  WHERE m.day BETWEEN ${first_day} AND ${last_day}
)
SELECT
  p.period,
  a.workspace_id,
  a.space_id,
  COUNT(*) AS questions,
  COUNT(DISTINCT STRUCT(a.workspace_id, a.conversation_id)) AS conversations,
  COUNT(DISTINCT CASE WHEN a.user_kind <> 'SERVICE_PRINCIPAL' THEN a.user_key END) AS people,
  COUNT(DISTINCT CASE WHEN a.user_kind = 'SERVICE_PRINCIPAL' THEN a.user_key END) AS service_principals,
  COUNT(CASE WHEN a.outcome = 'ANSWERED' THEN 1 END) AS answered,
  COUNT(CASE WHEN a.outcome = 'FAILED' THEN 1 END) AS failed,
  COUNT(CASE WHEN a.outcome = 'CANCELLED' THEN 1 END) AS cancelled,
  COUNT(CASE WHEN a.outcome = 'UNSETTLED' THEN 1 END) AS unsettled,
  COUNT(CASE WHEN a.outcome = 'WITHHELD' THEN 1 END) AS withheld,
  COUNT(CASE WHEN a.outcome = 'DELETED' THEN 1 END) AS deleted,
  COUNT(CASE WHEN a.is_judged THEN 1 END) AS judged,
  COUNT(CASE WHEN a.is_judged THEN a.rating END) AS rated,
  COUNT(CASE WHEN a.is_judged AND a.rating = 'POSITIVE' THEN 1 END) AS positive,
  COUNT(CASE WHEN a.is_judged AND a.rating = 'NEGATIVE' THEN 1 END) AS negative,
  COUNT(a.comment) AS commented,
  COUNT(CASE WHEN a.conversation_position = 1 AND a.is_judged THEN 1 END) AS first_judged,
  COUNT(CASE WHEN a.conversation_position = 1 AND a.outcome = 'ANSWERED' THEN 1 END) AS first_answered,
  COUNT(a.is_rephrased) AS rephrased_n,
  COUNT(CASE WHEN a.is_rephrased THEN 1 END) AS rephrased,
  COUNT(a.is_without_sql) AS without_sql_n,
  COUNT(CASE WHEN a.is_without_sql THEN 1 END) AS without_sql,
  COUNT(a.is_empty_result) AS empty_result_n,
  COUNT(CASE WHEN a.is_empty_result THEN 1 END) AS empty_result,
  COUNT(a.is_clarification) AS clarification_n,
  COUNT(CASE WHEN a.is_clarification THEN 1 END) AS clarification,
  COUNT(a.is_abandoned) AS abandoned_n,
  COUNT(CASE WHEN a.is_abandoned THEN 1 END) AS abandoned,
  COUNT(a.response_time_ms) AS response_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a.response_time_ms) AS response_p50_ms,
  PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY a.response_time_ms) AS response_p95_ms,
  COUNT(a.thinking_time_ms) AS thinking_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a.thinking_time_ms) AS thinking_p50_ms,
  COUNT(a.query_wait_ms) AS wait_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a.query_wait_ms) AS wait_p50_ms,
  COUNT(a.query_compile_ms) AS compile_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a.query_compile_ms) AS compile_p50_ms,
  COUNT(a.query_execution_ms) AS execution_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a.query_execution_ms) AS execution_p50_ms,
  COUNT(a.query_fetch_ms) AS fetch_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a.query_fetch_ms) AS fetch_p50_ms,
  COUNT(a.query_from_cache) AS cache_n,
  COUNT(CASE WHEN a.query_from_cache THEN 1 END) AS from_cache
FROM ${periods} AS p
INNER JOIN asked AS a ON a.day BETWEEN p.first_day AND p.last_day
GROUP BY GROUPING SETS (
  (p.period),
  (p.period, a.workspace_id),
  (p.period, a.workspace_id, a.space_id)
)
