-- Successful executions against their estimate, in order of time: what drift is judged by.
CREATE OR REPLACE VIEW estimate_ratio AS
SELECT
    tenant, environment, host, platform, tool_name, tool_version, tool_id, capability, pattern,
    run_id, step, item, attempt, experiment, arm, started_at,
    duration_ms, estimate_ms, estimate_basis, estimate_revision,
    variables_before, variables_measured, variables, ln_ratio
FROM facts
WHERE status = 'success'
ORDER BY started_at, run_id, step, item, attempt;
COMMENT ON VIEW estimate_ratio IS 'Successful executions against their estimate, in order of time. Columns as in `facts`.';
