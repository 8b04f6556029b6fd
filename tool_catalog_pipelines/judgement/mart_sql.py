"""The SQL files of analytics/: found, run in order, and described by their own comments.

Belongs here: what can be said about the marts from those files alone. Does not belong here:
PostgreSQL (loading.py), the file they are kept in (marts.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.judgement.mart_file import is_damage, open_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLES = "01_tables.sql"
ADD_EXECUTIONS = "02_add_executions.sql"
_BEFORE_MARTS = (TABLES, ADD_EXECUTIONS)


@dataclass(frozen=True, slots=True)
class MartSql:
    """The folder of SQL files; those after the first two make the marts, in order of name."""

    folder: Path

    @property
    def layout(self) -> str:
        """Hash of the file that makes the loaded tables."""
        return hashlib.sha256(self._read(TABLES).encode()).hexdigest()[:16]

    def make_tables(self, connection: DuckDBPyConnection) -> None:
        """Make the loaded tables unless they are there; those copied whole become empty."""
        self.run(connection, TABLES)

    def make_marts(self, connection: DuckDBPyConnection) -> None:
        """Compute everything that follows from the loaded tables."""
        for path in sorted(self.folder.glob("*.sql")):
            if path.name not in _BEFORE_MARTS:
                self.run(connection, path.name)

    def run(self, connection: DuckDBPyConnection, name: str) -> int:
        """Run one file; returns how many rows its last statement changed, 0 if that says nothing.

        Raises:
            InvalidInputError: DuckDB does not accept it; names the file.
        """
        import duckdb

        try:
            result = connection.execute(self._read(name))
            rows = result.fetchall() if result.description else []
        except duckdb.Error as error:
            if is_damage(error) or isinstance(error, duckdb.IOException):
                raise
            raise InvalidInputError.one(f"{self.folder / name}: {error}") from error
        changed = rows[0][0] if rows else 0
        return changed if isinstance(changed, int) else 0

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError as error:
            hint = "TOOL_CATALOG_ANALYTICS_DIR must name the folder analytics/ of the checkout"
            raise InvalidInputError.one(
                f"the SQL of the marts cannot be read: {error}", hint
            ) from (error)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a published table."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table or view that analysts see, with the comments of its SQL file."""

    name: str
    meaning: str
    columns: tuple[Column, ...]


def published_tables(connection: DuckDBPyConnection) -> list[PublishedTable]:
    """Tables and views by name; a column of a view means what it means in `facts`."""
    objects = connection.execute(
        "SELECT table_name, comment FROM duckdb_tables() "
        "UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY 1"
    ).fetchall()
    inherited = _meanings(connection, "executions") | _meanings(connection, "facts")
    return [
        PublishedTable(name, meaning or "", _columns(connection, name, inherited))
        for name, meaning in objects
    ]


def data_dictionary(folder: Path) -> str:
    """The page docs/reference/marts.md, from the comments in the SQL files."""
    sql = MartSql(folder)
    with open_file(None) as connection:
        sql.make_tables(connection)
        sql.make_marts(connection)
        sections = [_section(table) for table in published_tables(connection)]
    return "\n".join([_INTRODUCTION, *sections])


_INTRODUCTION = """\
# Data dictionary of the published marts

Generated from the comments in `analytics/*.sql` by `judgement/mart_sql.py`; do not edit.

The file is `published/tool_catalog.duckdb` in the installation's home. It is replaced as a whole
by every refresh; open it read-only, and again to see newer data. Moments are UTC without a zone.
Durations are in milliseconds.
"""


def _section(table: PublishedTable) -> str:
    rows = "\n".join(f"| `{c.name}` | {c.type} | {c.meaning} |" for c in table.columns)
    head = "| column | type | meaning |\n|---|---|---|"
    return f"## {table.name}\n\n{table.meaning}\n\n{head}\n{rows}\n"


def _columns(
    connection: DuckDBPyConnection, table: str, inherited: dict[str, str]
) -> tuple[Column, ...]:
    rows = connection.execute(
        "SELECT column_name, data_type, comment FROM duckdb_columns() "
        "WHERE table_name = ? AND NOT internal ORDER BY column_index",
        [table],
    ).fetchall()
    return tuple(
        Column(name, kind, comment or inherited.get(name, "")) for name, kind, comment in rows
    )


def _meanings(connection: DuckDBPyConnection, table: str) -> dict[str, str]:
    return {c.name: c.meaning for c in _columns(connection, table, {}) if c.meaning}
