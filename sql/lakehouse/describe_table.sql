-- The columns of a table, and its properties.
DESCRIBE TABLE EXTENDED ${table}
