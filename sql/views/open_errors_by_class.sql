-- Question: How many errors are open, by class and by what happens next?
-- Grain: one row per kind of thing, workspace, error class and retry state with an open error.
-- Coverage: last_error_at
-- Columns:
--   of_what STRING: MESSAGE or SPACE.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   error_class STRING: The class, for example PERMISSION or TIMEOUT.
--   error_type STRING: AUTH_ERROR, TIMEOUT, RATE_LIMITED or FAILED.
--   retry_state STRING: DUE, WAITING or PARKED.
--   errors LONG: Open errors.
--   spaces LONG: Spaces in which they are.
--   oldest_error_at TIMESTAMP: First failure of the oldest.
--   oldest_age_days LONG: Whole days since then.
--   last_error_at TIMESTAMP: Latest failure of any.
--   next_retry_at TIMESTAMP: Earliest next attempt of any.
SELECT
  of_what,
  workspace_id,
  MAX(workspace_name) AS workspace_name,
  error_class,
  error_type,
  retry_state,
  COUNT(*) AS errors,
  COUNT(DISTINCT space_id) AS spaces,
  MIN(first_error_at) AS oldest_error_at,
  MAX(age_days) AS oldest_age_days,
  MAX(last_error_at) AS last_error_at,
  MIN(next_retry_at) AS next_retry_at
FROM open_errors
GROUP BY of_what, workspace_id, error_class, error_type, retry_state
