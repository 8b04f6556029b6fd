-- What was expected of a run before its first step, and what it took; positions are those of the
-- actual value among the drawn runs, from 0 to 1.
CREATE TABLE tool_catalog.chain_forecasts (
    tenant text NOT NULL,
    run_id text NOT NULL,
    run_started_at timestamptz NOT NULL,
    chain text NOT NULL,
    chain_version text NOT NULL,
    fingerprint text NOT NULL,
    environment text NOT NULL,
    estimate_elapsed_ms double precision NOT NULL,
    elapsed_low_ms double precision,
    elapsed_middle_ms double precision,
    elapsed_high_ms double precision,
    work_low_ms double precision,
    work_middle_ms double precision,
    work_high_ms double precision,
    cost_low_units double precision,
    cost_middle_units double precision,
    cost_high_units double precision,
    share_succeeded double precision,
    executions integer NOT NULL DEFAULT 0,
    past_runs integer NOT NULL DEFAULT 0,
    document jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    outcome text,
    actual_elapsed_ms double precision,
    actual_work_ms double precision,
    actual_cost_units double precision,
    elapsed_position double precision,
    work_position double precision,
    cost_position double precision,
    compared_at timestamptz,
    CONSTRAINT pk_chain_forecasts PRIMARY KEY (tenant, run_id),
    CONSTRAINT ck_chain_forecasts_outcome CHECK (outcome IN ('succeeded', 'failed'))
);

CREATE INDEX ix_chain_forecasts_chain
ON tool_catalog.chain_forecasts (tenant, chain, run_started_at);
CREATE INDEX ix_chain_forecasts_open
ON tool_catalog.chain_forecasts (run_started_at) WHERE compared_at IS NULL;
