-- Which conversations of some spaces the audit log shows, to be compared with their lists: ids only.
SELECT
  space_id,
  conversation_id,
  MAX(deletes) AS is_deleted
FROM (
  SELECT
    COALESCE(request_params['space_id'], request_params['spaceId']) AS space_id,
    COALESCE(
      request_params['conversation_id'],
      request_params['conversationId'],
      get_json_object(response.result, '$.conversation_id')
    ) AS conversation_id,
    CASE WHEN lower(action_name) RLIKE 'delete[a-z]*conversation$' THEN 1 ELSE 0 END AS deletes
  FROM system.access.audit
  WHERE service_name = 'aibiGenie'
    AND event_date >= :since
    AND COALESCE(response.status_code, 200) < 400
)
WHERE space_id IN (SELECT explode(split(:space_ids, ',')))
  AND conversation_id IS NOT NULL
GROUP BY space_id, conversation_id
LIMIT 1000
