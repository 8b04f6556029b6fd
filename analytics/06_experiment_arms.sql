-- What each arm of each experiment did. First attempts only: a retry is caused by the attempt before
-- it. Executions of one unit are not independent, so the same numbers are given per unit, with the
-- unit's mean as one observation.
CREATE OR REPLACE TABLE experiment_arms AS
WITH exposed AS (
    SELECT
        e.*,
        ln(greatest(e.duration_ms, 0.001)) AS ln_ms,
        CASE t.unit
            WHEN 'user' THEN e.user_id
            WHEN 'item' THEN concat_ws('/', e.run_id, e.step, e.item)
            ELSE e.run_id
        END AS unit
    FROM executions AS e
    LEFT JOIN tool_ab_tests AS t ON t.tenant = e.tenant AND t.test_name = e.experiment
    WHERE e.experiment IS NOT NULL AND e.arm IS NOT NULL AND e.attempt = 1 AND e.status <> 'skipped'
),
per_unit AS (
    SELECT
        tenant, experiment, arm, platform, tool_name, tool_version, unit,
        avg(ln_ms) FILTER (status = 'success') AS ln_ms,
        avg(CASE WHEN status IN ('success', 'no_result') THEN 1.0 ELSE 0.0 END)
            FILTER (status <> 'cancelled') AS success_rate
    FROM exposed
    GROUP BY ALL
),
units AS (
    SELECT
        tenant, experiment, arm, platform, tool_name, tool_version,
        count(*) AS units,
        count(ln_ms) AS timed_units,
        sum(ln_ms) AS sum_unit_ln_ms,
        sum(ln_ms ** 2) AS sum_square_unit_ln_ms,
        count(success_rate) AS finished_units,
        sum(success_rate) AS sum_unit_success_rate,
        sum(success_rate ** 2) AS sum_square_unit_success_rate
    FROM per_unit
    GROUP BY ALL
),
executed AS (
    SELECT
        tenant, experiment, arm, platform, tool_name, tool_version,
        count(*) FILTER (status <> 'cancelled') AS exposures,
        count(*) FILTER (status IN ('success', 'no_result')) AS successes,
        count(*) FILTER (status = 'cancelled') AS cancelled,
        count(*) FILTER (status = 'success') AS timed,
        sum(duration_ms) FILTER (status = 'success') AS sum_ms,
        sum(duration_ms ** 2) FILTER (status = 'success') AS sum_square_ms2,
        sum(ln_ms) FILTER (status = 'success') AS sum_ln_ms,
        sum(ln_ms ** 2) FILTER (status = 'success') AS sum_square_ln_ms,
        count(cost_units) FILTER (status <> 'cancelled') AS costed,
        sum(cost_units) FILTER (status <> 'cancelled') AS sum_cost_units,
        sum(cost_units ** 2) FILTER (status <> 'cancelled') AS sum_square_cost_units,
        min(started_at) AS first_at,
        max(started_at) AS last_at
    FROM exposed
    GROUP BY ALL
)
SELECT *
FROM executed
JOIN units USING (tenant, experiment, arm, platform, tool_name, tool_version)
ORDER BY ALL;
COMMENT ON TABLE experiment_arms IS 'What each arm of each experiment did on first attempts.';
COMMENT ON COLUMN experiment_arms.tenant IS 'Who the runs belong to.';
COMMENT ON COLUMN experiment_arms.experiment IS 'Name of the experiment.';
COMMENT ON COLUMN experiment_arms.arm IS 'a (baseline) or b.';
COMMENT ON COLUMN experiment_arms.platform IS 'Platform of the tool.';
COMMENT ON COLUMN experiment_arms.tool_name IS 'Name of the tool.';
COMMENT ON COLUMN experiment_arms.tool_version IS 'Version that the arm ran.';
COMMENT ON COLUMN experiment_arms.exposures IS 'Executions that were neither skipped nor cancelled.';
COMMENT ON COLUMN experiment_arms.successes IS 'Status success or no_result.';
COMMENT ON COLUMN experiment_arms.cancelled IS 'Status cancelled; not in `exposures`.';
COMMENT ON COLUMN experiment_arms.timed IS 'Rows behind the sums of durations: status success.';
COMMENT ON COLUMN experiment_arms.sum_ms IS 'Sum of durations.';
COMMENT ON COLUMN experiment_arms.sum_square_ms2 IS 'Sum of squares of durations.';
COMMENT ON COLUMN experiment_arms.sum_ln_ms IS 'Sum of ln(duration in ms).';
COMMENT ON COLUMN experiment_arms.sum_square_ln_ms IS 'Sum of squares of ln(duration in ms).';
COMMENT ON COLUMN experiment_arms.costed IS 'Exposures whose cost was measured.';
COMMENT ON COLUMN experiment_arms.sum_cost_units IS 'Sum of measured cost.';
COMMENT ON COLUMN experiment_arms.sum_square_cost_units IS 'Sum of squares of measured cost.';
COMMENT ON COLUMN experiment_arms.first_at IS 'Start of the first execution (UTC).';
COMMENT ON COLUMN experiment_arms.last_at IS 'Start of the last execution (UTC).';
COMMENT ON COLUMN experiment_arms.units IS 'Runs, users or items that were assigned, cancelled ones too: compare these with the traffic split.';
COMMENT ON COLUMN experiment_arms.timed_units IS 'Units with a duration.';
COMMENT ON COLUMN experiment_arms.sum_unit_ln_ms IS 'Sum over units of their mean ln(duration in ms).';
COMMENT ON COLUMN experiment_arms.sum_square_unit_ln_ms IS 'Sum of squares of the same.';
COMMENT ON COLUMN experiment_arms.finished_units IS 'Units with an exposure.';
COMMENT ON COLUMN experiment_arms.sum_unit_success_rate IS 'Sum over units of their success rate.';
COMMENT ON COLUMN experiment_arms.sum_square_unit_success_rate IS 'Sum of squares of the same.';
