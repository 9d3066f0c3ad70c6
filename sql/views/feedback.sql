-- Question: How do users rate the answers?
-- Grain: one row per day, workspace and space with at least one message that was answered or failed.
-- Coverage: is_day_loaded
-- Columns:
--   day DATE: UTC day on which the message was asked.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   is_day_loaded BOOLEAN: The day was loaded; if not, there may be more than what is known.
--   judged LONG: Messages that were answered or failed: what rated_share is computed from.
--   rated LONG: Of them, those that were rated: what positive_share is computed from.
--   positive LONG: Rated as good.
--   negative LONG: Rated as bad.
--   commented LONG: Messages with a comment.
--   rated_share DOUBLE: rated / judged.
--   positive_share DOUBLE: positive / rated; NULL if there are none.
SELECT
  day,
  workspace_id,
  MAX(workspace_name) AS workspace_name,
  space_id,
  MAX(space_name) AS space_name,
  MAX(is_day_loaded) AS is_day_loaded,
  COUNT(*) AS judged,
  COUNT(rating) AS rated,
  COUNT(CASE WHEN rating = 'POSITIVE' THEN 1 END) AS positive,
  COUNT(CASE WHEN rating = 'NEGATIVE' THEN 1 END) AS negative,
  COUNT(comment) AS commented,
  CAST(COUNT(rating) AS DOUBLE) / COUNT(*) AS rated_share,
  CAST(COUNT(CASE WHEN rating = 'POSITIVE' THEN 1 END) AS DOUBLE) / NULLIF(COUNT(rating), 0) AS positive_share
FROM message_overview
WHERE is_judged
GROUP BY day, workspace_id, space_id
