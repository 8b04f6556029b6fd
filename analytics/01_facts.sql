-- The facts as loaded from PostgreSQL, one row per attempt of a step or item. The natural key makes
-- loading again harmless.
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
    cpu_seconds DOUBLE, peak_memory_bytes BIGINT, output_bytes BIGINT,
    PRIMARY KEY (tenant, run_started_at, run_id, step, item, attempt)
);
-- Up to which transaction of which database the facts are loaded.
CREATE TABLE IF NOT EXISTS load_state (database_id VARCHAR, next_xid BIGINT, loaded_at TIMESTAMP);
