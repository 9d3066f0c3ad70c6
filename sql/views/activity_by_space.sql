-- Question: How much is asked each day in each space, by how many people, and does it work?
-- Grain: one row per day of the calendar and workspace and space that is known; days without messages are there.
-- Coverage: is_loaded, unread_messages
-- Columns:
--   day DATE: UTC day.
--   workspace_id STRING: Workspace.
--   workspace_name STRING: Its name.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   is_loaded BOOLEAN: The day was loaded; if not, all numbers are NULL.
--   unread_messages LONG: Asked on this day, says the audit log, and not read: what follows lacks them.
--   messages LONG: Messages asked; NULL if there are unread ones only.
--   conversations LONG: Conversations with one of them.
--   users LONG: Distinct people who asked, service principals left out.
--   service_principals LONG: Distinct service principals that asked.
--   answered LONG: Messages with an answer.
--   failed LONG: Messages that Genie could not answer.
--   cancelled LONG: Messages that somebody cancelled.
--   unsettled LONG: Messages that were still running at the last look.
--   withheld LONG: Messages whose answer is not shown to us.
--   deleted LONG: Messages that were deleted since.
--   judged LONG: answered + failed: what the rates are computed from.
--   success_rate DOUBLE: answered / judged; NULL if there are none.
--   failure_rate DOUBLE: failed / judged; NULL if there are none.
WITH places AS (
  SELECT workspace_id, space_id FROM message_details
  UNION
  SELECT workspace_id, space_id FROM genie_messages_to_fetch WHERE space_id IS NOT NULL
  UNION
  SELECT workspace_id, space_id FROM genie_space_details
),
grid AS (
  SELECT c.day, c.is_loaded, p.workspace_id, p.space_id
  FROM calendar AS c
  CROSS JOIN places AS p
),
asked AS (
  SELECT
    day,
    workspace_id,
    space_id,
    COUNT(*) AS messages,
    COUNT(DISTINCT conversation_id) AS conversations,
    COUNT(DISTINCT CASE WHEN user_kind <> 'SERVICE_PRINCIPAL' THEN user_key END) AS users,
    COUNT(DISTINCT CASE WHEN user_kind = 'SERVICE_PRINCIPAL' THEN user_key END) AS service_principals,
    COUNT(CASE WHEN outcome = 'ANSWERED' THEN 1 END) AS answered,
    COUNT(CASE WHEN outcome = 'FAILED' THEN 1 END) AS failed,
    COUNT(CASE WHEN outcome = 'CANCELLED' THEN 1 END) AS cancelled,
    COUNT(CASE WHEN outcome = 'UNSETTLED' THEN 1 END) AS unsettled,
    COUNT(CASE WHEN outcome = 'WITHHELD' THEN 1 END) AS withheld,
    COUNT(CASE WHEN outcome = 'DELETED' THEN 1 END) AS deleted
  FROM message_overview
  GROUP BY day, workspace_id, space_id
),
unread AS (
  SELECT day, workspace_id, space_id, COUNT(DISTINCT message_id) AS unread_messages
  FROM unread_messages
  WHERE is_new
  GROUP BY day, workspace_id, space_id
),
counted AS (
  SELECT
    g.day,
    g.workspace_id,
    g.space_id,
    g.is_loaded,
    CASE WHEN g.is_loaded THEN COALESCE(u.unread_messages, 0) END AS unread_messages,
    g.is_loaded AND (a.messages IS NOT NULL OR u.unread_messages IS NULL) AS is_known,
    a.messages,
    a.conversations,
    a.users,
    a.service_principals,
    a.answered,
    a.failed,
    a.cancelled,
    a.unsettled,
    a.withheld,
    a.deleted
  FROM grid AS g
  LEFT JOIN asked AS a
    ON a.day = g.day AND a.workspace_id = g.workspace_id AND a.space_id = g.space_id
  LEFT JOIN unread AS u
    ON u.day = g.day AND u.workspace_id = g.workspace_id AND u.space_id = g.space_id
)
SELECT
  n.day,
  n.workspace_id,
  w.workspace_name,
  n.space_id,
  s.title AS space_name,
  n.is_loaded,
  n.unread_messages,
  CASE WHEN n.is_known THEN COALESCE(n.messages, 0) END AS messages,
  CASE WHEN n.is_known THEN COALESCE(n.conversations, 0) END AS conversations,
  CASE WHEN n.is_known THEN COALESCE(n.users, 0) END AS users,
  CASE WHEN n.is_known THEN COALESCE(n.service_principals, 0) END AS service_principals,
  CASE WHEN n.is_known THEN COALESCE(n.answered, 0) END AS answered,
  CASE WHEN n.is_known THEN COALESCE(n.failed, 0) END AS failed,
  CASE WHEN n.is_known THEN COALESCE(n.cancelled, 0) END AS cancelled,
  CASE WHEN n.is_known THEN COALESCE(n.unsettled, 0) END AS unsettled,
  CASE WHEN n.is_known THEN COALESCE(n.withheld, 0) END AS withheld,
  CASE WHEN n.is_known THEN COALESCE(n.deleted, 0) END AS deleted,
  CASE WHEN n.is_known THEN COALESCE(n.answered + n.failed, 0) END AS judged,
  CASE WHEN n.is_known THEN CAST(n.answered AS DOUBLE) / NULLIF(n.answered + n.failed, 0) END AS success_rate,
  CASE WHEN n.is_known THEN CAST(n.failed AS DOUBLE) / NULLIF(n.answered + n.failed, 0) END AS failure_rate
FROM counted AS n
LEFT JOIN workspaces AS w ON w.workspace_id = n.workspace_id
LEFT JOIN genie_space_details AS s ON s.workspace_id = n.workspace_id AND s.space_id = n.space_id
