-- How many rows a day has, and how many of the new rows are stored already as they are.
SELECT COUNT(*) AS stored,
       COUNT(DISTINCT CASE WHEN s.`__row` IS NOT NULL AND ${equal} THEN s.`__row` END) AS same
  FROM (SELECT ${columns} FROM ${table} WHERE ${within}) AS t
  LEFT JOIN (SELECT ${columns}, `__row` FROM read_files(${file}, format => 'parquet')) AS s
    ON ${same}
