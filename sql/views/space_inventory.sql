-- Question: Which spaces are there, how are they configured, and which does nobody use?
-- Grain: one row per space that was ever listed, configured or used.
-- Coverage: is_configuration_known, history_since
-- Columns:
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   description STRING: Its description.
--   warehouse_id STRING: Warehouse that runs its SQL.
--   is_trashed BOOLEAN: It was read before and is gone now.
--   api_fetch_status STRING: SUCCESS, or the error class of the last look.
--   made_by STRING: PEOPLE, UNLISTED (most likely a dashboard or another integration), or NULL where not known.
--   tags STRING: Its tags, as a JSON object of key to value; {} for none, NULL where not known.
--   is_configuration_known BOOLEAN: Its configuration could be exported; if not, the numbers of its parts are NULL.
--   history_since DATE: First loaded day: what was asked before it is not known.
--   messages LONG: Messages that were read.
--   unread_messages LONG: Messages that the audit log names and that were not read.
--   conversations LONG: Conversations.
--   users LONG: Distinct people who asked, service principals left out.
--   first_used_on DATE: Day of the first known message.
--   last_used_on DATE: Day of the last known message.
--   is_never_used BOOLEAN: No message of it is known; NULL while no day is loaded.
--   table_columns LONG: Columns of its tables that are configured.
--   tables LONG: Tables and views.
--   metric_views LONG: Metric views.
--   joins LONG: Joins.
--   instructions LONG: Instructions in words.
--   example_queries LONG: Example questions with SQL.
--   functions LONG: SQL functions.
--   filters LONG: SQL filters.
--   expressions LONG: SQL expressions.
--   measures LONG: SQL measures.
--   sample_questions LONG: Sample questions.
--   benchmarks LONG: Benchmark questions.
WITH spaces AS (
  SELECT workspace_id, space_id FROM genie_space_details
  UNION
  SELECT workspace_id, space_id FROM message_details
  UNION
  SELECT workspace_id, space_id FROM genie_messages_to_fetch WHERE space_id IS NOT NULL
),
used AS (
  SELECT
    workspace_id,
    space_id,
    MAX(space_name) AS space_name,
    COUNT(*) AS messages,
    COUNT(DISTINCT conversation_id) AS conversations,
    COUNT(DISTINCT CASE WHEN user_kind <> 'SERVICE_PRINCIPAL' THEN user_key END) AS users,
    MIN(day) AS first_used_on,
    MAX(day) AS last_used_on
  FROM message_overview
  GROUP BY workspace_id, space_id
),
unread AS (
  SELECT workspace_id, space_id, COUNT(DISTINCT message_id) AS unread_messages
  FROM unread_messages
  GROUP BY workspace_id, space_id
),
history AS (
  SELECT MIN(event_date) AS history_since
  FROM genie_day_loads
),
configured AS (
  SELECT
    workspace_id,
    space_id,
    GET_JSON_OBJECT(serialized_space, '$.version') IS NOT NULL
      OR GET_JSON_OBJECT(serialized_space, '$.data_sources') IS NOT NULL AS is_configuration_known,
    GET_JSON_OBJECT(serialized_space, '$.data_sources') AS data_sources,
    GET_JSON_OBJECT(serialized_space, '$.data_sources.tables') AS tables,
    GET_JSON_OBJECT(serialized_space, '$.data_sources.metric_views') AS metric_views,
    GET_JSON_OBJECT(serialized_space, '$.instructions.join_specs') AS joins,
    GET_JSON_OBJECT(serialized_space, '$.instructions.text_instructions') AS instructions,
    GET_JSON_OBJECT(serialized_space, '$.instructions.example_question_sqls') AS example_queries,
    GET_JSON_OBJECT(serialized_space, '$.instructions.sql_functions') AS functions,
    GET_JSON_OBJECT(serialized_space, '$.instructions.sql_snippets.filters') AS filters,
    GET_JSON_OBJECT(serialized_space, '$.instructions.sql_snippets.expressions') AS expressions,
    GET_JSON_OBJECT(serialized_space, '$.instructions.sql_snippets.measures') AS measures,
    GET_JSON_OBJECT(serialized_space, '$.config.sample_questions') AS sample_questions,
    GET_JSON_OBJECT(serialized_space, '$.benchmarks.questions') AS benchmarks
  FROM genie_space_details
)
SELECT
  p.workspace_id,
  w.workspace_name,
  p.space_id,
  COALESCE(s.title, u.space_name) AS space_name,
  s.description,
  s.warehouse_id,
  s.is_trashed,
  s.api_fetch_status,
  s.made_by,
  s.tags,
  COALESCE(k.is_configuration_known, FALSE) AS is_configuration_known,
  h.history_since,
  COALESCE(u.messages, 0) AS messages,
  COALESCE(n.unread_messages, 0) AS unread_messages,
  COALESCE(u.conversations, 0) AS conversations,
  COALESCE(u.users, 0) AS users,
  u.first_used_on,
  u.last_used_on,
  CASE WHEN h.history_since IS NOT NULL THEN u.messages IS NULL AND n.unread_messages IS NULL END AS is_never_used,
  -- Within a text, a quote stands behind a backslash: only keys look like this.
  CASE
    WHEN k.data_sources IS NOT NULL THEN CAST(SIZE(SPLIT(k.data_sources, '"column(_name)?"\\s*:')) - 1 AS BIGINT)
  END AS table_columns,
  CASE
    WHEN k.tables LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.tables) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS tables,
  CASE
    WHEN k.metric_views LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.metric_views) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS metric_views,
  CASE
    WHEN k.joins LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.joins) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS joins,
  CASE
    WHEN k.instructions LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.instructions) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS instructions,
  CASE
    WHEN k.example_queries LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.example_queries) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS example_queries,
  CASE
    WHEN k.functions LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.functions) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS functions,
  CASE
    WHEN k.filters LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.filters) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS filters,
  CASE
    WHEN k.expressions LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.expressions) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS expressions,
  CASE
    WHEN k.measures LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.measures) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS measures,
  CASE
    WHEN k.sample_questions LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.sample_questions) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS sample_questions,
  CASE
    WHEN k.benchmarks LIKE '[%' THEN CAST(JSON_ARRAY_LENGTH(k.benchmarks) AS BIGINT)
    WHEN k.is_configuration_known THEN 0
  END AS benchmarks
FROM spaces AS p
CROSS JOIN history AS h
LEFT JOIN genie_space_details AS s ON s.workspace_id = p.workspace_id AND s.space_id = p.space_id
LEFT JOIN configured AS k ON k.workspace_id = p.workspace_id AND k.space_id = p.space_id
LEFT JOIN used AS u ON u.workspace_id = p.workspace_id AND u.space_id = p.space_id
LEFT JOIN unread AS n ON n.workspace_id = p.workspace_id AND n.space_id = p.space_id
LEFT JOIN workspaces AS w ON w.workspace_id = p.workspace_id
