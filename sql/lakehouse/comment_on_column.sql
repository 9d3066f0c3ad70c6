-- Says what a column of a view means.
COMMENT ON COLUMN ${column} IS ${comment}
