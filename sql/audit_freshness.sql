-- How far the audit log of a region has come, whatever the service. Rows of the account itself are shown in every
-- region, and say nothing of its workspaces. One of a day that has not come yet would make it fresh for ever.
SELECT MAX(event_time) AS newest
FROM system.access.audit
WHERE event_date >= :event_date
  AND event_date <= :last_day
  AND CAST(workspace_id AS STRING) <> '0'
