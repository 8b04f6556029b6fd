-- The first schema: catalogue, facts, experiments, audit. Frozen: later changes are later files.

CREATE TABLE tool_catalog.catalog_revision (
    id SMALLINT NOT NULL,
    revision BIGINT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_catalog_revision PRIMARY KEY (id),
    CONSTRAINT ck_catalog_revision_one_row CHECK (id = 1)
);

CREATE TABLE tool_catalog.chain_versions (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    content TEXT NOT NULL,
    first_run_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_chain_versions PRIMARY KEY (tenant, name, version, fingerprint)
);

CREATE TABLE tool_catalog.import_files (
    tenant TEXT NOT NULL,
    file TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_key TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    imported_by TEXT NOT NULL,
    CONSTRAINT pk_import_files PRIMARY KEY (tenant, file, entity_type, entity_key)
);

CREATE TABLE tool_catalog.run_locks (
    tenant TEXT NOT NULL,
    run_id TEXT NOT NULL,
    run_started_at TIMESTAMP WITH TIME ZONE,
    chain TEXT,
    chain_version TEXT,
    fingerprint TEXT,
    document JSONB NOT NULL,
    locked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_run_locks PRIMARY KEY (tenant, run_id)
);
CREATE INDEX ix_run_locks_chain ON tool_catalog.run_locks (tenant, chain, run_started_at);

CREATE TABLE tool_catalog.tool_audit_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tenant TEXT DEFAULT 'shared' NOT NULL,
    entity_type TEXT NOT NULL,
    entity_key TEXT NOT NULL,
    action TEXT NOT NULL,
    changes JSONB DEFAULT '[]'::jsonb NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    origin TEXT DEFAULT '' NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tool_audit_log PRIMARY KEY (id)
);
CREATE INDEX ix_tool_audit_log_changed_at ON tool_catalog.tool_audit_log (changed_at);
CREATE INDEX ix_tool_audit_log_entity ON tool_catalog.tool_audit_log (entity_type, entity_key, changed_at);

CREATE TABLE tool_catalog.tools (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tenant TEXT DEFAULT 'shared' NOT NULL,
    platform TEXT NOT NULL,
    tool_name TEXT NOT NULL,
    version TEXT NOT NULL,
    original_version TEXT NOT NULL,
    status TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    category TEXT NOT NULL,
    description TEXT NOT NULL,
    defaults JSONB DEFAULT '{}'::jsonb NOT NULL,
    dependencies JSONB DEFAULT '[]'::jsonb NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    content_hash TEXT NOT NULL,
    spec JSONB NOT NULL,
    parent_version_id BIGINT,
    is_latest BOOLEAN DEFAULT false NOT NULL,
    owner TEXT,
    environment TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT pk_tools PRIMARY KEY (id),
    CONSTRAINT ck_tools_status CHECK (status IN ('active', 'deprecated', 'disabled', 'testing', 'draft')),
    CONSTRAINT fk_tools_parent_version_id FOREIGN KEY(parent_version_id) REFERENCES tool_catalog.tools (id) ON DELETE SET NULL
);
CREATE INDEX ix_tools_category ON tool_catalog.tools (category);
CREATE INDEX ix_tools_metadata ON tool_catalog.tools USING gin (metadata);
CREATE INDEX ix_tools_parent_version_id ON tool_catalog.tools (parent_version_id);
CREATE UNIQUE INDEX uq_tools_identity ON tool_catalog.tools (tenant, platform, lower(tool_name), version);
CREATE UNIQUE INDEX uq_tools_latest ON tool_catalog.tools (tenant, platform, lower(tool_name)) WHERE is_latest;

CREATE TABLE tool_catalog.drift_verdicts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tenant TEXT DEFAULT 'shared' NOT NULL,
    tool_id BIGINT NOT NULL,
    capability TEXT NOT NULL,
    pattern TEXT NOT NULL,
    metric TEXT NOT NULL,
    environment TEXT DEFAULT '' NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT,
    reason TEXT NOT NULL,
    numbers JSONB DEFAULT '{}'::jsonb NOT NULL,
    evaluated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_drift_verdicts PRIMARY KEY (id),
    CONSTRAINT fk_drift_verdicts_tool_id FOREIGN KEY(tool_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT
);
CREATE INDEX ix_drift_verdicts_subject ON tool_catalog.drift_verdicts (tool_id, capability, pattern, metric, evaluated_at);

CREATE TABLE tool_catalog.tool_ab_tests (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tenant TEXT DEFAULT 'shared' NOT NULL,
    test_name TEXT NOT NULL,
    description TEXT NOT NULL,
    hypothesis TEXT DEFAULT '' NOT NULL,
    platform TEXT NOT NULL,
    tool_key TEXT NOT NULL,
    tool_a_id BIGINT NOT NULL,
    tool_b_id BIGINT NOT NULL,
    unit TEXT NOT NULL,
    traffic_split DOUBLE PRECISION NOT NULL,
    metric TEXT NOT NULL,
    guardrails JSONB DEFAULT '[]'::jsonb NOT NULL,
    minimum_sample_per_arm INTEGER NOT NULL,
    alpha DOUBLE PRECISION NOT NULL,
    target_environment TEXT,
    target_users JSONB DEFAULT '[]'::jsonb NOT NULL,
    status TEXT NOT NULL,
    results JSONB DEFAULT '{}'::jsonb NOT NULL,
    winner_tool_id BIGINT,
    content_hash TEXT NOT NULL,
    spec JSONB NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT pk_tool_ab_tests PRIMARY KEY (id),
    CONSTRAINT uq_tool_ab_tests_tenant_test_name UNIQUE (tenant, test_name),
    CONSTRAINT ck_tool_ab_tests_two_versions CHECK (tool_a_id <> tool_b_id),
    CONSTRAINT ck_tool_ab_tests_traffic_split CHECK (traffic_split > 0 AND traffic_split < 1),
    CONSTRAINT ck_tool_ab_tests_alpha CHECK (alpha > 0 AND alpha < 0.5),
    CONSTRAINT ck_tool_ab_tests_minimum_sample_per_arm CHECK (minimum_sample_per_arm >= 2),
    CONSTRAINT ck_tool_ab_tests_unit CHECK (unit IN ('run', 'user', 'item')),
    CONSTRAINT ck_tool_ab_tests_tool_key CHECK (tool_key = lower(tool_key)),
    CONSTRAINT ck_tool_ab_tests_status CHECK (status IN ('draft', 'active', 'completed', 'cancelled')),
    CONSTRAINT fk_tool_ab_tests_tool_a_id FOREIGN KEY(tool_a_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT,
    CONSTRAINT fk_tool_ab_tests_tool_b_id FOREIGN KEY(tool_b_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT,
    CONSTRAINT fk_tool_ab_tests_winner_tool_id FOREIGN KEY(winner_tool_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT
);
CREATE UNIQUE INDEX uq_tool_ab_tests_active ON tool_catalog.tool_ab_tests (tenant, platform, tool_key) WHERE status = 'active';

CREATE TABLE tool_catalog.tool_capabilities (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tool_id BIGINT NOT NULL,
    capability_name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tool_capabilities PRIMARY KEY (id),
    CONSTRAINT uq_tool_capabilities_tool_id_capability_name UNIQUE (tool_id, capability_name),
    CONSTRAINT fk_tool_capabilities_tool_id FOREIGN KEY(tool_id) REFERENCES tool_catalog.tools (id) ON DELETE CASCADE
);
CREATE INDEX ix_tool_capabilities_capability_name ON tool_catalog.tool_capabilities (capability_name);

CREATE TABLE tool_catalog.tool_channels (
    tenant TEXT NOT NULL,
    platform TEXT NOT NULL,
    tool_key TEXT NOT NULL,
    channel TEXT NOT NULL,
    tool_id BIGINT NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    moved_by TEXT NOT NULL,
    CONSTRAINT pk_tool_channels PRIMARY KEY (tenant, platform, tool_key, channel),
    CONSTRAINT ck_tool_channels_tool_key CHECK (tool_key = lower(tool_key)),
    CONSTRAINT ck_tool_channels_channel CHECK (channel IN ('latest', 'stable', 'testing')),
    CONSTRAINT fk_tool_channels_tool_id FOREIGN KEY(tool_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT
);
COMMENT ON COLUMN tool_catalog.tool_channels.tool_key IS $$the tool's name, case folded$$;
CREATE INDEX ix_tool_channels_tool_id ON tool_catalog.tool_channels (tool_id);

CREATE TABLE tool_catalog.tool_estimates (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tool_id BIGINT NOT NULL,
    capability TEXT NOT NULL,
    pattern TEXT NOT NULL,
    revision INTEGER NOT NULL,
    time_ms TEXT,
    cost_units TEXT,
    basis TEXT NOT NULL,
    runs BIGINT DEFAULT 0 NOT NULL,
    evidence JSONB,
    reason TEXT DEFAULT '' NOT NULL,
    is_current BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT pk_tool_estimates PRIMARY KEY (id),
    CONSTRAINT uq_tool_estimates_tool_id_capability_pattern_revision UNIQUE (tool_id, capability, pattern, revision),
    CONSTRAINT ck_tool_estimates_basis CHECK (basis IN ('declared', 'recalibrated', 'unknown')),
    CONSTRAINT ck_tool_estimates_revision CHECK (revision >= 1),
    CONSTRAINT fk_tool_estimates_tool_id FOREIGN KEY(tool_id) REFERENCES tool_catalog.tools (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_tool_estimates_current ON tool_catalog.tool_estimates (tool_id, capability, pattern) WHERE is_current;

CREATE TABLE tool_catalog.tool_telemetry (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tenant TEXT NOT NULL,
    run_started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    item TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    chain TEXT NOT NULL,
    chain_version TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    platform TEXT NOT NULL,
    tool_name TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    tool_id BIGINT,
    capability TEXT NOT NULL,
    pattern TEXT NOT NULL,
    environment TEXT NOT NULL,
    user_id TEXT NOT NULL,
    host TEXT NOT NULL,
    status TEXT NOT NULL,
    success BOOLEAN GENERATED ALWAYS AS (status = 'success') STORED,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    duration_ms DOUBLE PRECISION NOT NULL,
    experiment TEXT,
    arm TEXT,
    estimate_ms DOUBLE PRECISION,
    estimate_cost_units DOUBLE PRECISION,
    estimate_basis TEXT DEFAULT 'unknown' NOT NULL,
    estimate_revision INTEGER,
    cost_units DOUBLE PRECISION,
    variables_before JSONB DEFAULT '{}'::jsonb NOT NULL,
    variables_measured JSONB DEFAULT '{}'::jsonb NOT NULL,
    exit_code INTEGER,
    error_type TEXT,
    error_signature TEXT,
    error_message TEXT,
    cpu_seconds DOUBLE PRECISION,
    peak_memory_bytes BIGINT,
    output_bytes BIGINT,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    recorded_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_tool_telemetry PRIMARY KEY (tenant, run_started_at, run_id, step, item, attempt),
    CONSTRAINT ck_tool_telemetry_status CHECK (status IN ('success', 'no_result', 'failed', 'timeout', 'cancelled', 'skipped')),
    CONSTRAINT fk_tool_telemetry_tool_id FOREIGN KEY(tool_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT
)
 PARTITION BY RANGE (run_started_at);
CREATE INDEX ix_tool_telemetry_chain ON tool_catalog.tool_telemetry (tenant, chain, run_started_at);
CREATE INDEX ix_tool_telemetry_experiment ON tool_catalog.tool_telemetry (experiment, arm) WHERE experiment IS NOT NULL;
CREATE INDEX ix_tool_telemetry_recorded_xid ON tool_catalog.tool_telemetry (recorded_xid, id);
CREATE INDEX ix_tool_telemetry_run_id ON tool_catalog.tool_telemetry (run_id);
CREATE INDEX ix_tool_telemetry_tool_id ON tool_catalog.tool_telemetry (tool_id, capability, pattern, started_at);

CREATE TABLE tool_catalog.experiment_verdicts (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tenant TEXT DEFAULT 'shared' NOT NULL,
    test_id BIGINT NOT NULL,
    experiment TEXT NOT NULL,
    metric TEXT NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT,
    winner_tool_id BIGINT,
    reason TEXT NOT NULL,
    numbers JSONB DEFAULT '{}'::jsonb NOT NULL,
    evaluated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_experiment_verdicts PRIMARY KEY (id),
    CONSTRAINT fk_experiment_verdicts_test_id FOREIGN KEY(test_id) REFERENCES tool_catalog.tool_ab_tests (id) ON DELETE RESTRICT,
    CONSTRAINT fk_experiment_verdicts_winner_tool_id FOREIGN KEY(winner_tool_id) REFERENCES tool_catalog.tools (id) ON DELETE RESTRICT
);
CREATE INDEX ix_experiment_verdicts_test_id ON tool_catalog.experiment_verdicts (test_id, evaluated_at);

CREATE TABLE tool_catalog.tool_patterns (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    capability_id BIGINT NOT NULL,
    pattern_name TEXT NOT NULL,
    description TEXT NOT NULL,
    typical_use_cases JSONB DEFAULT '[]'::jsonb NOT NULL,
    variables JSONB DEFAULT '{}'::jsonb NOT NULL,
    time_estimate_ms TEXT,
    cost_estimate TEXT,
    complexity_score DOUBLE PRECISION NOT NULL,
    scope TEXT NOT NULL,
    completeness TEXT NOT NULL,
    effects TEXT NOT NULL,
    limitations JSONB DEFAULT '[]'::jsonb NOT NULL,
    policy JSONB DEFAULT '{}'::jsonb NOT NULL,
    preference_match JSONB DEFAULT '{}'::jsonb NOT NULL,
    price JSONB,
    required_inputs JSONB DEFAULT '[]'::jsonb NOT NULL,
    optional_inputs JSONB DEFAULT '[]'::jsonb NOT NULL,
    expected_outputs JSONB DEFAULT '[]'::jsonb NOT NULL,
    binding JSONB,
    examples JSONB DEFAULT '[]'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tool_patterns PRIMARY KEY (id),
    CONSTRAINT uq_tool_patterns_capability_id_pattern_name UNIQUE (capability_id, pattern_name),
    CONSTRAINT ck_tool_patterns_complexity_score CHECK (complexity_score BETWEEN 0 AND 1),
    CONSTRAINT ck_tool_patterns_effects CHECK (effects IN ('read', 'local', 'system')),
    CONSTRAINT fk_tool_patterns_capability_id FOREIGN KEY(capability_id) REFERENCES tool_catalog.tool_capabilities (id) ON DELETE CASCADE
);
CREATE INDEX ix_tool_patterns_use_cases ON tool_catalog.tool_patterns USING gin (typical_use_cases);

INSERT INTO tool_catalog.catalog_revision (id, revision) VALUES (1, 0);

-- The audit log only grows.
CREATE FUNCTION tool_catalog.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER tool_audit_log_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON tool_catalog.tool_audit_log
FOR EACH STATEMENT EXECUTE FUNCTION tool_catalog.refuse_audit_change();

-- Facts by month of the run's start (UTC). What no month takes goes to the default partition, and
-- a month of which the default partition already holds facts stays there: moving them would lock
-- every writer out.
CREATE TABLE tool_catalog.tool_telemetry_default
PARTITION OF tool_catalog.tool_telemetry DEFAULT;

CREATE FUNCTION tool_catalog.ensure_telemetry_partitions(
    months_ahead integer, from_time timestamptz DEFAULT now()
) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    first_month timestamp := date_trunc('month', from_time AT TIME ZONE 'UTC');
    month_start timestamptz;
    month_end timestamptz;
    partition_name text;
BEGIN
    FOR ahead IN 0..months_ahead LOOP
        month_start := (first_month + make_interval(months => ahead)) AT TIME ZONE 'UTC';
        month_end := (first_month + make_interval(months => ahead + 1)) AT TIME ZONE 'UTC';
        partition_name := 'tool_telemetry_' || to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass('tool_catalog.' || partition_name) IS NOT NULL;
        CONTINUE WHEN EXISTS (
            SELECT FROM tool_catalog.tool_telemetry_default
            WHERE run_started_at >= month_start AND run_started_at < month_end
        );
        EXECUTE format(
            'CREATE TABLE tool_catalog.%I PARTITION OF tool_catalog.tool_telemetry '
            'FOR VALUES FROM (%L) TO (%L)',
            partition_name, month_start, month_end
        );
        RETURN NEXT partition_name;
    END LOOP;
END
$$;
