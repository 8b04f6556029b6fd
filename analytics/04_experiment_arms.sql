-- What each arm of each experiment did: exposures, and sufficient statistics of time in ms and ln ms.
CREATE OR REPLACE TABLE experiment_arms AS
SELECT
    experiment, arm, platform, tool_name, tool_version,
    count(*) AS exposures,
    count(*) FILTER (status IN ('success', 'no_result')) AS successes,
    count(duration_ms) FILTER (status = 'success') AS timed,
    sum(duration_ms) FILTER (status = 'success') AS sum_ms,
    sum(duration_ms * duration_ms) FILTER (status = 'success') AS sum_square_ms2,
    sum(ln(duration_ms)) FILTER (status = 'success' AND duration_ms > 0) AS sum_ln_ms,
    sum(ln(duration_ms) * ln(duration_ms)) FILTER (status = 'success' AND duration_ms > 0) AS sum_square_ln_ms,
    min(started_at) AS first_at,
    max(started_at) AS last_at
FROM executions
WHERE experiment IS NOT NULL AND attempt = 1 AND status NOT IN ('skipped', 'cancelled')
GROUP BY ALL;
