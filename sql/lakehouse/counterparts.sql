-- A join: the keys of another table's rows, each once, with the latest of the values that tell their age.
LEFT JOIN (
  SELECT ${keys}, ${latest} AS latest
    FROM (
      SELECT ${picked}
        FROM ${source}
       WHERE ${conditions}
    ) AS their_rows
   GROUP BY ${keys}
) AS ${alias}
ON ${same}
