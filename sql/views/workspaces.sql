-- Question: Which workspaces are there, and where?
-- Grain: one row per workspace that the audit log names together with a message.
-- Coverage: last_event_date
-- Columns:
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name, as the latest day that tells one knows it.
--   workspace_url STRING: Its address, as the latest day that tells one knows it.
--   first_event_date DATE: First day with an event about a message.
--   last_event_date DATE: Last such day.
SELECT
  workspace_id,
  MAX(CASE WHEN workspace_name IS NOT NULL THEN STRUCT(event_date, workspace_name) END).workspace_name AS workspace_name,
  MAX(CASE WHEN workspace_url IS NOT NULL THEN STRUCT(event_date, workspace_url) END).workspace_url AS workspace_url,
  MIN(event_date) AS first_event_date,
  MAX(event_date) AS last_event_date
FROM genie_messages_to_fetch
GROUP BY workspace_id
