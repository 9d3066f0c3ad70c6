-- Whether workspaces run, in numbers.
SELECT status, COUNT(*) AS workspaces
FROM system.access.workspaces_latest
GROUP BY status
LIMIT 100
