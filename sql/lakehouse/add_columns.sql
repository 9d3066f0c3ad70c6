-- Adds the columns that an older version of a table lacks.
ALTER TABLE ${table} ADD COLUMNS (
  ${columns}
)
