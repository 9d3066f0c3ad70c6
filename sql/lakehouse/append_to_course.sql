-- Adds rows to a history, but none that says what the row of its thing before or after it says. Repeated, it adds
-- nothing. Whoever writes at the same time is seen: then the statement is refused as a whole, and sent again.
MERGE INTO ${table} AS t
USING (
  SELECT ${picked}
    FROM (SELECT ${columns} FROM read_files(${file}, format => 'parquet')) AS r
    LEFT JOIN (
      SELECT ${thing}, r.${at},
             max_by(t.${says}, t.${at}) FILTER (WHERE t.${at} <= r.${at}) AS before,
             min_by(t.${says}, t.${at}) FILTER (WHERE t.${at} > r.${at}) AS after
        FROM (SELECT ${told} FROM read_files(${file}, format => 'parquet')) AS r
        JOIN (SELECT ${told} FROM ${table} WHERE ${within}) AS t
          ON ${same_thing}
       GROUP BY ${thing}, r.${at}
    ) AS n
    ON ${neighbours}
   WHERE NOT (n.before <=> r.${says}) AND NOT (n.after <=> r.${says})
) AS s
ON ${same}
WHEN NOT MATCHED THEN INSERT (${columns}) VALUES (${values})
