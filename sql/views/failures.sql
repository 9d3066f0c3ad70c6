-- Question: What does Genie fail with, where, and whom does it hit?
-- Grain: one row per day, workspace, space and error type with at least one failed message.
-- Coverage: is_day_loaded
-- Columns:
--   day DATE: UTC day.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   error_type STRING: Genie's error type; NULL if it named none.
--   error_group STRING: THROTTLING, SQL, ACCESS, CONTEXT, MODEL, USER ACTION or OTHER.
--   is_day_loaded BOOLEAN: The day was loaded; if not, there may be more than what is known.
--   failed LONG: Messages that failed with it.
--   users LONG: Distinct users who saw it, service principals included.
--   last_asked_at TIMESTAMP: The latest of these messages.
SELECT
  day,
  workspace_id,
  MAX(workspace_name) AS workspace_name,
  space_id,
  MAX(space_name) AS space_name,
  error_type,
  COALESCE(MAX(error_group), 'OTHER') AS error_group,
  MAX(is_day_loaded) AS is_day_loaded,
  COUNT(*) AS failed,
  COUNT(DISTINCT user_key) AS users,
  MAX(asked_at) AS last_asked_at
FROM message_overview
WHERE outcome = 'FAILED'
GROUP BY day, workspace_id, space_id, error_type
