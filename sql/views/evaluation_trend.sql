-- Question: How well did a space answer its benchmark questions under each of its configurations?
-- Grain: one row per space and version of its configuration under which an evaluation was started.
-- Coverage: evaluations, not_counted, results_without_details
-- An evaluation belongs to the version that was in force when it was started. A version begins when the space says
-- that it was changed; where it tells no time that fits, with the first look that found it, which may be up to a day
-- later. Questions that a person still has to judge are not counted as correct. Evaluations may ask only some of the
-- questions, and few of them: a difference of a few questions is chance.
-- Columns:
--   workspace_id STRING: Workspace.
--   space_id STRING: Genie space.
--   space_name STRING: Its title.
--   found_at TIMESTAMP: First look that found the version; NULL for evaluations before the first known one.
--   in_force_from TIMESTAMP: From then on, evaluations count to the version.
--   config_hash STRING: Names what the configuration says.
--   changed_sections ARRAY<STRING>: What differs from the version before.
--   first_started_at TIMESTAMP: Start of the first evaluation under it.
--   last_started_at TIMESTAMP: Start of the last one.
--   evaluations LONG: Evaluations that are done and tell their counts.
--   not_counted LONG: Others: still running, failed, cancelled, or without counts.
--   answers LONG: Answers to benchmark questions in them, each evaluation's added up.
--   correct LONG: Of these, those that were found good.
--   needs_review LONG: Those that a person has to judge.
--   share_correct DOUBLE: correct / answers; NULL if there are none.
--   previous_share_correct DOUBLE: The same of the version before it that was evaluated; NULL if there is none.
--   results_without_details LONG: Results whose details were gone before they were read.
WITH evaluated_versions AS (
  SELECT
    workspace_id,
    space_id,
    config_hash,
    changed_sections,
    valid_from,
    update_time,
    LAG(valid_from) OVER (PARTITION BY workspace_id, space_id ORDER BY valid_from) AS found_before
  FROM genie_space_versions
),
version_begins AS (
  SELECT
    *,
    CASE
      WHEN update_time <= valid_from AND COALESCE(update_time > found_before, TRUE) THEN update_time
      ELSE valid_from
    END AS in_force_from
  FROM evaluated_versions
),
version_spans AS (
  SELECT
    *,
    LEAD(in_force_from) OVER (PARTITION BY workspace_id, space_id ORDER BY valid_from) AS in_force_until
  FROM version_begins
),
details_lost AS (
  SELECT workspace_id, space_id, eval_run_id, COUNT(*) AS results_without_details
  FROM genie_evaluation_results
  WHERE NOT has_details
  GROUP BY workspace_id, space_id, eval_run_id
),
started AS (
  SELECT
    workspace_id,
    space_id,
    eval_run_id,
    TIMESTAMP_MILLIS(created_timestamp) AS started_at,
    num_done,
    num_correct,
    num_needs_review,
    status = 'DONE' AND num_done IS NOT NULL AND num_correct IS NOT NULL AS is_counted
  FROM genie_evaluation_runs
),
placed AS (
  SELECT
    r.workspace_id,
    r.space_id,
    v.valid_from,
    v.in_force_from,
    v.config_hash,
    v.changed_sections,
    r.started_at,
    COALESCE(r.is_counted, FALSE) AS is_counted,
    r.num_done,
    r.num_correct,
    r.num_needs_review,
    l.results_without_details
  FROM started AS r
  LEFT JOIN version_spans AS v
    ON v.workspace_id = r.workspace_id AND v.space_id = r.space_id
    AND r.started_at >= v.in_force_from AND r.started_at < COALESCE(v.in_force_until, r.started_at + INTERVAL 1 DAY)
  LEFT JOIN details_lost AS l
    ON l.workspace_id = r.workspace_id AND l.space_id = r.space_id AND l.eval_run_id = r.eval_run_id
),
summed AS (
  SELECT
    workspace_id,
    space_id,
    valid_from,
    MAX(in_force_from) AS in_force_from,
    MAX(config_hash) AS config_hash,
    MIN(started_at) AS first_started_at,
    MAX(started_at) AS last_started_at,
    COUNT(CASE WHEN is_counted THEN 1 END) AS evaluations,
    COUNT(CASE WHEN NOT is_counted THEN 1 END) AS not_counted,
    CAST(SUM(CASE WHEN is_counted THEN num_done END) AS BIGINT) AS answers,
    CAST(SUM(CASE WHEN is_counted THEN num_correct END) AS BIGINT) AS correct,
    CAST(SUM(CASE WHEN is_counted THEN num_needs_review END) AS BIGINT) AS needs_review,
    CAST(COALESCE(SUM(results_without_details), 0) AS BIGINT) AS results_without_details
  FROM placed
  GROUP BY workspace_id, space_id, valid_from
),
shares AS (
  SELECT *, CAST(correct AS DOUBLE) / NULLIF(answers, 0) AS share_correct
  FROM summed
),
compared_shares AS (
  SELECT
    workspace_id,
    space_id,
    valid_from,
    LAG(share_correct) OVER (
      PARTITION BY workspace_id, space_id ORDER BY COALESCE(valid_from, TIMESTAMP '1970-01-01 00:00:00')
    ) AS previous_share_correct
  FROM shares
  WHERE share_correct IS NOT NULL
)
SELECT
  t.workspace_id,
  t.space_id,
  s.title AS space_name,
  t.valid_from AS found_at,
  t.in_force_from,
  t.config_hash,
  v.changed_sections,
  t.first_started_at,
  t.last_started_at,
  t.evaluations,
  t.not_counted,
  t.answers,
  t.correct,
  t.needs_review,
  t.share_correct,
  c.previous_share_correct,
  t.results_without_details
FROM shares AS t
LEFT JOIN compared_shares AS c
  ON c.workspace_id = t.workspace_id AND c.space_id = t.space_id
  AND COALESCE(c.valid_from, TIMESTAMP '1970-01-01 00:00:00')
  = COALESCE(t.valid_from, TIMESTAMP '1970-01-01 00:00:00')
LEFT JOIN evaluated_versions AS v
  ON v.workspace_id = t.workspace_id AND v.space_id = t.space_id AND v.valid_from = t.valid_from
LEFT JOIN genie_space_details AS s ON s.workspace_id = t.workspace_id AND s.space_id = t.space_id
