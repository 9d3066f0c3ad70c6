-- Every message of the report's days with its signals, in the few columns that the other statements read. Times are
-- whole numbers of 32 bits, which spares much memory: what took longer than 24 days is shown as 24 days.
SELECT
  m.day,
  m.asked_at,
  m.workspace_id,
  m.space_id,
  m.conversation_position,
  LAG(m.day) OVER (
    PARTITION BY m.workspace_id, m.conversation_id ORDER BY m.day, m.conversation_position, m.message_id
  ) AS previous_day,
  m.message_id,
  m.user_key,
  m.user_kind,
  m.outcome,
  m.is_judged,
  m.error_type,
  m.error_group,
  m.rating,
  m.comment IS NOT NULL AS is_commented,
  CAST(CASE WHEN m.response_time_ms > 2147483647 THEN 2147483647 ELSE m.response_time_ms END AS INT) AS response_time_ms,
  CAST(CASE WHEN m.thinking_time_ms > 2147483647 THEN 2147483647 ELSE m.thinking_time_ms END AS INT) AS thinking_time_ms,
  CAST(CASE WHEN m.query_wait_ms > 2147483647 THEN 2147483647 ELSE m.query_wait_ms END AS INT) AS query_wait_ms,
  CAST(CASE WHEN m.query_compile_ms > 2147483647 THEN 2147483647 ELSE m.query_compile_ms END AS INT) AS query_compile_ms,
  CAST(CASE WHEN m.query_execution_ms > 2147483647 THEN 2147483647 ELSE m.query_execution_ms END AS INT) AS query_execution_ms,
  CAST(CASE WHEN m.query_fetch_ms > 2147483647 THEN 2147483647 ELSE m.query_fetch_ms END AS INT) AS query_fetch_ms,
  m.query_from_cache,
  s.is_without_sql,
  s.is_empty_result,
  s.is_clarification,
  s.is_rephrased,
  s.is_abandoned
FROM message_overview AS m
INNER JOIN question_signals AS s ON s.workspace_id = m.workspace_id AND s.message_id = m.message_id
WHERE m.day BETWEEN ${first_day} AND ${last_day}
