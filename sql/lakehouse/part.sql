-- One of several questions that are asked at once: whose answer a row is, and its cells as texts.
SELECT ${whose} AS question, ${cells}
  FROM (
${asked}
  ) AS part
