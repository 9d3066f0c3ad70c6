-- The columns of a table.
DESCRIBE TABLE ${table}
