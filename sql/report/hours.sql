-- When people ask, and how long answers take then, by the hour of the day in the zone of the report.
SELECT
  p.period,
  m.workspace_id,
  m.space_id,
  HOUR(CONVERT_TIMEZONE('UTC', ${time_zone}, m.asked_at)) AS hour,
  COUNT(*) AS questions,
  COUNT(m.response_time_ms) AS response_n,
  PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY m.response_time_ms) AS response_p50_ms
FROM ${periods} AS p
INNER JOIN report_messages AS m ON m.day BETWEEN p.first_day AND p.last_day
WHERE p.is_shown
GROUP BY GROUPING SETS (
  (p.period, HOUR(CONVERT_TIMEZONE('UTC', ${time_zone}, m.asked_at))),
  (p.period, m.workspace_id, HOUR(CONVERT_TIMEZONE('UTC', ${time_zone}, m.asked_at))),
  (p.period, m.workspace_id, m.space_id, HOUR(CONVERT_TIMEZONE('UTC', ${time_zone}, m.asked_at)))
)
ORDER BY hour
