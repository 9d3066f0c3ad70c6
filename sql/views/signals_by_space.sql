-- Question: In which spaces does Genie not help, and how?
-- Grain: one row per day, workspace and space with at least one message.
-- Coverage: is_day_loaded; each signal with the number of messages of which it can be told
-- Columns:
--   day DATE: UTC day.
--   workspace_id STRING: Workspace.
--   space_id STRING: Genie space.
--   is_day_loaded BOOLEAN: The day was loaded; if not, there may be more than what is known.
--   messages LONG: Messages.
--   without_sql LONG: Messages that were answered without SQL.
--   without_sql_n LONG: Messages of which that can be told.
--   empty_result LONG: Messages that were answered by a query without rows.
--   empty_result_n LONG: Messages of which that can be told.
--   clarification LONG: Messages that were answered by a question.
--   clarification_n LONG: Messages of which that can be told.
--   rephrased LONG: Messages that were asked again in other words.
--   rephrased_n LONG: Messages of which that can be told.
--   abandoned LONG: Messages that were left without an answer.
--   abandoned_n LONG: Messages of which that can be told.
--   result_expired LONG: Messages that were answered, and the result set is gone.
--   result_expired_n LONG: Messages of which that can be told.
--   withheld LONG: Messages that were not shown to us.
--   withheld_n LONG: Messages of which that can be told.
SELECT
  day,
  workspace_id,
  space_id,
  MAX(is_day_loaded) AS is_day_loaded,
  COUNT(*) AS messages,
  COUNT(CASE WHEN is_without_sql THEN 1 END) AS without_sql,
  COUNT(is_without_sql) AS without_sql_n,
  COUNT(CASE WHEN is_empty_result THEN 1 END) AS empty_result,
  COUNT(is_empty_result) AS empty_result_n,
  COUNT(CASE WHEN is_clarification THEN 1 END) AS clarification,
  COUNT(is_clarification) AS clarification_n,
  COUNT(CASE WHEN is_rephrased THEN 1 END) AS rephrased,
  COUNT(is_rephrased) AS rephrased_n,
  COUNT(CASE WHEN is_abandoned THEN 1 END) AS abandoned,
  COUNT(is_abandoned) AS abandoned_n,
  COUNT(CASE WHEN is_result_expired THEN 1 END) AS result_expired,
  COUNT(is_result_expired) AS result_expired_n,
  COUNT(CASE WHEN is_withheld THEN 1 END) AS withheld,
  COUNT(is_withheld) AS withheld_n
FROM question_signals
GROUP BY day, workspace_id, space_id
