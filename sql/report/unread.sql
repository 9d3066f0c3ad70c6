-- Questions that the audit log names and that were not read, by day and choice.
SELECT day, workspace_id, CAST(NULL AS STRING) AS space_id, COUNT(DISTINCT message_id) AS unread_messages
FROM unread_messages
WHERE is_new AND is_day_loaded AND day BETWEEN ${first_day} AND ${last_day}
GROUP BY day, workspace_id
UNION ALL
SELECT day, workspace_id, space_id, COUNT(DISTINCT message_id) AS unread_messages
FROM unread_messages
WHERE is_new AND is_day_loaded AND space_id IS NOT NULL AND day BETWEEN ${first_day} AND ${last_day}
GROUP BY day, workspace_id, space_id
