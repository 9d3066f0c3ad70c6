-- Question: How do conversations go: how many questions, how long, was the first one answered?
-- Grain: one row per conversation.
-- Coverage: is_day_loaded
-- Columns:
--   day DATE: UTC day of its first known message.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   conversation_id STRING: Conversation.
--   is_day_loaded BOOLEAN: The day of its first known message was loaded.
--   users LONG: Distinct users who asked in it, service principals included.
--   messages LONG: Its messages.
--   started_at TIMESTAMP: When the first was asked.
--   last_asked_at TIMESTAMP: When the last was asked.
--   length_ms LONG: From the first question to the last, ms.
--   answered LONG: Messages with an answer.
--   failed LONG: Messages that Genie could not answer.
--   first_outcome STRING: Outcome of the first message.
--   is_first_answered BOOLEAN: The first message was answered; NULL unless it was answered or failed.
--   rephrased LONG: Questions that were asked again in other words.
--   is_abandoned BOOLEAN: It ended without an answer; NULL where that cannot be told.
--   positive LONG: Messages rated as good.
--   negative LONG: Messages rated as bad.
--   genie_url STRING: The conversation in Genie.
SELECT
  MIN(m.day) AS day,
  m.workspace_id,
  MAX(m.workspace_name) AS workspace_name,
  m.space_id,
  MAX(m.space_name) AS space_name,
  m.conversation_id,
  MAX(CASE WHEN m.conversation_position = 1 THEN m.is_day_loaded END) AS is_day_loaded,
  COUNT(DISTINCT m.user_key) AS users,
  COUNT(*) AS messages,
  MIN(m.asked_at) AS started_at,
  MAX(m.asked_at) AS last_asked_at,
  UNIX_MILLIS(MAX(m.asked_at)) - UNIX_MILLIS(MIN(m.asked_at)) AS length_ms,
  COUNT(CASE WHEN m.outcome = 'ANSWERED' THEN 1 END) AS answered,
  COUNT(CASE WHEN m.outcome = 'FAILED' THEN 1 END) AS failed,
  MAX(CASE WHEN m.conversation_position = 1 THEN m.outcome END) AS first_outcome,
  MAX(CASE WHEN m.conversation_position = 1 AND m.is_judged THEN m.outcome = 'ANSWERED' END) AS is_first_answered,
  COUNT(CASE WHEN s.is_rephrased THEN 1 END) AS rephrased,
  MAX(s.is_abandoned) AS is_abandoned,
  COUNT(CASE WHEN m.rating = 'POSITIVE' THEN 1 END) AS positive,
  COUNT(CASE WHEN m.rating = 'NEGATIVE' THEN 1 END) AS negative,
  MAX(m.genie_url) AS genie_url
FROM message_overview AS m
LEFT JOIN question_signals AS s ON s.workspace_id = m.workspace_id AND s.message_id = m.message_id
GROUP BY m.workspace_id, m.space_id, m.conversation_id
