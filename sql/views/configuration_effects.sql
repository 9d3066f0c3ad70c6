-- Question: Did a change of a space's configuration make its answers better or worse, or can that not be told?
-- Grain: one row per change of a space's configuration and measure: SUCCESS, POSITIVE RATING, RESPONSE TIME.
-- Coverage: messages_before, messages_after, days_not_loaded
-- Compared are up to fourteen days on each side, cut where another change lies. A space that does not tell when it
-- was changed was changed within the day before a look found it: that day is left out.
-- BETTER and WORSE say that the difference is beyond chance: of a hundred changes without any effect, five would
-- be called so. Shares by the z-test with Yates' correction, times by Welch's test on their logarithms. It is TOO
-- FEW with fewer than thirty messages on a side, or fewer than five to be expected of the rarer kind. Other things
-- that changed at the same time, such as who asks, are not told apart from the configuration.
-- Columns:
--   workspace_id STRING: Workspace.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   found_at TIMESTAMP: First look that found the new configuration.
--   changed_at TIMESTAMP: When the space says that it was changed; NULL where it tells no time that fits.
--   changed_sections ARRAY<STRING>: What differs from the configuration before.
--   before_from TIMESTAMP: From then on, messages count as before the change.
--   before_until TIMESTAMP: Until then, exclusive.
--   after_from TIMESTAMP: From then on, messages count as after the change.
--   after_until TIMESTAMP: Until then, exclusive.
--   days_not_loaded LONG: Days in between that were not loaded.
--   measure STRING: SUCCESS and POSITIVE RATING are shares, RESPONSE TIME is a geometric mean in ms.
--   messages_before LONG: Messages that value_before is computed from: answered or failed, rated, timed.
--   messages_after LONG: The same of value_after.
--   value_before DOUBLE: The measure before the change.
--   value_after DOUBLE: The measure after the change.
--   verdict STRING: BETTER, WORSE, NO DIFFERENCE (none that is beyond chance), or TOO FEW.
WITH versions AS (
  SELECT
    workspace_id,
    space_id,
    title,
    valid_from,
    changed_sections,
    update_time,
    LAG(valid_from) OVER (PARTITION BY workspace_id, space_id ORDER BY valid_from) AS previous_from
  FROM genie_space_versions
),
changes AS (
  SELECT
    *,
    CASE WHEN update_time > previous_from AND update_time <= valid_from THEN update_time END AS changed_at
  FROM versions
),
limits AS (
  SELECT
    *,
    COALESCE(changed_at, GREATEST(previous_from, valid_from - INTERVAL 1 DAY)) AS before_until,
    COALESCE(changed_at, valid_from) AS after_from
  FROM changes
),
periods AS (
  SELECT
    *,
    GREATEST(
      LAG(after_from) OVER (PARTITION BY workspace_id, space_id ORDER BY valid_from),
      before_until - INTERVAL 14 DAY
    ) AS before_from,
    LEAST(
      LEAD(before_until) OVER (PARTITION BY workspace_id, space_id ORDER BY valid_from),
      after_from + INTERVAL 14 DAY
    ) AS after_until
  FROM limits
),
compared AS (
  SELECT
    p.workspace_id,
    p.space_id,
    p.valid_from,
    m.asked_at >= p.after_from AS is_after,
    m.outcome,
    m.rating,
    m.response_time_ms
  FROM periods AS p
  JOIN message_overview AS m
    ON m.workspace_id = p.workspace_id AND m.space_id = p.space_id
    AND m.asked_at >= p.before_from AND m.asked_at < p.after_until
    AND (m.asked_at < p.before_until OR m.asked_at >= p.after_from)
  WHERE p.previous_from IS NOT NULL AND m.is_judged
),
measured AS (
  SELECT
    workspace_id,
    space_id,
    valid_from,
    is_after,
    'SUCCESS' AS measure,
    CAST(CASE WHEN outcome = 'ANSWERED' THEN 1 ELSE 0 END AS DOUBLE) AS value
  FROM compared
  UNION ALL
  SELECT
    workspace_id,
    space_id,
    valid_from,
    is_after,
    'POSITIVE RATING' AS measure,
    CAST(CASE WHEN rating = 'POSITIVE' THEN 1 ELSE 0 END AS DOUBLE) AS value
  FROM compared
  WHERE rating IS NOT NULL
  UNION ALL
  SELECT
    workspace_id,
    space_id,
    valid_from,
    is_after,
    'RESPONSE TIME' AS measure,
    LN(CAST(GREATEST(response_time_ms, 1) AS DOUBLE)) AS value
  FROM compared
  WHERE response_time_ms IS NOT NULL
),
sides AS (
  SELECT
    workspace_id,
    space_id,
    valid_from,
    measure,
    CAST(COUNT(CASE WHEN NOT is_after THEN 1 END) AS DOUBLE) AS n1,
    CAST(COUNT(CASE WHEN is_after THEN 1 END) AS DOUBLE) AS n2,
    AVG(CASE WHEN NOT is_after THEN value END) AS m1,
    AVG(CASE WHEN is_after THEN value END) AS m2,
    VAR_SAMP(CASE WHEN NOT is_after THEN value END) AS v1,
    VAR_SAMP(CASE WHEN is_after THEN value END) AS v2
  FROM measured
  GROUP BY workspace_id, space_id, valid_from, measure
),
pooled AS (
  SELECT *, (n1 * m1 + n2 * m2) / (n1 + n2) AS share, 1 / NULLIF(n1, 0) + 1 / NULLIF(n2, 0) AS spread
  FROM sides
),
tested AS (
  SELECT
    *,
    CASE
      WHEN n1 < 30 OR n2 < 30 THEN FALSE
      WHEN measure = 'RESPONSE TIME' OR m1 = m2 THEN TRUE
      ELSE LEAST(n1, n2) * LEAST(share, 1 - share) >= 5
    END AS is_enough,
    CASE
      WHEN n1 < 30 OR n2 < 30 OR m1 = m2 THEN FALSE
      WHEN measure = 'RESPONSE TIME'
        THEN ABS(m2 - m1)
          > (1.96 + 2.4 / NULLIF(LEAST(n1, n2) - 1, 0)) * SQRT(v1 / NULLIF(n1, 0) + v2 / NULLIF(n2, 0))
      ELSE ABS(m2 - m1) - 0.5 * spread > 1.96 * SQRT(share * (1 - share) * spread)
    END AS is_beyond_chance
  FROM pooled
),
gaps AS (
  SELECT p.workspace_id, p.space_id, p.valid_from, COUNT(*) AS days_not_loaded
  FROM periods AS p
  JOIN calendar AS c
    ON NOT c.is_loaded AND c.day >= CAST(p.before_from AS DATE) AND c.day <= CAST(p.after_until AS DATE)
  GROUP BY p.workspace_id, p.space_id, p.valid_from
)
SELECT
  p.workspace_id,
  p.space_id,
  p.title AS space_name,
  p.valid_from AS found_at,
  p.changed_at,
  p.changed_sections,
  p.before_from,
  p.before_until,
  p.after_from,
  p.after_until,
  COALESCE(g.days_not_loaded, 0) AS days_not_loaded,
  k.measure,
  COALESCE(CAST(t.n1 AS BIGINT), 0) AS messages_before,
  COALESCE(CAST(t.n2 AS BIGINT), 0) AS messages_after,
  CASE WHEN k.measure = 'RESPONSE TIME' THEN ROUND(EXP(t.m1)) ELSE t.m1 END AS value_before,
  CASE WHEN k.measure = 'RESPONSE TIME' THEN ROUND(EXP(t.m2)) ELSE t.m2 END AS value_after,
  CASE
    WHEN NOT COALESCE(t.is_enough, FALSE) THEN 'TOO FEW'
    WHEN NOT t.is_beyond_chance THEN 'NO DIFFERENCE'
    WHEN (t.m2 > t.m1) = (k.measure = 'RESPONSE TIME') THEN 'WORSE'
    ELSE 'BETTER'
  END AS verdict
FROM periods AS p
CROSS JOIN (SELECT EXPLODE(ARRAY('SUCCESS', 'POSITIVE RATING', 'RESPONSE TIME')) AS measure) AS k
LEFT JOIN tested AS t
  ON t.workspace_id = p.workspace_id AND t.space_id = p.space_id AND t.valid_from = p.valid_from
  AND t.measure = k.measure
LEFT JOIN gaps AS g
  ON g.workspace_id = p.workspace_id AND g.space_id = p.space_id AND g.valid_from = p.valid_from
WHERE p.previous_from IS NOT NULL
