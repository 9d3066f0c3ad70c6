-- Questions that the audit log names and that were not read, by day and choice.
SELECT day, workspace_id, CAST(NULL AS STRING) AS space_id, unread_messages
FROM activity_by_day
WHERE day BETWEEN ${first_day} AND ${last_day} AND unread_messages > 0
UNION ALL
SELECT day, workspace_id, space_id, unread_messages
FROM activity_by_space
WHERE day BETWEEN ${first_day} AND ${last_day} AND unread_messages > 0
