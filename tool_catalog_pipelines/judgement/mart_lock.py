"""One writer of the marts at a time: a lock in PostgreSQL, and one on the file beside the marts.

The lock in PostgreSQL covers all machines and is held by a session, so it ends with the process.
The file lock covers publishing, which needs no database.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from tool_catalog_pipelines.db.addresses import parse_address
from tool_catalog_pipelines.db.locks import locked
from tool_catalog_pipelines.errors import DatabaseUnavailableError, TransientError
from tool_catalog_pipelines.settings import Settings

WAIT_S = 60.0
_WRITER_LOCK = 7_236_110_451_884_020
_POLL_S = 0.2
_CONNECT_TIMEOUT_S = 10
_HOLDER = """
SELECT a.pid, a.application_name, coalesce(a.client_addr::text, 'this machine')
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32) | l.objid::bigint = %s
"""


@contextmanager
def only_writer(libpq_url: str, settings: Settings, wait_s: float) -> Generator[psycopg.Connection]:
    """Be the only writer of the marts; gives the session that holds the lock.

    Raises:
        TransientError: another process is the writer for longer than `wait_s`; names it.
        DatabaseUnavailableError: PostgreSQL is away.
    """
    name = f"tool-catalog marts, process {os.getpid()} on {settings.host}"
    try:
        session = psycopg.connect(
            libpq_url,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name=name[:63],
        )
    except psycopg.OperationalError as error:
        raise unavailable(error, libpq_url) from None
    with session:
        deadline = time.monotonic() + wait_s
        try:
            while not _try(session):
                if time.monotonic() >= deadline:
                    raise TransientError(
                        f"{_holder(session)} has been writing the marts for longer"
                        f" than {wait_s:.0f} s; try again when it has ended"
                    )
                time.sleep(_POLL_S)
        except psycopg.OperationalError as error:
            raise unavailable(error, libpq_url) from None
        with file_lock(settings, wait_s):
            yield session


@contextmanager
def file_lock(settings: Settings, wait_s: float) -> Generator[None]:
    """Keep everybody else on this machine from changing or publishing the marts.

    Raises:
        TransientError: somebody else held it for longer than `wait_s`.
    """
    path = settings.marts_path.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with locked(path, wait_s):
            yield
    except TimeoutError as error:
        raise TransientError(f"the marts are being written: {error}; try again later") from None


def unavailable(error: Exception, libpq_url: str) -> DatabaseUnavailableError:
    """The error to raise when PostgreSQL goes away; never holds the password."""
    said = " ".join(str(error).split())
    if password := parse_address(libpq_url).password:
        said = said.replace(str(password), "***")
    return DatabaseUnavailableError(f"the marts cannot be refreshed without PostgreSQL: {said}")


def _try(session: psycopg.Connection) -> bool:
    row = session.execute("SELECT pg_try_advisory_lock(%s)", (_WRITER_LOCK,)).fetchone()
    return bool(row and row[0])


def _holder(session: psycopg.Connection) -> str:
    row = session.execute(_HOLDER, (_WRITER_LOCK,)).fetchone()
    if row is None:
        return "another process"
    return f"{row[1] or 'another process'} (PostgreSQL session {row[0]} from {row[2]})"
