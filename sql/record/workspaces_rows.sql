-- Some workspaces, whole: they are recorded with every value replaced.
SELECT * FROM system.access.workspaces_latest LIMIT 20
