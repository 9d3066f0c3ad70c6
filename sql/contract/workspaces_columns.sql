-- The columns of the list of workspaces, and no row.
SELECT * FROM system.access.workspaces_latest LIMIT 0
