-- Rows that meet all conditions, counted by values and by further conditions.
SELECT ${columns}
  FROM (
    SELECT ${keys}COUNT(*) AS `count`
      FROM (
        SELECT ${picked}
          FROM ${source}
         WHERE ${conditions}
      ) AS met
    ${group}
  ) AS counted
 WHERE `count` >= ${at_least}
