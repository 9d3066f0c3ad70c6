-- The latest commits of a table.
DESCRIBE HISTORY ${table} LIMIT ${commits}
