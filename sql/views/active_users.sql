-- Question: How many people use Genie by day, week and month, how many are new, how many come back?
-- Grain: one row per day of the calendar and workspace; the workspace '*' is all of them together.
-- Coverage: is_loaded, loaded_days_7, loaded_days_14, loaded_days_30, history_since, history_gap_days
-- Columns:
--   day DATE: UTC day; windows end with it.
--   workspace_id STRING: Workspace, or '*' for all: somebody who uses two workspaces is one user of all.
--   is_loaded BOOLEAN: The day was loaded; if not, its numbers are NULL.
--   loaded_days_7 LONG: Loaded days of the 7 that end with this one; below 7, its numbers are NULL.
--   loaded_days_14 LONG: The same of 14.
--   loaded_days_30 LONG: The same of 30.
--   daily_users LONG: Distinct people who asked on this day, service principals left out.
--   weekly_users LONG: The same in 7 days.
--   weekly_users_before LONG: The same in the 7 days before these.
--   returning_users LONG: People of these 7 days who had asked in the 7 days before, too.
--   monthly_users LONG: Distinct people in 30 days.
--   new_users LONG: People of this day of whom no earlier message is known.
--   stickiness DOUBLE: daily_users / monthly_users; NULL if there are none.
--   history_since DATE: First loaded day: who asked before it only counts as new.
--   history_gap_days LONG: Days between it and this day that were not loaded.
WITH uses AS (
  SELECT DISTINCT workspace_id, user_key, day
  FROM message_overview
  WHERE user_kind <> 'SERVICE_PRINCIPAL'
  UNION
  SELECT DISTINCT '*' AS workspace_id, user_key, day
  FROM message_overview
  WHERE user_kind <> 'SERVICE_PRINCIPAL'
),
windows AS (
  SELECT
    day,
    is_loaded,
    -- The calendar begins with the first loaded day.
    MIN(day) OVER () AS history_since,
    COUNT(CASE WHEN is_loaded THEN 1 END) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
      AS loaded_days_7,
    COUNT(CASE WHEN is_loaded THEN 1 END) OVER (ORDER BY day ROWS BETWEEN 13 PRECEDING AND CURRENT ROW)
      AS loaded_days_14,
    COUNT(CASE WHEN is_loaded THEN 1 END) OVER (ORDER BY day ROWS BETWEEN 29 PRECEDING AND CURRENT ROW)
      AS loaded_days_30,
    COUNT(CASE WHEN NOT is_loaded THEN 1 END) OVER (ORDER BY day ROWS UNBOUNDED PRECEDING) AS history_gap_days
  FROM calendar
),
grid AS (
  SELECT c.*, p.workspace_id
  FROM windows AS c
  CROSS JOIN (
    SELECT workspace_id FROM workspaces
    UNION
    SELECT workspace_id FROM message_details
    UNION
    SELECT '*' AS workspace_id
  ) AS p
),
firsts AS (
  SELECT workspace_id, user_key, MIN(day) AS first_day
  FROM uses
  GROUP BY workspace_id, user_key
),
-- Of each person and day: how many days before it they had asked last, in the two weeks and in the month.
seen AS (
  SELECT
    g.day,
    g.workspace_id,
    u.user_key,
    MAX(CASE WHEN u.day = g.day THEN 1 ELSE 0 END) AS today,
    MAX(CASE WHEN DATEDIFF(g.day, u.day) < 7 THEN 1 ELSE 0 END) AS this_week,
    MAX(CASE WHEN DATEDIFF(g.day, u.day) BETWEEN 7 AND 13 THEN 1 ELSE 0 END) AS week_before
  FROM grid AS g
  INNER JOIN uses AS u
    ON u.workspace_id = g.workspace_id AND u.day <= g.day AND DATEDIFF(g.day, u.day) < 30
  GROUP BY g.day, g.workspace_id, u.user_key
),
counted AS (
  SELECT
    s.day,
    s.workspace_id,
    CAST(SUM(s.today) AS BIGINT) AS daily_users,
    CAST(SUM(s.this_week) AS BIGINT) AS weekly_users,
    CAST(SUM(s.week_before) AS BIGINT) AS weekly_users_before,
    CAST(SUM(s.this_week * s.week_before) AS BIGINT) AS returning_users,
    COUNT(*) AS monthly_users,
    COUNT(CASE WHEN f.first_day = s.day THEN 1 END) AS new_users
  FROM seen AS s
  INNER JOIN firsts AS f ON f.workspace_id = s.workspace_id AND f.user_key = s.user_key
  GROUP BY s.day, s.workspace_id
)
SELECT
  g.day,
  g.workspace_id,
  g.is_loaded,
  g.loaded_days_7,
  g.loaded_days_14,
  g.loaded_days_30,
  CASE WHEN g.is_loaded THEN COALESCE(n.daily_users, 0) END AS daily_users,
  CASE WHEN g.loaded_days_7 = 7 THEN COALESCE(n.weekly_users, 0) END AS weekly_users,
  CASE WHEN g.loaded_days_14 = 14 THEN COALESCE(n.weekly_users_before, 0) END AS weekly_users_before,
  CASE WHEN g.loaded_days_14 = 14 THEN COALESCE(n.returning_users, 0) END AS returning_users,
  CASE WHEN g.loaded_days_30 = 30 THEN COALESCE(n.monthly_users, 0) END AS monthly_users,
  CASE WHEN g.is_loaded THEN COALESCE(n.new_users, 0) END AS new_users,
  CASE WHEN g.loaded_days_30 = 30 THEN CAST(n.daily_users AS DOUBLE) / NULLIF(n.monthly_users, 0) END
    AS stickiness,
  g.history_since,
  g.history_gap_days
FROM grid AS g
LEFT JOIN counted AS n ON n.day = g.day AND n.workspace_id = g.workspace_id
