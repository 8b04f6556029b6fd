-- Successful executions of tool versions in the catalogue: what estimates are fitted to.
CREATE OR REPLACE VIEW recalibration_points AS
SELECT
    tenant, environment, host, tool_id, platform, tool_name, tool_version, capability, pattern,
    run_id, step, item, attempt, started_at,
    duration_ms, cost_units, cpu_seconds, variables, estimate_ms, estimate_cost_units, estimate_revision
FROM facts
WHERE status = 'success' AND tool_id IS NOT NULL AND duration_ms > 0
ORDER BY started_at, run_id, step, item, attempt;
COMMENT ON VIEW recalibration_points IS 'Points that estimates are fitted to. Columns as in `facts`.';
