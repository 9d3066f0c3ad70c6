-- Some statements of Genie, whole: they are recorded with every value replaced.
SELECT * FROM system.query.history
WHERE start_time >= :since
  AND query_source.genie_space_id IS NOT NULL
ORDER BY start_time DESC
LIMIT 20
