-- Some events of Genie, whole: they are recorded with every value replaced.
SELECT * FROM system.access.audit
WHERE service_name = 'aibiGenie'
  AND event_date >= :since
ORDER BY event_time DESC
LIMIT 50
