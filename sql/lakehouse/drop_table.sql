-- Drops a table with all its rows.
DROP TABLE IF EXISTS ${table}
