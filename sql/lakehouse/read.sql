-- Rows that meet all conditions.
SELECT${distinct} ${columns}
  FROM ${source}
 WHERE ${conditions}
${limit}
