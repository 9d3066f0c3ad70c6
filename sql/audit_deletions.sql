-- Messages and conversations that were deleted within some UTC days. A deleted conversation names no message.
-- With :each_alone every event comes for itself.
WITH deletions AS (
  SELECT
    event_id,
    CASE WHEN :each_alone THEN event_id END AS lone_event_id,
    event_date,
    event_time,
    CAST(workspace_id AS STRING) AS workspace_id,
    action_name,
    COALESCE(
      NULLIF(request_params['space_id'], ''),
      NULLIF(request_params['spaceId'], ''),
      NULLIF(get_json_object(response.result, '$.space_id'), ''),
      NULLIF(get_json_object(response.result, '$.spaceId'), '')
    ) AS space_id,
    COALESCE(
      NULLIF(request_params['conversation_id'], ''),
      NULLIF(request_params['conversationId'], ''),
      NULLIF(get_json_object(response.result, '$.conversation_id'), ''),
      NULLIF(get_json_object(response.result, '$.conversationId'), '')
    ) AS conversation_id,
    COALESCE(
      NULLIF(request_params['message_id'], ''),
      NULLIF(request_params['messageId'], ''),
      NULLIF(get_json_object(response.result, '$.message_id'), ''),
      NULLIF(get_json_object(response.result, '$.messageId'), '')
    ) AS message_id
  FROM system.access.audit
  WHERE service_name = 'aibiGenie'
    AND CAST(workspace_id AS STRING) <> '0' -- rows of the account itself
    AND action_name IS NOT NULL
    AND event_time IS NOT NULL
    AND event_date BETWEEN :event_date AND :last_date
    AND COALESCE(response.status_code, 200) < 400
    AND lower(action_name) IN (
      'deleteconversation', 'geniedeleteconversation', 'deleteconversationmessage', 'geniedeleteconversationmessage'
    )
)
SELECT
  event_date,
  workspace_id,
  action_name,
  space_id,
  conversation_id,
  message_id,
  lone_event_id,
  MIN(event_time) AS first_event_time,
  MAX(event_time) AS last_event_time,
  COUNT(DISTINCT event_id) AS event_count
FROM deletions
WHERE conversation_id IS NOT NULL OR message_id IS NOT NULL
GROUP BY event_date, workspace_id, action_name, space_id, conversation_id, message_id, lone_event_id
