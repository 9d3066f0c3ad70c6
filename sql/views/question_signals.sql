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
  SELECT DISTINCT created_date, workspace_id, message_id
  FROM message_attachments
  WHERE text_purpose LIKE '%FOLLOW_UP_QUESTION'
),
asked AS (
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
    TRANSLATE(LOWER(SUBSTRING(m.question, 1, 1000)), '?!.,;:', '') AS wording,
    m.has_sql,
    m.query_row_count,
    m.is_result_expired,
    m.is_hidden_now,
    m.user_key,
    a.message_id IS NOT NULL AS asks_back
  FROM message_overview AS m
  LEFT JOIN clarifications AS a
    ON a.created_date = m.day AND a.workspace_id = m.workspace_id AND a.message_id = m.message_id
),
worded AS (
  SELECT a.*, SIZE(ARRAY_DISTINCT(SPLIT(a.wording, ' '))) AS words
  FROM asked AS a
),
followed AS (
  SELECT
    a.*,
    LEAD(a.message_id) OVER in_turn AS next_message_id,
    LEAD(a.asked_at) OVER in_turn AS next_asked_at,
    LEAD(a.user_key) OVER in_turn AS next_user_key,
    LEAD(a.wording) OVER in_turn AS next_wording,
    LEAD(a.words) OVER in_turn AS next_words
  FROM worded AS a
  -- By the day first: what follows a message is never asked on an earlier day.
  WINDOW in_turn AS (
    PARTITION BY a.workspace_id, a.conversation_id ORDER BY a.day, a.conversation_position, a.message_id
  )
)
SELECT
  w.day,
  w.asked_at,
  w.workspace_id,
  w.space_id,
  w.conversation_id,
  w.conversation_position,
  w.message_id,
  w.outcome,
  w.is_day_loaded,
  CASE WHEN w.outcome = 'ANSWERED' THEN NOT w.has_sql END AS is_without_sql,
  CASE WHEN w.outcome = 'ANSWERED' THEN w.query_row_count = 0 END AS is_empty_result,
  CASE WHEN w.outcome = 'ANSWERED' THEN w.asks_back AND NOT w.has_sql END AS is_clarification,
  CASE
    WHEN w.next_message_id IS NULL THEN FALSE
    WHEN UNIX_MILLIS(w.next_asked_at) - UNIX_MILLIS(w.asked_at) > 600000 THEN FALSE
    WHEN w.next_user_key <> w.user_key THEN FALSE
    WHEN w.next_asked_at IS NOT NULL AND w.asked_at IS NOT NULL AND w.next_user_key IS NOT NULL
      AND w.user_key IS NOT NULL AND w.wording IS NOT NULL AND w.next_wording IS NOT NULL
      -- Shared are words + next_words - all: twice that is at least all. Sets are dear, so there is only one here.
      THEN 2 * (w.words + w.next_words)
        >= 3 * SIZE(ARRAY_DISTINCT(SPLIT(CONCAT(w.wording, ' ', w.next_wording), ' ')))
  END AS is_rephrased,
  CASE
    WHEN w.next_message_id IS NOT NULL THEN FALSE
    WHEN c.is_loaded AND w.outcome IN ('ANSWERED', 'FAILED', 'CANCELLED')
      THEN w.outcome <> 'ANSWERED' OR (w.asks_back AND NOT w.has_sql)
  END AS is_abandoned,
  w.is_result_expired,
  w.outcome = 'WITHHELD' OR w.is_hidden_now AS is_withheld
FROM followed AS w
LEFT JOIN calendar AS c ON c.day = CAST(DATE_ADD(w.day, 1) AS DATE)
