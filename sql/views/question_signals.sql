-- Question: Which questions show that Genie did not help?
-- Grain: one row per message.
-- Coverage: is_day_loaded; a signal is NULL where it cannot be told
-- Columns:
--   day DATE: UTC day.
--   asked_at TIMESTAMP: When it was asked.
--   workspace_id STRING: Workspace.
--   space_id STRING: Genie space.
--   conversation_id STRING: Conversation.
--   conversation_position INT: 1 = first message of its conversation.
--   message_id STRING: Message.
--   outcome STRING: As in message_overview.
--   is_day_loaded BOOLEAN: The day was loaded.
--   is_without_sql BOOLEAN: Answered without SQL; NULL unless it was answered.
--   is_empty_result BOOLEAN: Answered by a query without rows; NULL where the rows are not known.
--   is_clarification BOOLEAN: Genie asked back instead of answering by SQL; NULL unless it was answered.
--   is_rephrased BOOLEAN: Within ten minutes the same user asked a question next that shares at least half of all distinct words of both; NULL where that cannot be told.
--   is_abandoned BOOLEAN: The last message of its conversation failed, was cancelled, or was answered by a question; NULL unless the day after was loaded.
--   is_result_expired BOOLEAN: Answered, and its result set is gone by now.
--   is_withheld BOOLEAN: No part of its answer is shown to us, or less than before.
WITH clarifications AS (
  SELECT DISTINCT workspace_id, message_id
  FROM message_attachments
  WHERE text_purpose LIKE '%FOLLOW_UP_QUESTION'
),
worded AS (
  SELECT
    m.day,
    m.asked_at,
    m.workspace_id,
    m.space_id,
    m.conversation_id,
    m.conversation_position,
    m.message_id,
    m.outcome,
    m.is_day_loaded,
    m.query_sql,
    m.query_row_count,
    m.is_result_expired,
    m.is_hidden_now,
    m.user_key,
    a.message_id IS NOT NULL AS asks_back,
    ARRAY_DISTINCT(SPLIT(TRANSLATE(LOWER(SUBSTRING(m.question, 1, 1000)), '?!.,;:', ''), ' ')) AS words
  FROM message_overview AS m
  LEFT JOIN clarifications AS a ON a.workspace_id = m.workspace_id AND a.message_id = m.message_id
),
followed AS (
  SELECT
    w.*,
    LEAD(w.message_id) OVER in_turn AS next_message_id,
    LEAD(w.asked_at) OVER in_turn AS next_asked_at,
    LEAD(w.user_key) OVER in_turn AS next_user_key,
    LEAD(w.words) OVER in_turn AS next_words
  FROM worded AS w
  WINDOW in_turn AS (PARTITION BY w.workspace_id, w.conversation_id ORDER BY w.conversation_position, w.message_id)
)
SELECT
  f.day,
  f.asked_at,
  f.workspace_id,
  f.space_id,
  f.conversation_id,
  f.conversation_position,
  f.message_id,
  f.outcome,
  f.is_day_loaded,
  CASE WHEN f.outcome = 'ANSWERED' THEN f.query_sql IS NULL END AS is_without_sql,
  CASE WHEN f.outcome = 'ANSWERED' THEN f.query_row_count = 0 END AS is_empty_result,
  CASE WHEN f.outcome = 'ANSWERED' THEN f.asks_back AND f.query_sql IS NULL END AS is_clarification,
  CASE
    WHEN f.next_message_id IS NULL THEN FALSE
    WHEN UNIX_MILLIS(f.next_asked_at) - UNIX_MILLIS(f.asked_at) > 600000 THEN FALSE
    WHEN f.next_user_key <> f.user_key THEN FALSE
    WHEN f.next_asked_at IS NOT NULL AND f.asked_at IS NOT NULL AND f.next_user_key IS NOT NULL
      AND f.user_key IS NOT NULL
      THEN 3 * SIZE(ARRAY_INTERSECT(f.words, f.next_words)) >= SIZE(f.words) + SIZE(f.next_words)
  END AS is_rephrased,
  CASE
    WHEN f.next_message_id IS NOT NULL THEN FALSE
    WHEN c.is_loaded AND f.outcome IN ('ANSWERED', 'FAILED', 'CANCELLED')
      THEN f.outcome <> 'ANSWERED' OR (f.asks_back AND f.query_sql IS NULL)
  END AS is_abandoned,
  f.is_result_expired,
  f.outcome = 'WITHHELD' OR f.is_hidden_now AS is_withheld
FROM followed AS f
LEFT JOIN calendar AS c ON c.day = CAST(DATE_ADD(f.day, 1) AS DATE)
