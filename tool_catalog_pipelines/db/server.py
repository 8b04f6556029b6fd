"""Getting a PostgreSQL: the embedded one, started on demand, or the one of the settings.

Belongs here: `acquire_database` and what asks about the server's life. Does not belong here: the
server's process (postgres.py), its supervisor (supervisor.py), engines (engine.py).
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.errors import DuplicateDatabase, UniqueViolation
from sqlalchemy.engine import URL

from tool_catalog_pipelines.db import addresses
from tool_catalog_pipelines.db.locks import (
    Holder,
    RunFolder,
    closing_descriptor,
    is_locked,
    locked,
    register_holder,
    try_lock,
)
from tool_catalog_pipelines.db.postgres import SUPERUSER, find_postmaster
from tool_catalog_pipelines.db.preflight import check_home, make_folder, server_user
from tool_catalog_pipelines.errors import (
    DatabaseUnavailableError,
    EnvironmentUnfitError,
    InvalidInputError,
)
from tool_catalog_pipelines.settings import Settings

START_TIMEOUT_S = 60.0
_CONNECT_TIMEOUT_S = 10
_POLL_S = 0.02
_WATCH_S = 1.0
_DATABASE = "tool_catalog"


class Database:
    """A PostgreSQL that may be used until `close`; also a context manager.

    It holds no connection. It cannot be pickled or inherited by fork: another process acquires
    its own.

    Attributes:
        url: for SQLAlchemy with psycopg 3.
        dagster_url: for Dagster, on psycopg2 and schema `dagster`.
        libpq_url: for psycopg and ADBC.
    """

    def __init__(
        self, address: URL, holder: Holder | None = None, watch: SupervisorWatch | None = None
    ) -> None:
        self.url = addresses.engine_url(address)
        self.dagster_url = addresses.dagster_url(address)
        self.libpq_url = addresses.libpq_url(address)
        self._holder = holder
        self._watch = watch
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the server back; the last one to do so ends an embedded server. Idempotent."""
        with self._lock:
            holder, self._holder = self._holder, None
        if self._watch is not None:
            self._watch.close()
        if holder is not None:
            holder.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> str:
        raise TypeError("a Database belongs to one process; acquire another one there")


class SupervisorWatch:
    """Starts another supervisor should that of our server be killed while we hold the server."""

    def __init__(self, run: RunFolder, home: Path) -> None:
        self._run = run
        self._home = home
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching. Idempotent."""
        self._is_closed.set()
        self._thread.join()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):  # the home was removed
            while not self._is_closed.wait(_WATCH_S):
                _start_supervisor(self._run, self._home, forget_failure=False)


def acquire_database(settings: Settings, timeout_s: float = START_TIMEOUT_S) -> Database:
    """The database of these settings, started if need be and proven to accept connections.

    Raises:
        EnvironmentUnfitError: this machine or folder cannot hold the embedded server.
        InvalidInputError: TOOL_CATALOG_DATABASE_URL is not an address.
        DatabaseUnavailableError: the server does not answer.
    """
    if settings.database_url is None:
        return _acquire_embedded(settings, timeout_s)
    address = addresses.parse_address(settings.database_url)
    try:
        psycopg.connect(addresses.libpq_url(address), connect_timeout=_CONNECT_TIMEOUT_S).close()
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(_unreachable(address, error)) from None
    except psycopg.ProgrammingError:
        hint = "check the part after the question mark of TOOL_CATALOG_DATABASE_URL"
        raise InvalidInputError.one(
            "the database URL has options that do not exist", hint
        ) from None
    return Database(address)


def is_running(settings: Settings) -> bool:
    """Whether the embedded server or its supervisor lives."""
    run = _run_folder(settings)
    return is_locked(run.supervisor_lock) or find_postmaster(_data_dir(settings)) is not None


def wait_until_stopped(settings: Settings, timeout_s: float = 30.0) -> bool:
    """Wait for the orderly end of the embedded server after its last holder is gone."""
    deadline = time.monotonic() + timeout_s
    while is_running(settings):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _acquire_embedded(settings: Settings, timeout_s: float) -> Database:
    deadline = time.monotonic() + timeout_s
    check_home(settings.home)
    server_user(_data_dir(settings))
    run = _run_folder(settings)
    try:
        make_folder(run.holders)
        with locked(run.gate, timeout_s):
            holder = register_holder(run)
    except TimeoutError as error:
        raise _not_started(run, str(error)) from error
    except PermissionError as error:
        hint = "start as the user who started it first, or choose another TOOL_CATALOG_HOME"
        raise EnvironmentUnfitError.one(f"cannot write to {run.path}: {error}", hint) from error
    try:
        address = _await_ready(settings, run, deadline)
        return Database(address, holder, SupervisorWatch(run, settings.home))
    except BaseException:
        holder.release()
        raise


def _await_ready(settings: Settings, run: RunFolder, deadline: float) -> URL:
    """Keep a supervisor alive until the server accepts connections."""
    started = False
    problem = "it is still starting"
    while time.monotonic() < deadline:
        if _start_supervisor(run, settings.home, forget_failure=not started):
            started = True
        elif started and not is_locked(run.supervisor_lock) and run.failure.exists():
            raise _not_started(run, run.failure.read_text())
        postmaster = find_postmaster(_data_dir(settings))
        if postmaster is not None and postmaster.is_ready and postmaster.socket_dir is not None:
            try:
                return _ensure_database(postmaster.socket_dir)
            except psycopg.OperationalError as error:
                problem = str(error)
        time.sleep(_POLL_S)
    raise _not_started(run, problem)


def _start_supervisor(run: RunFolder, home: Path, forget_failure: bool) -> bool:
    """Start a supervisor unless one lives, or the last one failed and that is to be reported."""
    if not forget_failure and run.failure.exists():
        return False
    descriptor = try_lock(run.supervisor_lock)
    if descriptor is None:
        return False
    run.failure.unlink(missing_ok=True)
    argv = [
        sys.executable,
        "-m",
        "tool_catalog_pipelines.db.supervisor",
        str(home),
        str(descriptor),
    ]
    with run.supervisor_log.open("ab") as log, closing_descriptor(descriptor):
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            pass_fds=(descriptor,),
        )
    # Reaps the supervisor if it ends before us; it usually lives longer.
    threading.Thread(target=process.wait, name="supervisor-reaper", daemon=True).start()
    return True


def _ensure_database(socket_dir: Path) -> URL:
    """Connect, and make our database in a new server."""
    address = URL.create("postgresql", username=SUPERUSER, database="postgres").update_query_dict(
        {"host": str(socket_dir)}
    )
    with psycopg.connect(
        addresses.libpq_url(address), connect_timeout=_CONNECT_TIMEOUT_S, autocommit=True
    ) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,))
        if found.fetchone() is None:
            with contextlib.suppress(UniqueViolation, DuplicateDatabase):  # another was faster
                connection.execute(f"CREATE DATABASE {_DATABASE}")
    return address.set(database=_DATABASE)


def _not_started(run: RunFolder, problem: str) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"the embedded PostgreSQL does not run: {problem}\n{run.logs_tail()}"
    )


def _unreachable(address: URL, error: psycopg.OperationalError) -> str:
    said = " ".join(str(error).split())
    if address.password:
        said = said.replace(str(address.password), "***")
    return f"PostgreSQL at {addresses.server_name(address)} cannot be reached: {said}"


def _run_folder(settings: Settings) -> RunFolder:
    return RunFolder(settings.home / "run")


def _data_dir(settings: Settings) -> Path:
    return settings.postgres_dir
