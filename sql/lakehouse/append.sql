-- Adds rows. Repeated, it adds nothing: rows that are there already are found by the columns in ON.
MERGE INTO ${table} AS t
USING (SELECT ${columns} FROM read_files(${file}, format => 'parquet')) AS s
ON ${same}
WHEN NOT MATCHED THEN INSERT (${columns}) VALUES (${values})
