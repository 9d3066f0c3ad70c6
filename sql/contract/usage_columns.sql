-- The columns of billable usage, and no row.
SELECT * FROM system.billing.usage LIMIT 0
