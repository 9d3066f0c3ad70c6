-- Every Genie message that was touched on one UTC day, one row per kind of event. Our own reads are no usage and
-- left out; whatever else our principal did counts, because applications may share it. Events that name no message
-- come as one row per action, so that a new way of asking is seen; each that changes a space comes for itself, so
-- that the history of the space can say who changed it, and when.
-- With :each_alone every event comes for itself, so that events of several regions can be put together.
-- Ids stand in request_params or only in the response, in snake_case or camelCase. Events that the API answered
-- with 400 or 404 prove nothing about a message; other refused ones (403, 429, 5xx) still name one.
WITH events AS (
  SELECT
    event_id,
    event_time,
    CAST(workspace_id AS STRING) AS workspace_id,
    action_name,
    COALESCE(NULLIF(user_identity.email, ''), user_identity.subject_name) AS actor,
    COALESCE(response.status_code, 200) AS status_code,
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
    ) AS message_id,
    COALESCE(
      NULLIF(request_params['agent_id'], ''),
      NULLIF(request_params['agentId'], ''),
      NULLIF(request_params['response_id'], ''),
      NULLIF(request_params['responseId'], ''),
      NULLIF(get_json_object(response.result, '$.agent_id'), ''),
      NULLIF(get_json_object(response.result, '$.response_id'), '')
    ) AS agents_id,
    COALESCE(
      NULLIF(request_params['agent_id'], ''),
      NULLIF(request_params['agentId'], ''),
      NULLIF(get_json_object(response.result, '$.agent_id'), ''),
      NULLIF(get_json_object(response.result, '$.agentId'), '')
    ) AS agent_id,
    -- What makes a space names the new one in the response, and may name the old one in the request.
    CASE
      WHEN regexp_like(lower(action_name), '^(genie)?(create|clone|copy)space') THEN COALESCE(
        NULLIF(get_json_object(response.result, '$.space_id'), ''),
        NULLIF(get_json_object(response.result, '$.spaceId'), '')
      )
    END AS made_space_id,
    regexp_like(
      lower(action_name),
      '^(genie)?(create|clone|copy|update|rename|move|trash|untrash|delete|restore|import|publish)[a-z]*(space|instruction|curatedquestion|samplequestion|columnconfig|file)'
    ) AS names_a_change
  FROM system.access.audit
  WHERE service_name = 'aibiGenie'
    AND CAST(workspace_id AS STRING) <> '0' -- rows of the account itself
    AND action_name IS NOT NULL
    AND event_time IS NOT NULL
    AND event_date = :event_date
    AND NOT (
      lower(action_name) RLIKE '^(genie)?(get|list|summarize|generatedownload)'
      AND array_contains(
        split(:own_principals, ','),
        lower(COALESCE(NULLIF(user_identity.email, ''), user_identity.subject_name, ''))
      )
    )
),
told AS (
  SELECT
    event_id,
    event_time,
    workspace_id,
    action_name,
    status_code >= 400 AS is_refused,
    message_id IS NULL AND agents_id IS NOT NULL AS is_agents,
    message_id,
    CASE WHEN message_id IS NOT NULL OR changes_space THEN actor END AS actor,
    CASE
      WHEN message_id IS NOT NULL THEN space_id
      WHEN changes_space THEN COALESCE(made_space_id, space_id)
    END AS space_id,
    CASE WHEN message_id IS NOT NULL OR agents_id IS NOT NULL THEN conversation_id END AS conversation_id,
    -- An agent is a space.
    CASE WHEN agents_id IS NOT NULL THEN COALESCE(agent_id, space_id) END AS agent_id,
    CASE WHEN changes_space THEN event_id END AS space_event_id,
    CASE WHEN :each_alone THEN event_id END AS lone_event_id
  FROM (
    SELECT
      *,
      message_id IS NULL
        AND conversation_id IS NULL
        AND COALESCE(made_space_id, space_id) IS NOT NULL
        AND status_code < 400
        AND names_a_change AS changes_space
    FROM events
  )
  WHERE status_code NOT IN (400, 404)
)
SELECT
  workspace_id,
  action_name,
  actor,
  is_refused,
  is_agents,
  agent_id,
  space_id,
  conversation_id,
  message_id,
  space_event_id,
  lone_event_id,
  MIN(event_time) AS first_event_time,
  MAX(event_time) AS last_event_time,
  COUNT(DISTINCT event_id) AS event_count
FROM told
GROUP BY workspace_id, action_name, actor, is_refused, is_agents, agent_id, space_id, conversation_id, message_id,
  space_event_id, lone_event_id
