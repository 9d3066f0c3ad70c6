-- Every current workspace of the account, with its name and address.
SELECT
  CAST(workspace_id AS STRING) AS workspace_id,
  workspace_name,
  workspace_url
FROM system.access.workspaces_latest
