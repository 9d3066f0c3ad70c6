-- The values that our own rows have in a column, so that less of the other table is read.
SELECT ${column}
  FROM ${source}
 WHERE ${conditions}
