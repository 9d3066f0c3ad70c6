-- The columns of the audit log, and no row.
SELECT * FROM system.access.audit LIMIT 0
