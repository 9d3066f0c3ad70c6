-- Brings the properties of a table up to date with its columns.
ALTER TABLE ${table} SET ${properties}
