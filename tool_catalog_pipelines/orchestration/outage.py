"""Patience with a PostgreSQL that is away for a while.

Belongs here: how long a write to the instance storage is tried again. Does not belong here: which
statements are written; they must be safe to repeat.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from dagster_postgres.utils import DagsterPostgresException, retry_pg_connection_fn
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from tool_catalog_pipelines.errors import DatabaseUnavailableError

RETRY_WINDOW_S = 60.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Patience:
    """Tries again while PostgreSQL is away, at most for one window per outage.

    The window belongs to the outage, not to the call: once it is used up, every call fails at the
    first try until one succeeds. So a run with many steps in flight ends soon instead of waiting
    for the window once per step. Safe to use from many threads.

    Args:
        window_s: seconds after the first failure of an outage in which calls are tried again.
    """

    def __init__(self, window_s: float = RETRY_WINDOW_S) -> None:
        self._window_s = window_s
        self._lock = threading.Lock()
        self._away_since: float | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether an outage has lasted longer than the window and goes on."""
        since = self._away_since
        return since is not None and time.monotonic() - since >= self._window_s

    def call(self, attempt: Callable[[bool], _T]) -> _T:
        """Call `attempt(is_retry)` until it returns.

        Raises:
            DatabaseUnavailableError: PostgreSQL was away for the whole window.
        """
        pause_s = _FIRST_PAUSE_S
        is_retry = False
        while True:
            try:
                result = attempt(is_retry)
            except (DBAPIError, DatabaseUnavailableError) as error:
                if not is_outage(error):
                    raise
                self._note_failure(error)
            else:
                if self._away_since is not None:
                    self._note_success()
                return result
            is_retry = True
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _note_failure(self, error: Exception) -> None:
        now = time.monotonic()
        with self._lock:
            is_first = self._away_since is None
            since = self._away_since = now if self._away_since is None else self._away_since
        if is_first:
            _LOG.warning(
                "PostgreSQL is away; what the event log of Dagster has to store is tried again "
                "for %g s (%s)",
                self._window_s,
                _first_line(error),
            )
        if now - since >= self._window_s:
            raise DatabaseUnavailableError(
                f"PostgreSQL has been away for {now - since:.0f} s and the event log of Dagster"
                f" cannot be written; start it and run the chain again ({_first_line(error)})"
            ) from error

    def _note_success(self) -> None:
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            _LOG.warning("PostgreSQL is back after %.1f s", time.monotonic() - since)


def is_outage(error: Exception) -> bool:
    """Whether the server or the connection is the problem, not the statement."""
    if isinstance(error, OperationalError | InterfaceError | DatabaseUnavailableError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


@contextmanager
def patient_connection(engine: Engine, patience: Patience) -> Generator[Connection]:
    """A connection for a read: waits a few seconds as Dagster does, not at all after the window.

    Raises:
        DatabaseUnavailableError: there was none to be had.
    """
    try:
        connection = (
            engine.connect() if patience.is_used_up else retry_pg_connection_fn(engine.connect)
        )
    except (DagsterPostgresException, OperationalError) as error:
        cause = error.__cause__ or error
        raise DatabaseUnavailableError(
            f"PostgreSQL cannot be reached; start it and try again ({_first_line(cause)})"
        ) from error
    with connection:
        yield connection


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
