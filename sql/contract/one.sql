-- One row of one column.
SELECT 1 AS one
