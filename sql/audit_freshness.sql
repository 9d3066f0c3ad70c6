-- How far the audit log has come, whatever the service.
SELECT MAX(event_time) AS newest
FROM system.access.audit
WHERE event_date >= :event_date
