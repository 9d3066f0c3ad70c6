-- Where comments were made and agents asked lately, so that there is something to look at: ids only.
SELECT
  CAST(workspace_id AS STRING) AS workspace_id,
  COALESCE(request_params['space_id'], request_params['spaceId'], request_params['agent_id']) AS space_id,
  COALESCE(request_params['conversation_id'], request_params['conversationId']) AS conversation_id,
  COALESCE(request_params['message_id'], request_params['messageId']) AS message_id
FROM system.access.audit
WHERE service_name = 'aibiGenie'
  AND event_date >= :since
  AND (lower(action_name) LIKE '%comment' OR request_params['agent_id'] IS NOT NULL)
  AND COALESCE(request_params['conversation_id'], request_params['conversationId']) IS NOT NULL
ORDER BY event_time DESC
LIMIT 20
