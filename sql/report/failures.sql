-- What Genie fails with, of each choice.
SELECT
  p.period,
  m.workspace_id,
  m.space_id,
  COALESCE(m.error_group, 'OTHER') AS error_group,
  COALESCE(m.error_type, 'not named') AS error_type,
  COUNT(*) AS failed,
  COUNT(DISTINCT m.user_key) AS users
FROM ${periods} AS p
INNER JOIN report_messages AS m ON m.day BETWEEN p.first_day AND p.last_day
WHERE p.is_shown AND m.outcome = 'FAILED'
GROUP BY GROUPING SETS (
  (p.period, COALESCE(m.error_group, 'OTHER'), COALESCE(m.error_type, 'not named')),
  (p.period, m.workspace_id, COALESCE(m.error_group, 'OTHER'), COALESCE(m.error_type, 'not named')),
  (p.period, m.workspace_id, m.space_id, COALESCE(m.error_group, 'OTHER'), COALESCE(m.error_type, 'not named'))
)
ORDER BY failed DESC, error_type
