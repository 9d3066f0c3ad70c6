-- Every current workspace of the account, with its name, its address, and whether it runs.
SELECT
  CAST(workspace_id AS STRING) AS workspace_id,
  workspace_name,
  workspace_url,
  status
FROM system.access.workspaces_latest
