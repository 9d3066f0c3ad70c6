-- Questions worth reading, the first ${most} of each space: failed, disliked and rephrased ones from the newest on,
-- and the slowest of each period.
WITH asked AS (
  SELECT
    m.*,
    s.is_rephrased
  FROM message_overview AS m
  INNER JOIN question_signals AS s ON s.workspace_id = m.workspace_id AND s.message_id = m.message_id
  WHERE m.day BETWEEN ${first_day} AND ${last_day}
),
chosen AS (
  SELECT 'failed' AS kind, CAST(NULL AS STRING) AS period, UNIX_MILLIS(asked_at) AS weight, * FROM asked
  WHERE outcome = 'FAILED'
  UNION ALL
  SELECT 'disliked' AS kind, CAST(NULL AS STRING) AS period, UNIX_MILLIS(asked_at) AS weight, * FROM asked
  WHERE is_judged AND rating = 'NEGATIVE'
  UNION ALL
  SELECT 'rephrased' AS kind, CAST(NULL AS STRING) AS period, UNIX_MILLIS(asked_at) AS weight, * FROM asked
  WHERE is_rephrased
  UNION ALL
  SELECT 'slow' AS kind, p.period, a.response_time_ms AS weight, a.*
  FROM ${periods} AS p
  INNER JOIN asked AS a ON a.day BETWEEN p.first_day AND p.last_day
  WHERE p.is_shown AND a.response_time_ms IS NOT NULL
),
ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY kind, period, workspace_id, space_id ORDER BY weight DESC, message_id
    ) AS place
  FROM chosen
)
SELECT
  kind,
  period,
  day,
  asked_at,
  workspace_id,
  space_id,
  message_id,
  user_key,
  user_kind,
  question,
  comment,
  error_type,
  response_time_ms,
  genie_url
FROM ranked
WHERE place <= ${most}
ORDER BY weight DESC, message_id
