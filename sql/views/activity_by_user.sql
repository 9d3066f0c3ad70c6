-- Question: Who uses Genie, how much, and with what success?
-- Grain: one row per day, workspace and user with at least one message.
-- Coverage: is_day_loaded
-- Columns:
--   day DATE: UTC day.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   user_key STRING: The user's e-mail or application id in small letters, else the numeric id; NULL: nobody knows who asked.
--   user_kind STRING: PERSON, SERVICE_PRINCIPAL (one may stand for many people), or UNKNOWN (only a numeric id).
--   is_day_loaded BOOLEAN: The day was loaded; if not, there may be more than what is known.
--   messages LONG: Messages asked.
--   spaces LONG: Spaces in which they were asked.
--   conversations LONG: Conversations with one of them.
--   answered LONG: Messages with an answer.
--   failed LONG: Messages that Genie could not answer.
--   judged LONG: answered + failed: what the rate is computed from.
--   success_rate DOUBLE: answered / judged; NULL if there are none.
--   rated LONG: Messages that were rated.
SELECT
  day,
  workspace_id,
  MAX(workspace_name) AS workspace_name,
  user_key,
  MAX(user_kind) AS user_kind,
  MAX(is_day_loaded) AS is_day_loaded,
  COUNT(*) AS messages,
  COUNT(DISTINCT space_id) AS spaces,
  COUNT(DISTINCT conversation_id) AS conversations,
  COUNT(CASE WHEN outcome = 'ANSWERED' THEN 1 END) AS answered,
  COUNT(CASE WHEN outcome = 'FAILED' THEN 1 END) AS failed,
  COUNT(CASE WHEN is_judged THEN 1 END) AS judged,
  CAST(COUNT(CASE WHEN outcome = 'ANSWERED' THEN 1 END) AS DOUBLE)
    / NULLIF(COUNT(CASE WHEN is_judged THEN 1 END), 0) AS success_rate,
  COUNT(rating) AS rated
FROM message_overview
GROUP BY day, workspace_id, user_key
