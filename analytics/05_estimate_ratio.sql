-- Successful executions with their estimate, in order of time: what drift and recalibration read.
CREATE OR REPLACE VIEW estimate_ratio AS
SELECT
    platform, tool_name, tool_version, tool_id, capability, pattern, run_id, started_at,
    duration_ms, estimate_ms, estimate_basis, estimate_revision, variables_before, variables_measured,
    CASE WHEN estimate_ms > 0 AND duration_ms > 0 THEN ln(duration_ms / estimate_ms) END AS ln_ratio
FROM executions
WHERE status = 'success'
ORDER BY started_at, run_id, step, item;
