"""The marts: facts from PostgreSQL into DuckDB, analytics/*.sql on them, one published file.

DuckDB has one writer; an advisory lock in PostgreSQL guards it. Everything of one refresh is one
DuckDB transaction. The file can always be made anew from PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tool_catalog_pipelines.db.server import Database
from tool_catalog_pipelines.errors import TransientError
from tool_catalog_pipelines.judgement.loading import load_new_facts
from tool_catalog_pipelines.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_WRITER_LOCK = 7_236_110_451_884_020
_WAIT_S = 60
MARTS = ("executions", "daily_performance", "hourly_performance", "experiment_arms")


@dataclass(frozen=True, slots=True)
class MartReport:
    """What a refresh did. `rebuilt` tells why the file was made anew, empty if it was not."""

    loaded_facts: int
    rows: dict[str, int]
    rebuilt: str = ""


def refresh_marts(settings: Settings, database: Database) -> MartReport:
    """Load the facts that are new and compute the marts again.

    Raises:
        TransientError: another process holds the writer's lock for longer than a minute.
    """
    with _only_writer(database):
        path = settings.marts_path
        path.parent.mkdir(parents=True, exist_ok=True)
        rebuilt = _remove_if_unreadable(path)
        with _open(path) as connection:
            connection.begin()
            _run_sql(connection, settings, "01")
            loaded, anew = load_new_facts(connection, database)
            _run_sql(connection, settings, "02", "03", "04", "05")
            rows = {name: _count(connection, name) for name in MARTS}
            connection.commit()
        publish_marts(settings)
    return MartReport(loaded, rows, rebuilt or anew)


def publish_marts(settings: Settings) -> Path:
    """Replace the file that analysts open; those who have the old one open keep it."""
    with _open(settings.marts_path) as connection:
        connection.execute("CHECKPOINT")
    target = settings.published_path
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}.part")
    shutil.copyfile(settings.marts_path, draft)
    draft.chmod(0o644)
    draft.replace(target)
    return target


@contextmanager
def open_marts(settings: Settings) -> Generator[DuckDBPyConnection]:
    """The published marts, read-only.

    Raises:
        TransientError: nothing is published yet.
    """
    if not settings.published_path.exists():
        raise TransientError("no marts are published yet; run `tool-catalog judge` first")
    with _open(settings.published_path, read_only=True) as connection:
        yield connection


@contextmanager
def _open(path: Path, read_only: bool = False) -> Generator[DuckDBPyConnection]:
    import duckdb

    # Nothing may be downloaded: what is needed is built in.
    connection = duckdb.connect(
        str(path),
        read_only=read_only,
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    try:
        yield connection
    finally:
        connection.close()


def _remove_if_unreadable(path: Path) -> str:
    import duckdb

    try:
        with _open(path) as connection:
            connection.execute("SELECT 1").fetchall()
    except duckdb.Error as error:
        path.unlink(missing_ok=True)
        path.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        return f"the file could not be read: {error}"
    return ""


def _run_sql(connection: DuckDBPyConnection, settings: Settings, *numbers: str) -> None:
    for number in numbers:
        for path in sorted(settings.analytics_dir.glob(f"{number}_*.sql")):
            connection.execute(path.read_text(encoding="utf-8"))


def _count(connection: DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a constant
    return int(found[0][0])


@contextmanager
def _only_writer(database: Database) -> Generator[None]:
    """Hold the writer's lock; it ends with the connection, however this process ends."""
    with psycopg.connect(database.libpq_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{_WAIT_S}s",))
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (_WRITER_LOCK,))
        except psycopg.errors.LockNotAvailable:
            raise TransientError(
                f"another process has been writing the marts for {_WAIT_S} s; try again later"
            ) from None
        yield
