-- What is loaded from PostgreSQL. Loading reads the columns named here, so this file decides what
-- arrives; a change of it makes the whole file anew. Texts are VARCHAR, moments are TIMESTAMP in
-- UTC, documents are JSON in a VARCHAR.
CREATE TABLE IF NOT EXISTS executions (
    tenant VARCHAR, run_started_at TIMESTAMP, run_id VARCHAR, step VARCHAR, item VARCHAR, attempt INTEGER,
    chain VARCHAR, chain_version VARCHAR, fingerprint VARCHAR,
    platform VARCHAR, tool_name VARCHAR, tool_version VARCHAR, tool_id BIGINT,
    capability VARCHAR, pattern VARCHAR, environment VARCHAR, user_id VARCHAR, host VARCHAR,
    status VARCHAR, started_at TIMESTAMP, finished_at TIMESTAMP, duration_ms DOUBLE,
    experiment VARCHAR, arm VARCHAR, estimate_ms DOUBLE, estimate_cost_units DOUBLE,
    estimate_basis VARCHAR, estimate_revision INTEGER, cost_units DOUBLE,
    variables_before VARCHAR, variables_measured VARCHAR,
    exit_code INTEGER, error_type VARCHAR, error_signature VARCHAR, error_message VARCHAR,
    cpu_seconds DOUBLE, peak_memory_bytes BIGINT, output_bytes BIGINT
);
COMMENT ON TABLE executions IS 'One row per attempt of a step or item, as it was recorded.';
COMMENT ON COLUMN executions.tenant IS 'Who the run belongs to; `shared` until tenants exist.';
COMMENT ON COLUMN executions.run_started_at IS 'When the run began (UTC); the same in all its rows.';
COMMENT ON COLUMN executions.run_id IS 'The run, as in Dagster.';
COMMENT ON COLUMN executions.step IS 'The step of the chain.';
COMMENT ON COLUMN executions.item IS 'The item of a `foreach` step; empty otherwise.';
COMMENT ON COLUMN executions.attempt IS 'Counts from 1.';
COMMENT ON COLUMN executions.chain IS 'Name of the chain.';
COMMENT ON COLUMN executions.chain_version IS 'Version of the chain.';
COMMENT ON COLUMN executions.fingerprint IS 'Hash of the plan that ran.';
COMMENT ON COLUMN executions.platform IS 'Platform of the tool.';
COMMENT ON COLUMN executions.tool_name IS 'Name of the tool.';
COMMENT ON COLUMN executions.tool_version IS 'Version that ran.';
COMMENT ON COLUMN executions.tool_id IS 'The version''s row in `tools`.';
COMMENT ON COLUMN executions.capability IS 'Capability that was used.';
COMMENT ON COLUMN executions.pattern IS 'Pattern of the capability.';
COMMENT ON COLUMN executions.environment IS 'Such as `production`.';
COMMENT ON COLUMN executions.user_id IS 'Who started the run.';
COMMENT ON COLUMN executions.host IS 'Machine that ran it.';
COMMENT ON COLUMN executions.status IS 'success, no_result, failed, timeout, cancelled or skipped.';
COMMENT ON COLUMN executions.started_at IS 'Start of the attempt (UTC).';
COMMENT ON COLUMN executions.finished_at IS 'End of the attempt (UTC).';
COMMENT ON COLUMN executions.duration_ms IS 'Duration in milliseconds.';
COMMENT ON COLUMN executions.experiment IS 'The A/B test it was part of, if any.';
COMMENT ON COLUMN executions.arm IS 'Arm of the experiment: a (baseline) or b.';
COMMENT ON COLUMN executions.estimate_ms IS 'Duration expected beforehand, in milliseconds.';
COMMENT ON COLUMN executions.estimate_cost_units IS 'Cost expected beforehand.';
COMMENT ON COLUMN executions.estimate_basis IS 'declared, recalibrated or unknown.';
COMMENT ON COLUMN executions.estimate_revision IS 'Revision of the estimate that was used.';
COMMENT ON COLUMN executions.cost_units IS 'Cost measured; null where it is not.';
COMMENT ON COLUMN executions.variables_before IS 'Variables of the estimate, known beforehand; JSON.';
COMMENT ON COLUMN executions.variables_measured IS 'The same, measured afterwards; JSON.';
COMMENT ON COLUMN executions.exit_code IS 'Exit code of the command.';
COMMENT ON COLUMN executions.error_type IS 'Class of the error.';
COMMENT ON COLUMN executions.error_signature IS 'The error without numbers and paths, for grouping.';
COMMENT ON COLUMN executions.error_message IS 'What the error said.';
COMMENT ON COLUMN executions.cpu_seconds IS 'CPU time in seconds; null where not measurable.';
COMMENT ON COLUMN executions.peak_memory_bytes IS 'Peak memory in bytes; null where not measurable.';
COMMENT ON COLUMN executions.output_bytes IS 'Size of the output in bytes; null where not measurable.';

CREATE OR REPLACE TABLE tools (
    id BIGINT, tenant VARCHAR, platform VARCHAR, tool_name VARCHAR, version VARCHAR, status VARCHAR,
    enabled BOOLEAN, is_latest BOOLEAN, category VARCHAR, description VARCHAR, owner VARCHAR,
    environments VARCHAR, content_hash VARCHAR, created_at TIMESTAMP, updated_at TIMESTAMP, created_by VARCHAR
);
COMMENT ON TABLE tools IS 'Every version of every tool in the catalogue.';
COMMENT ON COLUMN tools.id IS 'Number of the version.';
COMMENT ON COLUMN tools.tenant IS 'Who the tool belongs to.';
COMMENT ON COLUMN tools.platform IS 'Platform of the tool.';
COMMENT ON COLUMN tools.tool_name IS 'Name of the tool.';
COMMENT ON COLUMN tools.version IS 'Semantic version.';
COMMENT ON COLUMN tools.status IS 'active, deprecated, disabled, testing or draft.';
COMMENT ON COLUMN tools.enabled IS 'Whether it may run.';
COMMENT ON COLUMN tools.is_latest IS 'Whether `latest` points to it.';
COMMENT ON COLUMN tools.category IS 'Category of the tool.';
COMMENT ON COLUMN tools.description IS 'What the tool does.';
COMMENT ON COLUMN tools.owner IS 'Who answers for it.';
COMMENT ON COLUMN tools.environments IS 'JSON list of the environments in which the version is seen; empty means all.';
COMMENT ON COLUMN tools.content_hash IS 'Hash of its specification.';
COMMENT ON COLUMN tools.created_at IS 'When the version was made (UTC).';
COMMENT ON COLUMN tools.updated_at IS 'When its status last changed (UTC).';
COMMENT ON COLUMN tools.created_by IS 'Who made it.';

CREATE OR REPLACE TABLE tool_estimates (
    id BIGINT, tool_id BIGINT, capability VARCHAR, pattern VARCHAR, revision INTEGER, time_ms VARCHAR,
    cost_units VARCHAR, basis VARCHAR, runs BIGINT, reason VARCHAR, is_current BOOLEAN,
    created_at TIMESTAMP, created_by VARCHAR
);
COMMENT ON TABLE tool_estimates IS 'Estimates of patterns, those that hold and those that held before.';
COMMENT ON COLUMN tool_estimates.id IS 'Number of the estimate.';
COMMENT ON COLUMN tool_estimates.tool_id IS 'The tool version in `tools`.';
COMMENT ON COLUMN tool_estimates.capability IS 'Capability of the pattern.';
COMMENT ON COLUMN tool_estimates.pattern IS 'The pattern.';
COMMENT ON COLUMN tool_estimates.revision IS 'Counts from 1, the declared one.';
COMMENT ON COLUMN tool_estimates.time_ms IS 'Expression of the duration in milliseconds.';
COMMENT ON COLUMN tool_estimates.cost_units IS 'Expression of the cost.';
COMMENT ON COLUMN tool_estimates.basis IS 'declared, recalibrated or unknown.';
COMMENT ON COLUMN tool_estimates.runs IS 'Executions behind a recalibrated estimate.';
COMMENT ON COLUMN tool_estimates.reason IS 'Why it was published.';
COMMENT ON COLUMN tool_estimates.is_current IS 'Whether it holds now.';
COMMENT ON COLUMN tool_estimates.created_at IS 'When it was published (UTC).';
COMMENT ON COLUMN tool_estimates.created_by IS 'Who published it.';

CREATE OR REPLACE TABLE tool_ab_tests (
    id BIGINT, tenant VARCHAR, test_name VARCHAR, description VARCHAR, platform VARCHAR, tool_key VARCHAR,
    tool_a_id BIGINT, tool_b_id BIGINT, unit VARCHAR, traffic_split DOUBLE, metric VARCHAR,
    minimum_sample_per_arm INTEGER, alpha DOUBLE, status VARCHAR, winner_tool_id BIGINT,
    started_at TIMESTAMP, completed_at TIMESTAMP
);
COMMENT ON TABLE tool_ab_tests IS 'Experiments between two versions of a tool.';
COMMENT ON COLUMN tool_ab_tests.id IS 'Number of the experiment.';
COMMENT ON COLUMN tool_ab_tests.tenant IS 'Who it belongs to.';
COMMENT ON COLUMN tool_ab_tests.test_name IS 'Name of the experiment.';
COMMENT ON COLUMN tool_ab_tests.description IS 'What it asks.';
COMMENT ON COLUMN tool_ab_tests.platform IS 'Platform of the tool.';
COMMENT ON COLUMN tool_ab_tests.tool_key IS 'Name of the tool in lower case.';
COMMENT ON COLUMN tool_ab_tests.tool_a_id IS 'Version of arm a in `tools`.';
COMMENT ON COLUMN tool_ab_tests.tool_b_id IS 'Version of arm b in `tools`.';
COMMENT ON COLUMN tool_ab_tests.unit IS 'What is assigned to an arm: run, user or item.';
COMMENT ON COLUMN tool_ab_tests.traffic_split IS 'Share of units in arm b.';
COMMENT ON COLUMN tool_ab_tests.metric IS 'What is compared.';
COMMENT ON COLUMN tool_ab_tests.minimum_sample_per_arm IS 'Exposures per arm before a verdict.';
COMMENT ON COLUMN tool_ab_tests.alpha IS 'Accepted share of false verdicts.';
COMMENT ON COLUMN tool_ab_tests.status IS 'draft, active, completed or cancelled.';
COMMENT ON COLUMN tool_ab_tests.winner_tool_id IS 'The version that won, if any.';
COMMENT ON COLUMN tool_ab_tests.started_at IS 'When it began (UTC).';
COMMENT ON COLUMN tool_ab_tests.completed_at IS 'When it ended (UTC).';

CREATE OR REPLACE TABLE chain_forecasts (
    tenant VARCHAR, run_id VARCHAR, run_started_at TIMESTAMP, chain VARCHAR, chain_version VARCHAR,
    fingerprint VARCHAR, environment VARCHAR, estimate_elapsed_ms DOUBLE,
    elapsed_low_ms DOUBLE, elapsed_middle_ms DOUBLE, elapsed_high_ms DOUBLE,
    work_low_ms DOUBLE, work_middle_ms DOUBLE, work_high_ms DOUBLE,
    cost_low_units DOUBLE, cost_middle_units DOUBLE, cost_high_units DOUBLE,
    share_succeeded DOUBLE, executions INTEGER, past_runs INTEGER, made_at TIMESTAMP,
    outcome VARCHAR, actual_elapsed_ms DOUBLE, actual_work_ms DOUBLE, actual_cost_units DOUBLE,
    elapsed_position DOUBLE, work_position DOUBLE, cost_position DOUBLE, compared_at TIMESTAMP
);
COMMENT ON TABLE chain_forecasts IS 'What was expected of each run of the last 180 days, and what it took.';
COMMENT ON COLUMN chain_forecasts.tenant IS 'Who the run belongs to.';
COMMENT ON COLUMN chain_forecasts.run_id IS 'The run, as in Dagster.';
COMMENT ON COLUMN chain_forecasts.run_started_at IS 'When the run began (UTC).';
COMMENT ON COLUMN chain_forecasts.chain IS 'Name of the chain.';
COMMENT ON COLUMN chain_forecasts.chain_version IS 'Version of the chain.';
COMMENT ON COLUMN chain_forecasts.fingerprint IS 'Hash of the plan that ran.';
COMMENT ON COLUMN chain_forecasts.environment IS 'Such as `production`.';
COMMENT ON COLUMN chain_forecasts.estimate_elapsed_ms IS 'Time from start to end by the estimates alone.';
COMMENT ON COLUMN chain_forecasts.elapsed_low_ms IS 'Time from start to end: one run in ten is below; null if too little was known.';
COMMENT ON COLUMN chain_forecasts.elapsed_middle_ms IS 'Half of the runs are below.';
COMMENT ON COLUMN chain_forecasts.elapsed_high_ms IS 'One run in ten is above.';
COMMENT ON COLUMN chain_forecasts.work_low_ms IS 'All executions added up: one run in ten is below.';
COMMENT ON COLUMN chain_forecasts.work_middle_ms IS 'Half of the runs are below.';
COMMENT ON COLUMN chain_forecasts.work_high_ms IS 'One run in ten is above.';
COMMENT ON COLUMN chain_forecasts.cost_low_units IS 'Cost: one run in ten is below.';
COMMENT ON COLUMN chain_forecasts.cost_middle_units IS 'Half of the runs are below.';
COMMENT ON COLUMN chain_forecasts.cost_high_units IS 'One run in ten is above.';
COMMENT ON COLUMN chain_forecasts.share_succeeded IS 'Share of the newest ended runs of the chain that succeeded; null below 5.';
COMMENT ON COLUMN chain_forecasts.executions IS 'The fewest past executions behind any step.';
COMMENT ON COLUMN chain_forecasts.past_runs IS 'Past runs of the chain behind it.';
COMMENT ON COLUMN chain_forecasts.made_at IS 'When the forecast was made (UTC).';
COMMENT ON COLUMN chain_forecasts.outcome IS 'succeeded or failed; null until the run was compared.';
COMMENT ON COLUMN chain_forecasts.actual_elapsed_ms IS 'From the start to the end of the last step.';
COMMENT ON COLUMN chain_forecasts.actual_work_ms IS 'All executions added up.';
COMMENT ON COLUMN chain_forecasts.actual_cost_units IS 'Measured cost; null where some of it is not measured.';
COMMENT ON COLUMN chain_forecasts.elapsed_position IS 'Where the actual time stands in its forecast: 0.5 is the middle, 0.1 to 0.9 the interval.';
COMMENT ON COLUMN chain_forecasts.work_position IS 'The same for the work.';
COMMENT ON COLUMN chain_forecasts.cost_position IS 'The same for the cost.';
COMMENT ON COLUMN chain_forecasts.compared_at IS 'When it was compared with what came (UTC).';

CREATE TABLE IF NOT EXISTS load_state (
    database_id VARCHAR, snapshot VARCHAR, layout VARCHAR, loaded_at TIMESTAMP
);
COMMENT ON TABLE load_state IS 'Up to where the executions are loaded; one row.';
COMMENT ON COLUMN load_state.database_id IS 'The PostgreSQL cluster and database they came from.';
COMMENT ON COLUMN load_state.snapshot IS 'The transactions that are loaded, as a snapshot of PostgreSQL.';
COMMENT ON COLUMN load_state.layout IS 'Hash of the file that made these tables.';
COMMENT ON COLUMN load_state.loaded_at IS 'When they were loaded (UTC).';
