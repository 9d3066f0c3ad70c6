-- What the audit log holds of each UTC day, in one row per workspace: enough to tell whether it holds more than when
-- the day was last loaded. Days after :last_exact_day have one row for all workspaces, with none. It looks at what
-- `audit_message_events.sql` and `audit_deletions.sql` look at; rows that the log has twice count once. What a load
-- stores counts: events that name a message, change a space, or are of a conversation with an agent. Events that name
-- nothing of this are counted for themselves. With :and_workspaces come rows without a day, too: those of
-- `workspaces.sql`, so that who needs both asks once.
WITH events AS (
  SELECT
    event_id,
    event_date,
    event_time,
    CAST(workspace_id AS STRING) AS workspace_id,
    lower(action_name) AS action_name,
    COALESCE(response.status_code, 200) AS status_code,
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
      NULLIF(request_params['space_id'], ''),
      NULLIF(request_params['spaceId'], ''),
      NULLIF(get_json_object(response.result, '$.space_id'), ''),
      NULLIF(get_json_object(response.result, '$.spaceId'), '')
    ) AS space_id,
    COALESCE(
      NULLIF(request_params['agent_id'], ''),
      NULLIF(request_params['agentId'], ''),
      NULLIF(request_params['response_id'], ''),
      NULLIF(request_params['responseId'], ''),
      NULLIF(get_json_object(response.result, '$.agent_id'), ''),
      NULLIF(get_json_object(response.result, '$.response_id'), '')
    ) AS agents_id
  FROM system.access.audit
  WHERE service_name = 'aibiGenie'
    AND CAST(workspace_id AS STRING) <> '0' -- rows of the account itself
    AND action_name IS NOT NULL
    AND event_time IS NOT NULL
    AND event_date >= :first_day
    AND event_date <= :last_day
    AND NOT (
      lower(action_name) RLIKE '^(genie)?(get|list|summarize|generatedownload)'
      AND array_contains(
        split(:own_principals, ','),
        lower(COALESCE(NULLIF(user_identity.email, ''), user_identity.subject_name, ''))
      )
    )
),
seen AS (
  SELECT DISTINCT
    event_id,
    event_date,
    event_time,
    workspace_id,
    action_name,
    conversation_id,
    message_id,
    message_id IS NOT NULL
      OR (
        conversation_id IS NOT NULL
        AND status_code < 400
        AND action_name IN ('deleteconversation', 'geniedeleteconversation')
      )
      OR (
        conversation_id IS NULL
        AND space_id IS NOT NULL
        AND status_code < 400
        AND regexp_like(
          action_name,
          '^(genie)?(create|clone|copy|update|rename|move|trash|untrash|delete|restore|import|publish)[a-z]*(space|instruction|curatedquestion|samplequestion|columnconfig|file)'
        )
      )
      OR (
        conversation_id IS NOT NULL
        AND agents_id IS NOT NULL
        AND status_code < 400
        AND NOT action_name RLIKE '^(genie)?(get|list|summarize|generatedownload)'
      ) AS is_named
  FROM events
  WHERE status_code NOT IN (400, 404)
),
days AS (
  SELECT
    event_date,
    CASE WHEN event_date <= :last_exact_day THEN workspace_id END AS workspace_id,
    SUM(CASE WHEN is_named THEN 1 ELSE 0 END) AS event_count,
    COUNT(DISTINCT message_id) AS message_count,
    MAX(CASE WHEN is_named THEN event_time END) AS newest_event_time,
    SUM(
      CASE
        WHEN is_named THEN crc32(
          concat_ws(
            ' ',
            COALESCE(event_id, ''),
            action_name,
            COALESCE(conversation_id, ''),
            COALESCE(message_id, '')
          )
        )
        ELSE 0
      END
    ) AS events_sum,
    SUM(CASE WHEN is_named THEN 0 ELSE 1 END) AS unnamed_count
  FROM seen
  GROUP BY event_date, CASE WHEN event_date <= :last_exact_day THEN workspace_id END
)
SELECT
  event_date,
  workspace_id,
  event_count,
  message_count,
  newest_event_time,
  events_sum,
  unnamed_count,
  CAST(NULL AS STRING) AS workspace_name,
  CAST(NULL AS STRING) AS workspace_url,
  CAST(NULL AS STRING) AS status
FROM days
UNION ALL
SELECT
  CAST(NULL AS DATE),
  CAST(workspace_id AS STRING),
  CAST(NULL AS BIGINT),
  CAST(NULL AS BIGINT),
  CAST(NULL AS TIMESTAMP),
  CAST(NULL AS BIGINT),
  CAST(NULL AS BIGINT),
  workspace_name,
  workspace_url,
  status
FROM system.access.workspaces_latest
WHERE :and_workspaces
