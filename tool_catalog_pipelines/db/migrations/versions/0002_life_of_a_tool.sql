-- A tool is seen in the environments it names, or in all; the column that held one is replaced.
ALTER TABLE tool_catalog.tools
    DROP COLUMN environment,
    ADD COLUMN environments jsonb NOT NULL DEFAULT '[]'::jsonb,
    ADD COLUMN requires_auth boolean NOT NULL DEFAULT false,
    ADD COLUMN rate_limit jsonb,
    ADD COLUMN timeout_s double precision NOT NULL DEFAULT 30,
    ADD COLUMN retries smallint NOT NULL DEFAULT 3,
    ADD COLUMN deleted_at timestamptz,
    ADD CONSTRAINT ck_tools_timeout_s CHECK (timeout_s > 0),
    ADD CONSTRAINT ck_tools_retries CHECK (retries BETWEEN 0 AND 20),
    ADD CONSTRAINT ck_tools_deleted CHECK (deleted_at IS NULL OR NOT is_latest);

CREATE INDEX ix_tools_tool_key ON tool_catalog.tools (lower(tool_name));

-- The audit log is also the feed of changes: which subject changed at which revision.
ALTER TABLE tool_catalog.tool_audit_log
    ADD COLUMN subject text NOT NULL DEFAULT '',
    ADD COLUMN revision bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN tool_catalog.tool_audit_log.subject
IS 'platform/name of the tool, case folded, or the name';

CREATE INDEX ix_tool_audit_log_revision ON tool_catalog.tool_audit_log (revision);
CREATE INDEX ix_tool_audit_log_subject
ON tool_catalog.tool_audit_log (tenant, subject, revision);

-- Revisions of two catalogues cannot be compared, so each has a name of its own.
ALTER TABLE tool_catalog.catalog_revision
    ADD COLUMN catalog_id uuid NOT NULL DEFAULT gen_random_uuid();
INSERT INTO tool_catalog.catalog_revision (id, revision) VALUES (1, 0) ON CONFLICT DO NOTHING;

ALTER TABLE tool_catalog.import_files
    ADD COLUMN tool_id bigint
    CONSTRAINT fk_import_files_tool_id REFERENCES tool_catalog.tools (id) ON DELETE SET NULL;

-- One version as a whole: state, channels, and its content with the current estimates as JSON.
CREATE VIEW tool_catalog.catalog_tools AS
SELECT
    t.id, t.tenant, t.platform, t.tool_name, lower(t.tool_name) AS tool_key, t.version, t.status,
    t.enabled, t.environments, t.is_latest,
    ARRAY(
        SELECT c.channel FROM tool_catalog.tool_channels AS c WHERE c.tool_id = t.id
    ) AS channels,
    jsonb_build_object('spec', t.spec, 'estimates', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
            'capability', e.capability, 'pattern', e.pattern, 'time_ms', e.time_ms,
            'cost_units', e.cost_units, 'basis', e.basis, 'runs', e.runs,
            'revision', e.revision, 'evidence', e.evidence
        ) ORDER BY e.id)
        FROM tool_catalog.tool_estimates AS e
        WHERE e.tool_id = t.id AND e.is_current
    ), '[]'::jsonb)) AS content
FROM tool_catalog.tools AS t
WHERE t.deleted_at IS NULL;
