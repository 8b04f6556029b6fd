-- Performance per day, tool version and pattern; sums and sums of squares merge over days.
CREATE OR REPLACE TABLE daily_performance AS
SELECT
    date_trunc('day', started_at) AS day,
    platform, tool_name, tool_version, capability, pattern,
    count(*) AS executions,
    count(*) FILTER (status = 'success') AS succeeded,
    count(*) FILTER (status = 'no_result') AS no_result,
    count(*) FILTER (status = 'failed') AS failed,
    count(*) FILTER (status = 'timeout') AS timed_out,
    count(*) FILTER (status = 'cancelled') AS cancelled,
    count(*) FILTER (status IN ('success', 'no_result')) / count(*) AS success_rate,
    avg(duration_ms) AS mean_ms,
    quantile_cont(duration_ms, 0.5) AS p50_ms,
    quantile_cont(duration_ms, 0.95) AS p95_ms,
    max(duration_ms) AS max_ms,
    sum(duration_ms) AS sum_ms,
    sum(duration_ms * duration_ms) AS sum_square_ms2,
    median(duration_ms / estimate_ms) FILTER (estimate_ms > 0) AS median_actual_to_estimate,
    sum(cpu_seconds) AS cpu_seconds,
    sum(cost_units) AS cost_units
FROM executions
WHERE status <> 'skipped'
GROUP BY ALL;
