-- How many rows a merge would insert, update and delete.
SELECT count_if(s.`__action` = 'store' AND t.`__stored` IS NULL) AS inserted,
       count_if(s.`__action` = 'store' AND t.`__stored` AND NOT (${equal})) AS updated,
       count_if(s.`__action` = 'delete' AND t.`__stored`) AS deleted
  FROM (SELECT ${columns}, `__action` FROM read_files(${file}, format => 'parquet')) AS s
  LEFT JOIN (SELECT ${columns}, true AS `__stored` FROM ${table} WHERE ${within}) AS t
    ON ${same}
