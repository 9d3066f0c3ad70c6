-- Makes one day equal to the rows of a file.
INSERT INTO ${table} REPLACE WHERE ${within}
SELECT ${columns}
  FROM read_files(${file}, format => 'parquet')
