-- Question: Is the pipeline itself healthy: which days are loaded, and is everything in them read?
-- Grain: one row per day of the calendar.
-- Coverage: is_loaded
-- Columns:
--   day DATE: UTC day.
--   is_loaded BOOLEAN: The day was loaded; if not, its numbers are NULL.
--   audit_events LONG: Genie's events that the audit log held when the day was last loaded.
--   newest_event_time TIMESTAMP: The newest of them.
--   workspaces LONG: Workspaces in which messages were touched.
--   discovered LONG: Messages that somebody touched on this day.
--   stored LONG: Of them, those that were read and have no open error.
--   open_errors LONG: Those that cannot be read now.
--   closed LONG: Those that were given up by hand.
--   deleted LONG: Those that were deleted.
--   pending LONG: Those that are not read yet.
--   wanted LONG: discovered without closed and deleted: what completeness is computed from.
--   completeness DOUBLE: stored / wanted; NULL if there are none.
--   tried LONG: stored + open_errors: what api_success_rate is computed from.
--   api_success_rate DOUBLE: stored / tried; NULL if there are none.
--   seen_n LONG: Messages of which it is known when they were first seen.
--   seen_lag_p50_ms LONG: 50 % of them were stored at most so long after their first event of the day, ms.
--   seen_lag_p95_ms LONG: 95 %: nearest ranks, as in response_times; the wait for a run is in it.
WITH by_day AS (
  SELECT
    day,
    COUNT(*) AS workspaces,
    CAST(SUM(discovered) AS BIGINT) AS discovered,
    CAST(SUM(stored) AS BIGINT) AS stored,
    CAST(SUM(open_errors) AS BIGINT) AS open_errors,
    CAST(SUM(closed) AS BIGINT) AS closed,
    CAST(SUM(deleted) AS BIGINT) AS deleted,
    CAST(SUM(pending) AS BIGINT) AS pending
  FROM completeness
  GROUP BY day
),
seen AS (
  SELECT
    event_date AS day,
    COUNT(lag_ms) AS seen_n,
    CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY lag_ms) AS BIGINT) AS seen_lag_p50_ms,
    CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY lag_ms) AS BIGINT) AS seen_lag_p95_ms
  FROM (
    SELECT event_date, UNIX_MILLIS(first_seen_timestamp) - UNIX_MILLIS(first_event_time) AS lag_ms
    FROM genie_messages_to_fetch
  ) AS lags
  GROUP BY event_date
)
SELECT
  c.day,
  c.is_loaded,
  c.audit_events,
  c.newest_event_time,
  CASE WHEN c.is_loaded THEN COALESCE(n.workspaces, 0) END AS workspaces,
  CASE WHEN c.is_loaded THEN COALESCE(n.discovered, 0) END AS discovered,
  CASE WHEN c.is_loaded THEN COALESCE(n.stored, 0) END AS stored,
  CASE WHEN c.is_loaded THEN COALESCE(n.open_errors, 0) END AS open_errors,
  CASE WHEN c.is_loaded THEN COALESCE(n.closed, 0) END AS closed,
  CASE WHEN c.is_loaded THEN COALESCE(n.deleted, 0) END AS deleted,
  CASE WHEN c.is_loaded THEN COALESCE(n.pending, 0) END AS pending,
  CASE WHEN c.is_loaded THEN COALESCE(n.stored + n.open_errors + n.pending, 0) END AS wanted,
  CASE WHEN c.is_loaded THEN CAST(n.stored AS DOUBLE) / NULLIF(n.stored + n.open_errors + n.pending, 0) END
    AS completeness,
  CASE WHEN c.is_loaded THEN COALESCE(n.stored + n.open_errors, 0) END AS tried,
  CASE WHEN c.is_loaded THEN CAST(n.stored AS DOUBLE) / NULLIF(n.stored + n.open_errors, 0) END AS api_success_rate,
  CASE WHEN c.is_loaded THEN COALESCE(s.seen_n, 0) END AS seen_n,
  CASE WHEN c.is_loaded THEN s.seen_lag_p50_ms END AS seen_lag_p50_ms,
  CASE WHEN c.is_loaded THEN s.seen_lag_p95_ms END AS seen_lag_p95_ms
FROM calendar AS c
LEFT JOIN by_day AS n ON n.day = c.day
LEFT JOIN seen AS s ON s.day = c.day
