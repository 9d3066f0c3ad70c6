-- The tables of a schema.
SHOW TABLES IN ${schema}
