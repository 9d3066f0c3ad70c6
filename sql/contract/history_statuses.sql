-- How statements of some days ended: no texts.
SELECT execution_status, COUNT(*) AS statements
FROM system.query.history
WHERE start_time >= :since
GROUP BY execution_status
LIMIT 100
