"""Tables of what executions leave behind: facts, run locks, chain versions, verdicts.

Monthly partitions of the facts are made by a function in the database (migrations/), not here.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tool_catalog_pipelines.db.columns import (
    TransactionId,
    identity,
    json_column,
    metadata,
    moment_column,
    row_reference,
    text_column,
    time_column,
    tool_reference,
)

tool_telemetry = Table(
    "tool_telemetry",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("tenant", Text, primary_key=True),
    Column("run_started_at", DateTime(timezone=True), primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    text_column("chain"),
    text_column("chain_version"),
    text_column("fingerprint"),
    text_column("platform"),
    text_column("tool_name"),
    text_column("tool_version"),
    tool_reference("tool_id", "RESTRICT", nullable=True),
    text_column("capability"),
    text_column("pattern"),
    text_column("environment"),
    text_column("user_id"),
    text_column("host"),
    text_column("status"),
    Column("success", Boolean, Computed("status = 'success'", persisted=True)),
    moment_column("started_at", nullable=False),
    moment_column("finished_at", nullable=False),
    Column("duration_ms", Double, nullable=False),
    Column("experiment", Text),
    Column("arm", Text),
    Column("estimate_ms", Double),
    Column("estimate_cost_units", Double),
    text_column("estimate_basis", server_default="unknown"),
    Column("estimate_revision", Integer),
    Column("cost_units", Double),
    json_column("variables_before", "{}"),
    json_column("variables_measured", "{}"),
    Column("exit_code", Integer),
    Column("error_type", Text),
    Column("error_signature", Text),
    Column("error_message", Text),
    Column("cpu_seconds", Double),
    Column("peak_memory_bytes", BigInteger),
    Column("output_bytes", BigInteger),
    time_column("recorded_at"),
    Column(
        "recorded_xid", TransactionId, nullable=False, server_default=text("pg_current_xact_id()")
    ),
    CheckConstraint(
        "status IN ('success', 'no_result', 'failed', 'timeout', 'cancelled', 'skipped')",
        name="status",
    ),
    Index("ix_tool_telemetry_tool_id", "tool_id", "capability", "pattern", "started_at"),
    Index("ix_tool_telemetry_chain", "tenant", "chain", "run_started_at"),
    Index("ix_tool_telemetry_run_id", "run_id"),
    Index("ix_tool_telemetry_recorded_xid", "recorded_xid", "id"),
    Index(
        "ix_tool_telemetry_experiment",
        "experiment",
        "arm",
        postgresql_where=text("experiment IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (run_started_at)",
)

experiment_verdicts = Table(
    "experiment_verdicts",
    metadata,
    identity(),
    text_column("tenant", server_default="shared"),
    row_reference("test_id", "tool_ab_tests", "RESTRICT"),
    text_column("experiment"),
    text_column("metric"),
    text_column("state"),
    Column("verdict", Text),
    tool_reference("winner_tool_id", "RESTRICT", nullable=True),
    text_column("reason"),
    json_column("numbers", "{}"),
    time_column("evaluated_at"),
    Index("ix_experiment_verdicts_test_id", "test_id", "evaluated_at"),
)

drift_verdicts = Table(
    "drift_verdicts",
    metadata,
    identity(),
    text_column("tenant", server_default="shared"),
    tool_reference("tool_id", "RESTRICT"),
    text_column("capability"),
    text_column("pattern"),
    text_column("metric"),
    text_column("environment", server_default=""),
    text_column("state"),
    Column("verdict", Text),
    text_column("reason"),
    json_column("numbers", "{}"),
    time_column("evaluated_at"),
    Index(
        "ix_drift_verdicts_subject", "tool_id", "capability", "pattern", "metric", "evaluated_at"
    ),
)

run_locks = Table(
    "run_locks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    moment_column("run_started_at"),
    Column("chain", Text),
    Column("chain_version", Text),
    Column("fingerprint", Text),
    Column("document", JSONB, nullable=False),
    time_column("locked_at"),
    Index("ix_run_locks_chain", "tenant", "chain", "run_started_at"),
)

chain_versions = Table(
    "chain_versions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    text_column("content"),
    time_column("first_run_at"),
)
