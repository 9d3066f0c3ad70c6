-- What Genie's events of some days are called, and which parameters they name: no values.
SELECT
  action_name,
  map_keys(request_params) AS named,
  MAX(CASE WHEN response.result IS NOT NULL THEN 1 ELSE 0 END) AS has_result,
  COUNT(*) AS events
FROM system.access.audit
WHERE service_name = 'aibiGenie'
  AND event_date >= :since
GROUP BY action_name, map_keys(request_params)
ORDER BY action_name
LIMIT 1000
