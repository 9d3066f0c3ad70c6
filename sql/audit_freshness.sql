-- How far the audit log of a region has come, whatever the service. Rows of the account itself are shown in every
-- region, and say nothing of its workspaces.
SELECT MAX(event_time) AS newest
FROM system.access.audit
WHERE event_date >= :event_date
  AND CAST(workspace_id AS STRING) <> '0'
