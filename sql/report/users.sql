-- Who asks most, of each choice: the first ${most}.
WITH counted AS (
  SELECT
    p.period,
    m.workspace_id,
    m.space_id,
    m.user_key,
    MAX(m.user_kind) AS user_kind,
    COUNT(*) AS questions,
    COUNT(DISTINCT STRUCT(m.workspace_id, m.space_id)) AS spaces,
    COUNT(CASE WHEN m.outcome = 'ANSWERED' THEN 1 END) AS answered,
    COUNT(CASE WHEN m.is_judged THEN 1 END) AS judged,
    MAX(m.day) AS last_day
  FROM ${periods} AS p
  INNER JOIN report_messages AS m ON m.day BETWEEN p.first_day AND p.last_day
  WHERE p.is_shown AND m.user_key IS NOT NULL
  GROUP BY GROUPING SETS (
    (p.period, m.user_key),
    (p.period, m.workspace_id, m.user_key),
    (p.period, m.workspace_id, m.space_id, m.user_key)
  )
),
ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY period, workspace_id, space_id ORDER BY questions DESC, user_key
    ) AS place
  FROM counted
)
SELECT period, workspace_id, space_id, user_key, user_kind, questions, spaces, answered, judged, last_day
FROM ranked
WHERE place <= ${most}
ORDER BY place
