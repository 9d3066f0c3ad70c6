-- Of the rows that meet all conditions, the newest of each group.
SELECT${distinct} ${columns}
  FROM (
    SELECT ${picked},
           ROW_NUMBER() OVER (PARTITION BY ${per} ORDER BY ${by}) AS `__place`
      FROM ${source}
     WHERE ${conditions}
  ) AS chosen
 WHERE `__place` = 1
${limit}
