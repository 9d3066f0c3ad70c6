-- Questions worth reading, the first ${most} of each space: failed, disliked and rephrased ones from the newest on,
-- and the slowest of each period.
WITH chosen AS (
  SELECT 'failed' AS kind, CAST(NULL AS STRING) AS period, UNIX_MILLIS(asked_at) AS weight, * FROM report_messages
  WHERE outcome = 'FAILED'
  UNION ALL
  SELECT 'disliked' AS kind, CAST(NULL AS STRING) AS period, UNIX_MILLIS(asked_at) AS weight, * FROM report_messages
  WHERE is_judged AND rating = 'NEGATIVE'
  UNION ALL
  SELECT 'rephrased' AS kind, CAST(NULL AS STRING) AS period, UNIX_MILLIS(asked_at) AS weight, * FROM report_messages
  WHERE is_rephrased
  UNION ALL
  SELECT 'slow' AS kind, p.period, a.response_time_ms AS weight, a.*
  FROM ${periods} AS p
  INNER JOIN report_messages AS a ON a.day BETWEEN p.first_day AND p.last_day
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
  r.kind,
  r.period,
  r.day,
  r.asked_at,
  r.workspace_id,
  r.space_id,
  r.message_id,
  r.user_key,
  r.user_kind,
  m.question,
  m.comment,
  r.error_type,
  r.response_time_ms,
  m.genie_url
FROM ranked AS r
INNER JOIN message_overview AS m ON m.workspace_id = r.workspace_id AND m.message_id = r.message_id
WHERE r.place <= ${most}
ORDER BY r.weight DESC, r.message_id, r.kind, r.period
