"""PostgreSQL -> Arrow -> DuckDB: new facts, each exactly once; small tables whole each time.

The watermark is a snapshot of PostgreSQL: the transactions that had ended and those still running.
Loaded is what the present snapshot sees and the last one did not. A commit that comes late was not
seen by the last snapshot, so it is never passed over, and nothing is seen as new twice. A bound on
the transaction id alone would do the same, but any open transaction on the server, of whatever
database, would then hold back all newer facts.

Does not belong here: transactions and files (marts.py), what is computed (analytics/*.sql). Which
columns are read is decided by the tables that analytics/01_tables.sql makes.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import psycopg

from tool_catalog_pipelines.errors import DatabaseUnavailableError, TerminalError
from tool_catalog_pipelines.judgement.mart_file import is_damage
from tool_catalog_pipelines.judgement.mart_lock import unavailable
from tool_catalog_pipelines.judgement.mart_sql import ADD_EXECUTIONS, MartSql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COPIED_TABLES = {
    "tools": "true",
    "tool_estimates": "true",
    "tool_ab_tests": "true",
    "chain_forecasts": "run_started_at > now() - interval '180 days'",
}
"""Tables that are copied as they are, each with what is copied of it."""
_STREAM = "incoming_batches"


@dataclass(frozen=True, slots=True)
class Source:
    """The database that facts come from.

    Attributes:
        libpq_url: its address.
        database_id: cluster and database, the same after any restart.
        snapshot: `pg_current_snapshot()`; what it sees has ended for every later reader.
    """

    libpq_url: str
    database_id: str
    snapshot: str


@dataclass(frozen=True, slots=True)
class LoadState:
    """Up to where a file is loaded."""

    database_id: str
    snapshot: str
    layout: str

    @property
    def is_readable(self) -> bool:
        """Whether the snapshot has PostgreSQL's form `xmin:xmax:running`."""
        return re.fullmatch(r"\d+:\d+:[\d,]*", self.snapshot) is not None


def find_source(session: psycopg.Connection, libpq_url: str) -> Source:
    """Which database this is, and which of its transactions have ended.

    Raises:
        DatabaseUnavailableError: it went away.
    """
    try:
        row = session.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || "
            "(SELECT oid FROM pg_database WHERE datname = current_database())::text, "
            "pg_current_snapshot()::text"
        ).fetchone()
    except psycopg.OperationalError as error:
        raise unavailable(error, libpq_url) from None
    if row is None:
        raise DatabaseUnavailableError("PostgreSQL did not say which database it is")
    return Source(libpq_url, str(row[0]), str(row[1]))


def read_state(connection: DuckDBPyConnection) -> LoadState | None:
    """Up to where this file is loaded; None for a file in which nothing was ever loaded."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall():
        return None
    rows = connection.execute("SELECT database_id, snapshot, layout FROM load_state").fetchall()
    return LoadState(*rows[0]) if rows else None


def load(connection: DuckDBPyConnection, source: Source, sql: MartSql) -> int:
    """Bring the file up to date within the caller's transaction; returns how many facts were new.

    Raises:
        DatabaseUnavailableError: PostgreSQL went away.
    """
    state = read_state(connection)
    new = _is_new(state.snapshot if state else "", source.snapshot)
    with _reading(source) as cursor:
        query = _select(connection, "executions", "tool_telemetry", new)
        loaded = _add_executions(connection, cursor, query, sql)
        for table, condition in COPIED_TABLES.items():
            query = _select(connection, table, table, condition)
            _stream(connection, cursor, query, f"INSERT INTO {table} BY NAME FROM {_STREAM}")
    connection.execute("DELETE FROM load_state")
    connection.execute(
        "INSERT INTO load_state VALUES (?, ?, ?, ?)",
        [source.database_id, source.snapshot, sql.layout, datetime.now(UTC).replace(tzinfo=None)],
    )
    return loaded


def _add_executions(connection: DuckDBPyConnection, cursor: Any, query: str, sql: MartSql) -> int:
    """Stream new facts into a temporary table, then add those that are not there.

    Within a transaction, DuckDB 2.0.0 cannot read back more than a row group (122,880 rows) that
    one statement inserts after another one put nothing into the same table. So the temporary
    table is made by the stream itself, `executions` is written by one statement, and what was
    written is read: the watermark must not move past rows that nobody can see.

    Raises:
        TerminalError: rows that were written cannot be read.
    """
    before = count(connection, "executions")
    make = f"CREATE TEMP TABLE incoming_executions AS FROM {_STREAM}"
    streamed = _stream(connection, cursor, query, make)
    _check_readable(connection, "incoming_executions", streamed)
    added = sql.run(connection, ADD_EXECUTIONS)
    _check_readable(connection, "executions", before + added)
    connection.execute("DROP TABLE incoming_executions")
    return added


def _check_readable(connection: DuckDBPyConnection, table: str, expected: int) -> None:
    # count(*) would be answered without reading a row.
    scan = f"SELECT count(*) FILTER (length(run_id) + random() >= 0) FROM {table}"  # noqa: S608 - a name of ours
    found = int(connection.execute(scan).fetchall()[0][0])
    if found != expected:
        raise TerminalError(
            f"DuckDB wrote {expected} rows to {table} and can read {found} of them; "
            "nothing was changed; please report this with the version of DuckDB"
        )


def first_unstarted(snapshot: str) -> int:
    """The first transaction id that was not given out when the snapshot was taken."""
    return int(snapshot.split(":")[1])


def count(connection: DuckDBPyConnection, table: str) -> int:
    """Number of rows of a table or view of ours."""
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0])  # noqa: S608 - a name from the catalogue of DuckDB


@contextmanager
def _reading(source: Source) -> Generator[Any]:
    """A cursor of ADBC; the driver carries no types."""
    import duckdb

    dbapi = cast("Any", importlib.import_module("adbc_driver_postgresql.dbapi"))
    try:
        with dbapi.connect(source.libpq_url) as connection, connection.cursor() as cursor:
            yield cursor
    except dbapi.Error as error:
        raise unavailable(error, source.libpq_url) from None
    except duckdb.Error as error:
        # What the driver says in the middle of a stream arrives as an error of DuckDB.
        if "arrow" not in str(error).lower() or is_damage(error):
            raise
        raise unavailable(error, source.libpq_url) from None


def _stream(connection: DuckDBPyConnection, cursor: Any, query: str, statement: str) -> int:
    """Run a statement that reads record batches, so that memory stays bounded; returns its rows."""
    cursor.execute(query)
    connection.register(_STREAM, cursor.fetch_record_batch())
    try:
        return int(connection.execute(statement).fetchall()[0][0])
    finally:
        connection.unregister(_STREAM)


def _is_new(since: str, now: str) -> str:
    """The condition on facts that `now` sees and `since` did not; the bounds let the index help."""
    sees = "pg_visible_in_snapshot(recorded_xid, '{}'::pg_snapshot)"
    conditions = [f"recorded_xid < '{first_unstarted(now)}'::xid8", sees.format(now)]
    if since:
        first = int(since.split(":", maxsplit=1)[0])
        conditions += [f"recorded_xid >= '{first}'::xid8", f"NOT {sees.format(since)}"]
    return " AND ".join(conditions)


def _select(connection: DuckDBPyConnection, table: str, origin: str, condition: str) -> str:
    """The query that reads a table's columns as its types want them."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
        "AND NOT internal ORDER BY column_index",
        [table],
    ).fetchall()
    chosen = ", ".join(f"{_as_type(name, kind)} AS {name}" for name, kind in columns)
    return f"SELECT {chosen} FROM tool_catalog.{origin} WHERE {condition}"  # noqa: S608 - names of ours and integers


def _as_type(name: str, kind: str) -> str:
    if kind == "TIMESTAMP":
        return f"({name} AT TIME ZONE 'UTC')"
    return f"{name}::text" if kind == "VARCHAR" else name
