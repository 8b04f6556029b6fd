"""The marts: facts from PostgreSQL into DuckDB, analytics/*.sql on them, one published file.

Belongs here: the course of a refresh. Does not belong here: the file (mart_file.py), locks
(mart_lock.py), what is loaded (loading.py), SQL (analytics/, run by mart_sql.py).

Everything of one refresh is one DuckDB transaction: a refresh that is killed leaves the state
before it. The file can always be made anew from PostgreSQL, and is when it is damaged.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_catalog_pipelines.db.server import Database
from tool_catalog_pipelines.errors import TransientError
from tool_catalog_pipelines.judgement.loading import (
    LoadState,
    Source,
    count,
    find_source,
    first_unstarted,
    load,
    read_state,
)
from tool_catalog_pipelines.judgement.mart_file import (
    is_damage,
    open_file,
    open_read_only,
    remove_file,
    replace_atomically,
)
from tool_catalog_pipelines.judgement.mart_lock import WAIT_S, file_lock, only_writer
from tool_catalog_pipelines.judgement.mart_sql import MartSql, published_tables
from tool_catalog_pipelines.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OTHER_VERSION = "the file was made by another version"


@dataclass(frozen=True, slots=True)
class MartReport:
    """What a refresh did.

    Attributes:
        loaded_facts: facts that were new.
        rows: number of rows of every published table.
        rebuilt: why the file was made anew; empty if it was not.
    """

    loaded_facts: int
    rows: Mapping[str, int]
    rebuilt: str = ""


def refresh_marts(settings: Settings, database: Database, wait_s: float = WAIT_S) -> MartReport:
    """Load the facts that are new, compute the marts again and publish them.

    Raises:
        TransientError: another process is writing the marts for longer than `wait_s`; names it.
        DatabaseUnavailableError: PostgreSQL is away; the marts are as before.
        InvalidInputError: a file of analytics/ is missing or wrong.
    """
    sql = MartSql(settings.analytics_dir)
    with only_writer(database.libpq_url, settings, wait_s) as session:
        source = find_source(session, database.libpq_url)
        path = settings.marts_path
        reason = _why_anew(path, source, sql)
        if reason:
            remove_file(path)
        try:
            report = _refresh(path, source, sql, reason)
        except Exception as error:
            if not is_damage(error):
                raise
            remove_file(path)
            report = _refresh(path, source, sql, f"the file was damaged: {error}")
        _publish(settings)
    return report


def publish_marts(settings: Settings) -> Path:
    """Replace the file that analysts open; those who have the old one open keep it.

    Raises:
        TransientError: nothing is loaded yet, or the marts are being written.
    """
    with file_lock(settings, WAIT_S):
        if not settings.marts_path.exists():
            raise TransientError("there are no marts to publish yet; refresh them first")
        return _publish(settings)


@contextmanager
def open_marts(settings: Settings) -> Generator[DuckDBPyConnection]:
    """The published marts as they are now, read-only.

    Raises:
        TransientError: nothing is published yet.
    """
    if not settings.published_path.exists():
        raise TransientError("no marts are published yet; refresh them first")
    with open_read_only(settings.published_path) as connection:
        yield connection


def _why_anew(path: Path, source: Source, sql: MartSql) -> str:
    """Why what is in the file cannot be continued; empty if it can, or if there is nothing."""
    import duckdb

    if not path.exists():
        return ""
    try:
        with open_file(path) as connection:
            state = read_state(connection)
    except (duckdb.CatalogException, duckdb.BinderException):
        return _OTHER_VERSION
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return f"the file was damaged: {error}"
    return _mismatch(state, source, sql.layout) if state else ""


def _mismatch(state: LoadState, source: Source, layout: str) -> str:
    if not state.is_readable:
        return _OTHER_VERSION
    if state.database_id != source.database_id:
        return "the facts in the file came from another database"
    if first_unstarted(state.snapshot) > first_unstarted(source.snapshot):
        return "the database was set back to an earlier state"
    return "" if state.layout == layout else "the tables have changed since the file was made"


def _refresh(path: Path, source: Source, sql: MartSql, rebuilt: str) -> MartReport:
    with open_file(path) as connection:
        connection.begin()
        sql.make_tables(connection)
        loaded = load(connection, source, sql)
        sql.make_marts(connection)
        names = [table.name for table in published_tables(connection)]
        rows = {name: count(connection, name) for name in names}
        connection.commit()
    return MartReport(loaded, rows, rebuilt)


def _publish(settings: Settings) -> Path:
    """Copy the file while nobody can write to it. Call it with the file lock held."""
    with open_file(settings.marts_path) as connection:
        connection.execute("CHECKPOINT")
        replace_atomically(settings.marts_path, settings.published_path)
    return settings.published_path
