-- A join: the values of a list that is too long for a parameter and lies in a file.
LEFT JOIN (
  SELECT DISTINCT value
    FROM read_files(${file}, format => 'parquet')
) AS ${alias}
ON ${same}
