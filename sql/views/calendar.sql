-- Question: Which days are known?
-- Grain: one row per day, from the first loaded one to the last.
-- Coverage: is_loaded
-- Columns:
--   day DATE: UTC day.
--   is_loaded BOOLEAN: The audit log of this day was loaded; if not, nothing is known of it.
--   audit_events LONG: Genie's events that the audit log held when the day was last loaded.
--   newest_event_time TIMESTAMP: The newest of them.
WITH bounds AS (
  SELECT MIN(event_date) AS first_day, MAX(event_date) AS last_day
  FROM genie_day_loads
),
days AS (
  SELECT CAST(each AS DATE) AS day
  FROM (
    SELECT EXPLODE(SEQUENCE(first_day, last_day, INTERVAL 1 DAY)) AS each
    FROM bounds
  ) AS listed
)
SELECT
  d.day,
  l.event_date IS NOT NULL AS is_loaded,
  l.event_count AS audit_events,
  l.newest_event_time
FROM days AS d
LEFT JOIN genie_day_loads AS l ON l.event_date = d.day
