-- How often runs ended within the interval that was forecast for them, per chain; the intervals claim
-- to hold 80 %. Only runs that succeeded and had an interval count.
CREATE OR REPLACE TABLE forecast_calibration AS
SELECT
    tenant, environment, chain,
    count(*) AS runs,
    count(*) FILTER (elapsed_position BETWEEN 0.1 AND 0.9) AS inside,
    count(*) FILTER (elapsed_position < 0.1) AS below,
    count(*) FILTER (elapsed_position > 0.9) AS above,
    count(*) FILTER (elapsed_position BETWEEN 0.1 AND 0.9) / count(*) AS share_inside,
    median(actual_elapsed_ms / elapsed_middle_ms) AS median_actual_to_forecast,
    median((elapsed_high_ms - elapsed_low_ms) / elapsed_middle_ms) AS median_relative_width,
    median(abs(ln(actual_elapsed_ms / elapsed_middle_ms))) AS median_ln_error,
    median(abs(ln(actual_elapsed_ms / estimate_elapsed_ms)))
        FILTER (estimate_elapsed_ms > 0) AS median_ln_error_of_estimates,
    max(run_started_at) AS newest_run_at
FROM chain_forecasts
WHERE outcome = 'succeeded' AND elapsed_position IS NOT NULL
    AND actual_elapsed_ms > 0 AND elapsed_middle_ms > 0
GROUP BY ALL
ORDER BY ALL;
COMMENT ON TABLE forecast_calibration IS 'How often runs ended within the interval that was forecast for them, per chain.';
COMMENT ON COLUMN forecast_calibration.tenant IS 'Who the runs belong to.';
COMMENT ON COLUMN forecast_calibration.environment IS 'Such as `production`.';
COMMENT ON COLUMN forecast_calibration.chain IS 'Name of the chain.';
COMMENT ON COLUMN forecast_calibration.runs IS 'Runs that succeeded and had an interval.';
COMMENT ON COLUMN forecast_calibration.inside IS 'Of them within the interval.';
COMMENT ON COLUMN forecast_calibration.below IS 'Of them faster.';
COMMENT ON COLUMN forecast_calibration.above IS 'Of them slower.';
COMMENT ON COLUMN forecast_calibration.share_inside IS '`inside` by `runs`; the intervals claim 0.8.';
COMMENT ON COLUMN forecast_calibration.median_actual_to_forecast IS 'Median of actual time by the middle of the forecast; 1 is without bias.';
COMMENT ON COLUMN forecast_calibration.median_relative_width IS 'Median width of the interval by its middle.';
COMMENT ON COLUMN forecast_calibration.median_ln_error IS 'Median of |ln(actual / middle)|.';
COMMENT ON COLUMN forecast_calibration.median_ln_error_of_estimates IS 'The same for the estimates alone.';
COMMENT ON COLUMN forecast_calibration.newest_run_at IS 'The newest of these runs (UTC).';
