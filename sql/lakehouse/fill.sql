-- Gives rows that lack a value of one column that value, by key. Repeated, it finds nothing left to do.
MERGE INTO ${table} AS t
USING (SELECT ${columns} FROM read_files(${file}, format => 'parquet')) AS s
ON ${same}
WHEN MATCHED AND t.${column} IS NULL THEN UPDATE SET ${changes}
