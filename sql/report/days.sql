-- Each day of each choice.
SELECT
  m.day,
  m.workspace_id,
  m.space_id,
  COUNT(*) AS questions,
  COUNT(DISTINCT CASE WHEN m.user_kind <> 'SERVICE_PRINCIPAL' THEN m.user_key END) AS people,
  COUNT(CASE WHEN m.outcome = 'ANSWERED' THEN 1 END) AS answered,
  COUNT(CASE WHEN m.outcome = 'FAILED' THEN 1 END) AS failed,
  COUNT(m.response_time_ms) AS response_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY m.response_time_ms) AS response_p50_ms,
  PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY m.response_time_ms) AS response_p95_ms
FROM report_messages AS m
WHERE m.day BETWEEN ${first_shown_day} AND ${last_day}
GROUP BY GROUPING SETS ((m.day), (m.day, m.workspace_id), (m.day, m.workspace_id, m.space_id))
