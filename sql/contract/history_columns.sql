-- The columns of query history, and no row.
SELECT * FROM system.query.history LIMIT 0
