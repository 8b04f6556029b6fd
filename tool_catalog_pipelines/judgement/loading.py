"""New facts: PostgreSQL -> Arrow -> DuckDB, each exactly once.

The watermark is a transaction id: read is what was written by transactions that had ended when
the last one still running began, so that a late commit is never passed over.
"""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import psycopg

from tool_catalog_pipelines.db.server import Database

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = (
    "tenant", "run_started_at", "run_id", "step", "item", "attempt", "chain", "chain_version",
    "fingerprint", "platform", "tool_name", "tool_version", "tool_id", "capability", "pattern",
    "environment", "user_id", "host", "status", "started_at", "finished_at", "duration_ms",
    "experiment", "arm", "estimate_ms", "estimate_cost_units", "estimate_basis",
    "estimate_revision", "cost_units", "variables_before", "variables_measured", "exit_code",
    "error_type", "error_signature", "error_message", "cpu_seconds", "peak_memory_bytes",
    "output_bytes",
)  # fmt: skip
_TIMES = ("run_started_at", "started_at", "finished_at")
_DOCUMENTS = ("variables_before", "variables_measured")


def load_new_facts(connection: DuckDBPyConnection, database: Database) -> tuple[int, str]:
    """Append the facts that are not loaded yet; returns how many, and why it began anew."""
    database_id, horizon = _database_now(database)
    rows = connection.execute("SELECT database_id, next_xid FROM load_state").fetchall()
    start, anew = 0, ""
    if rows:
        loaded_from, start = str(rows[0][0]), int(rows[0][1])
        if loaded_from != database_id or start > horizon:
            start, anew = 0, "the facts came from another database"
            connection.execute("DELETE FROM executions")
    before = _count(connection)
    _copy(connection, database, start, horizon)
    connection.execute("DELETE FROM load_state")
    connection.execute(
        "INSERT INTO load_state VALUES (?, ?, ?)",
        [database_id, horizon, datetime.now(UTC).replace(tzinfo=None)],
    )
    return _count(connection) - before, anew


def _copy(connection: DuckDBPyConnection, database: Database, start: int, end: int) -> None:
    """Stream record batches, so that memory stays bounded whatever the backlog."""
    # The driver carries no types.
    dbapi = cast("Any", importlib.import_module("adbc_driver_postgresql.dbapi"))
    source = dbapi.connect(database.libpq_url)
    try:
        with source.cursor() as cursor:
            cursor.execute(_query(start, end))
            reader = cursor.fetch_record_batch()
            connection.register("incoming", reader)
            names = ", ".join(COLUMNS)
            connection.execute(
                f"INSERT OR IGNORE INTO executions ({names}) SELECT {names} FROM incoming"  # noqa: S608 - constants
            )
            connection.unregister("incoming")
    finally:
        source.close()


def _query(start: int, end: int) -> str:
    """Two integers are the only values in the text; ADBC binds no parameters in a stream."""
    chosen = ", ".join(map(_column, COLUMNS))
    return (
        f"SELECT {chosen} FROM tool_catalog.tool_telemetry "  # noqa: S608 - constants and integers
        f"WHERE recorded_xid >= '{int(start)}'::xid8 AND recorded_xid < '{int(end)}'::xid8"
    )


def _column(name: str) -> str:
    if name in _TIMES:
        return f"({name} AT TIME ZONE 'UTC') AS {name}"
    return f"{name}::text AS {name}" if name in _DOCUMENTS else name


def _database_now(database: Database) -> tuple[str, int]:
    """Which database this is, and up to which transaction everything has ended."""
    with psycopg.connect(database.libpq_url) as connection:
        row = connection.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || "
            "(SELECT oid FROM pg_database WHERE datname = current_database())::text, "
            "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        ).fetchone()
    if row is None:
        raise RuntimeError("PostgreSQL did not say which database it is")
    return str(row[0]), int(row[1])


def _count(connection: DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM executions").fetchall()[0][0])
