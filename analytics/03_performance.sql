-- Performance per period, tool version and pattern; used by the two files that follow. Durations are
-- those of status success; below one microsecond ln takes one microsecond, so that every sum is over
-- `timed` rows. Sums and sums of squares merge over periods, quantiles do not.
CREATE OR REPLACE TEMP MACRO performance_by(grain) AS TABLE
SELECT
    date_trunc(grain, started_at) AS period,
    tenant, environment, platform, tool_name, tool_version, max(tool_id) AS tool_id, capability, pattern,
    count(*) FILTER (status <> 'skipped') AS executions,
    count(*) FILTER (status = 'success') AS succeeded,
    count(*) FILTER (status = 'no_result') AS no_result,
    count(*) FILTER (status = 'failed') AS failed,
    count(*) FILTER (status = 'timeout') AS timed_out,
    count(*) FILTER (status = 'cancelled') AS cancelled,
    count(*) FILTER (status = 'skipped') AS skipped,
    count(*) FILTER (status IN ('success', 'no_result'))
        / nullif(count(*) FILTER (status NOT IN ('cancelled', 'skipped')), 0) AS success_rate,
    count(*) FILTER (status = 'success') AS timed,
    avg(duration_ms) FILTER (status = 'success') AS mean_ms,
    quantile_cont(duration_ms, 0.5) FILTER (status = 'success') AS p50_ms,
    quantile_cont(duration_ms, 0.95) FILTER (status = 'success') AS p95_ms,
    max(duration_ms) FILTER (status = 'success') AS max_ms,
    sum(duration_ms) FILTER (status = 'success') AS sum_ms,
    sum(duration_ms * duration_ms) FILTER (status = 'success') AS sum_square_ms2,
    sum(ln(greatest(duration_ms, 0.001))) FILTER (status = 'success') AS sum_ln_ms,
    sum(ln(greatest(duration_ms, 0.001)) ** 2) FILTER (status = 'success') AS sum_square_ln_ms,
    median(duration_ms / estimate_ms) FILTER (status = 'success' AND estimate_ms > 0)
        AS median_actual_to_estimate,
    sum(cpu_seconds) AS cpu_seconds,
    sum(cost_units) AS cost_units
FROM executions
GROUP BY ALL;
