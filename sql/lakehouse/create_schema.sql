-- Creates the schema of the tables.
CREATE SCHEMA IF NOT EXISTS ${schema}
