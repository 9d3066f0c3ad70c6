-- Question: Which messages does the audit log name that were not read?
-- Grain: one row per day of the audit events, workspace and message that is not stored, without deleted ones.
-- Coverage: is_day_loaded
-- Columns:
--   day DATE: UTC day on which somebody touched it.
--   workspace_id STRING: Workspace.
--   space_id STRING: Genie space; NULL if no event names one.
--   conversation_id STRING: Conversation.
--   message_id STRING: Message.
--   is_new BOOLEAN: It was asked on this day; if not, it was only touched again.
--   is_day_loaded BOOLEAN: The day was loaded.
SELECT
  r.event_date AS day,
  r.workspace_id,
  r.space_id,
  r.conversation_id,
  r.message_id,
  COALESCE(r.is_new, FALSE) AS is_new,
  COALESCE(c.is_loaded, FALSE) AS is_day_loaded
FROM genie_messages_to_fetch AS r
LEFT ANTI JOIN message_details AS m ON m.workspace_id = r.workspace_id AND m.message_id = r.message_id
LEFT JOIN calendar AS c ON c.day = r.event_date
WHERE NOT COALESCE(r.is_deleted, FALSE)
