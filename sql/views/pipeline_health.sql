-- Question: Is the pipeline itself healthy: which days are loaded, is everything in them read, and what did it take?
-- Grain: one row per day of the calendar.
-- Coverage: is_loaded, runs, seen_n, statement_seen_n
-- Columns:
--   day DATE: UTC day.
--   is_loaded BOOLEAN: The day was loaded; if not, its numbers are NULL.
--   audit_events LONG: Genie's events that the audit log held when the day was last loaded.
--   newest_event_time TIMESTAMP: The newest of them.
--   first_loaded_at TIMESTAMP: When the day was first loaded; NULL if an older version did not note it.
--   last_loaded_at TIMESTAMP: When it was last loaded: each load that changed something, and one a day.
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
--   runs LONG: Runs that asked the API for messages of the day, as far as they were noted: what follows is of them.
--   asked_for LONG: Messages that they asked for, each time counted: what requests_per_message is computed from.
--   requests LONG: Requests to the Genie API; NULL without a run.
--   requests_per_message DOUBLE: requests / asked_for; NULL if there are none.
--   answered_429 LONG: Of the requests, those answered with: slow down.
--   fetch_ms LONG: How long these runs took to fetch, ms.
--   seen_n LONG: Messages of which it is known when they were first seen.
--   seen_lag_p50_ms LONG: 50 % of them were stored within this time after their first event of the day, ms.
--   seen_lag_p95_ms LONG: 95 %: nearest ranks, as in response_times; the wait for a run is in it.
--   statement_seen_n LONG: Messages asked on the day whose statement has ended, and is known when it was first found.
--   statement_lag_p50_ms LONG: 50 % of them were found in query history within this time after they ended, ms.
--   statement_lag_p95_ms LONG: 95 %: nearest ranks; the wait for a run is in it.
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
fetches AS (
  SELECT
    day,
    COUNT(*) AS runs,
    CAST(SUM(asked_for) AS BIGINT) AS asked_for,
    CAST(SUM(requests) AS BIGINT) AS requests,
    CAST(SUM(answered_429) AS BIGINT) AS answered_429,
    CAST(SUM(fetch_ms) AS BIGINT) AS fetch_ms
  FROM (
    SELECT
      event_date AS day,
      SUM(wanted) AS asked_for,
      SUM(requests) AS requests,
      SUM(answered_429) AS answered_429,
      MAX(fetch_ms) AS fetch_ms
    FROM genie_fetch_runs
    GROUP BY event_date, run_id, started_timestamp
  ) AS each_run
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
),
statements_seen AS (
  SELECT
    created_date AS day,
    COUNT(lag_ms) AS statement_seen_n,
    CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY lag_ms) AS BIGINT) AS statement_lag_p50_ms,
    CAST(PERCENTILE_DISC(0.95) WITHIN GROUP (ORDER BY lag_ms) AS BIGINT) AS statement_lag_p95_ms
  FROM (
    SELECT created_date, UNIX_MILLIS(query_first_seen_timestamp) - UNIX_MILLIS(query_end_time) AS lag_ms
    FROM message_details
  ) AS lags
  GROUP BY created_date
),
numbers AS (
  SELECT
    l.event_date AS day,
    l.first_load_timestamp AS first_loaded_at,
    COALESCE(l.last_load_timestamp, l.ingestion_timestamp) AS last_loaded_at,
    COALESCE(n.workspaces, 0) AS workspaces,
    COALESCE(n.discovered, 0) AS discovered,
    COALESCE(n.stored, 0) AS stored,
    COALESCE(n.open_errors, 0) AS open_errors,
    COALESCE(n.closed, 0) AS closed,
    COALESCE(n.deleted, 0) AS deleted,
    COALESCE(n.pending, 0) AS pending,
    COALESCE(n.stored + n.open_errors + n.pending, 0) AS wanted,
    CAST(n.stored AS DOUBLE) / NULLIF(n.stored + n.open_errors + n.pending, 0) AS completeness,
    COALESCE(n.stored + n.open_errors, 0) AS tried,
    CAST(n.stored AS DOUBLE) / NULLIF(n.stored + n.open_errors, 0) AS api_success_rate,
    COALESCE(r.runs, 0) AS runs,
    r.asked_for,
    r.requests,
    CAST(r.requests AS DOUBLE) / NULLIF(r.asked_for, 0) AS requests_per_message,
    r.answered_429,
    r.fetch_ms,
    COALESCE(s.seen_n, 0) AS seen_n,
    s.seen_lag_p50_ms,
    s.seen_lag_p95_ms,
    COALESCE(f.statement_seen_n, 0) AS statement_seen_n,
    f.statement_lag_p50_ms,
    f.statement_lag_p95_ms
  FROM genie_day_loads AS l
  LEFT JOIN by_day AS n ON n.day = l.event_date
  LEFT JOIN fetches AS r ON r.day = l.event_date
  LEFT JOIN seen AS s ON s.day = l.event_date
  LEFT JOIN statements_seen AS f ON f.day = l.event_date
)
SELECT
  c.day,
  c.is_loaded,
  c.audit_events,
  c.newest_event_time,
  n.first_loaded_at,
  n.last_loaded_at,
  n.workspaces,
  n.discovered,
  n.stored,
  n.open_errors,
  n.closed,
  n.deleted,
  n.pending,
  n.wanted,
  n.completeness,
  n.tried,
  n.api_success_rate,
  n.runs,
  n.asked_for,
  n.requests,
  n.requests_per_message,
  n.answered_429,
  n.fetch_ms,
  n.seen_n,
  n.seen_lag_p50_ms,
  n.seen_lag_p95_ms,
  n.statement_seen_n,
  n.statement_lag_p50_ms,
  n.statement_lag_p95_ms
FROM calendar AS c
LEFT JOIN numbers AS n ON n.day = c.day
