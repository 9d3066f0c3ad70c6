-- Inserts, updates and deletes rows by key. Repeated, it finds nothing left to do.
MERGE INTO ${table} AS t
USING (SELECT ${columns}, `__action` FROM read_files(${file}, format => 'parquet')) AS s
ON ${same}
WHEN MATCHED AND s.`__action` = 'delete' THEN DELETE
WHEN MATCHED AND s.`__action` = 'store' AND NOT (${equal}) THEN UPDATE SET ${changes}
WHEN NOT MATCHED AND s.`__action` = 'store' THEN INSERT (${columns}) VALUES (${values})
