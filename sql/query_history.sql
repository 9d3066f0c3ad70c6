-- How the named statements ran. Statement ids come as one comma-separated parameter; the time window only prunes.
SELECT
  CAST(workspace_id AS STRING) AS workspace_id,
  statement_id,
  execution_status,
  total_duration_ms,
  waiting_for_compute_duration_ms,
  waiting_at_capacity_duration_ms,
  compilation_duration_ms,
  execution_duration_ms,
  result_fetch_duration_ms,
  from_result_cache,
  start_time,
  end_time,
  update_time,
  compute.warehouse_id AS warehouse_id,
  read_rows,
  read_bytes,
  error_message
FROM system.query.history
WHERE start_time >= :from_time
  AND start_time < :to_time
  AND statement_id IN (SELECT explode(split(:statement_ids, ',')))
