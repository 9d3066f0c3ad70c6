-- Closed days that were written since the table was last compacted, or were not closed then.
SELECT DISTINCT t.${day} AS `day`
  FROM ${table} AS t
 WHERE t.${day} < ${today}
   AND (${written})
