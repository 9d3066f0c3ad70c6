-- Question: Was everything read that the audit log knows of, and how reliable is the Genie API?
-- Grain: one row per day of the calendar and workspace with messages in the audit log of that day.
-- Coverage: is_loaded, runs
-- Columns:
--   day DATE: UTC day of the audit events.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   is_loaded BOOLEAN: The day was loaded.
--   discovered LONG: Messages that somebody touched on this day.
--   stored LONG: Of them, those that were read and have no open error.
--   open_errors LONG: Those that cannot be read now.
--   closed LONG: Those that were given up by hand.
--   deleted LONG: Those that were deleted.
--   pending LONG: Those that are not read yet.
--   wanted LONG: discovered without closed and deleted: what completeness is computed from.
--   completeness DOUBLE: stored / wanted; NULL if there are none.
--   tried LONG: stored + open_errors: what api_success_rate is computed from.
--   api_success_rate DOUBLE: stored / tried; NULL if there are none.
--   runs LONG: Runs that asked the workspace's API for messages of the day, as far as they were noted.
--   requests LONG: Requests that they made; NULL without a run.
WITH found AS (
  SELECT
    r.event_date AS day,
    r.workspace_id,
    r.workspace_name,
    CASE
      WHEN r.is_deleted OR m.is_deleted OR (e.resolved AND e.resolution = 'DELETED') THEN 'DELETED'
      WHEN NOT e.resolved THEN 'OPEN'
      WHEN m.message_id IS NOT NULL THEN 'STORED'
      WHEN e.resolution IN ('CLOSED', 'LEFT_OUT') THEN 'CLOSED'
      ELSE 'PENDING'
    END AS place
  FROM genie_messages_to_fetch AS r
  LEFT JOIN message_details AS m ON m.workspace_id = r.workspace_id AND m.message_id = r.message_id
  LEFT JOIN message_fetch_errors AS e ON e.workspace_id = r.workspace_id AND e.message_id = r.message_id
),
counted AS (
  SELECT
    day,
    workspace_id,
    MAX(workspace_name) AS workspace_name,
    COUNT(*) AS discovered,
    COUNT(CASE WHEN place = 'STORED' THEN 1 END) AS stored,
    COUNT(CASE WHEN place = 'OPEN' THEN 1 END) AS open_errors,
    COUNT(CASE WHEN place = 'CLOSED' THEN 1 END) AS closed,
    COUNT(CASE WHEN place = 'DELETED' THEN 1 END) AS deleted,
    COUNT(CASE WHEN place = 'PENDING' THEN 1 END) AS pending
  FROM found
  GROUP BY day, workspace_id
),
ran AS (
  SELECT event_date AS day, workspace_id, COUNT(*) AS runs, CAST(SUM(requests) AS BIGINT) AS requests
  FROM genie_fetch_runs
  GROUP BY event_date, workspace_id
)
SELECT
  n.day,
  n.workspace_id,
  n.workspace_name,
  COALESCE(c.is_loaded, FALSE) AS is_loaded,
  n.discovered,
  n.stored,
  n.open_errors,
  n.closed,
  n.deleted,
  n.pending,
  n.stored + n.open_errors + n.pending AS wanted,
  CAST(n.stored AS DOUBLE) / NULLIF(n.stored + n.open_errors + n.pending, 0) AS completeness,
  n.stored + n.open_errors AS tried,
  CAST(n.stored AS DOUBLE) / NULLIF(n.stored + n.open_errors, 0) AS api_success_rate,
  COALESCE(r.runs, 0) AS runs,
  r.requests
FROM counted AS n
LEFT JOIN calendar AS c ON c.day = n.day
LEFT JOIN ran AS r ON r.day = n.day AND r.workspace_id = n.workspace_id
