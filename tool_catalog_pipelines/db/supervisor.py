"""The embedded server's supervisor: `python -m tool_catalog_pipelines.db.supervisor HOME LOCK_FD`.

A detached process that starts PostgreSQL (or adopts one whose supervisor was killed), starts it
again after a crash, and stops it about two seconds after the last holder is gone. It inherits the
locked descriptor of `supervisor.lock`, so there is never more than one. Does not belong here:
how a program becomes a holder (server.py).
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tool_catalog_pipelines.db import postgres
from tool_catalog_pipelines.db.locks import RunFolder, locked
from tool_catalog_pipelines.db.preflight import ServerUser, server_user
from tool_catalog_pipelines.errors import DatabaseUnavailableError, ToolCatalogError

GRACE_S = 2.0
_POLL_S = 0.2
_START_TIMEOUT_S = 55.0
_MAX_STARTS = 5
_LOG = logging.getLogger("supervisor")


class Supervisor:
    """Owns the life of one server."""

    def __init__(self, run: RunFolder, data_dir: Path, user: ServerUser) -> None:
        self._run = run
        self._data_dir = data_dir
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._starts = 0
        self._told_to_stop = threading.Event()

    def serve(self) -> None:
        """Run the server until nobody holds it, or until `request_stop`."""
        self._ensure_running()
        idle_since: float | None = None
        while not self._told_to_stop.wait(_POLL_S):
            if not self._run.holders.is_dir() or not self._data_dir.is_dir():
                _LOG.warning("the data folder was removed; ending PostgreSQL %d", self._pid)
                postgres.end_orphan(self._pid, self._data_dir)
                return
            self._ensure_running()
            if self._is_held():
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= GRACE_S and self._stopped_if_unused():
                return
        _LOG.info("told to stop")
        self._stop()

    def request_stop(self, *_signal: object) -> None:
        """Make `serve` stop the server and return; a signal handler."""
        self._told_to_stop.set()

    def _ensure_running(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        found = postgres.find_postmaster(self._data_dir)
        if found is not None and found.is_ready:
            if found.pid != self._pid:
                _LOG.info("adopted PostgreSQL %d", found.pid)
            self._pid = found.pid
            return
        if found is not None:  # starting or stopping under a supervisor that was killed
            self._wait_until_settled(found.pid)
            self._ensure_running()
            return
        self._start()

    def _start(self) -> None:
        """Start the server and wait until it is ready.

        Raises:
            DatabaseUnavailableError: it ended again and again, or did not get ready.
        """
        while self._starts < _MAX_STARTS:
            self._starts += 1
            postgres.initialise(self._data_dir, self._user)
            self._process = postgres.start(self._data_dir, self._user, self._run.server_log)
            self._pid = self._process.pid
            if self._became_ready(self._process):
                _LOG.info("started PostgreSQL %d", self._pid)
                return
            _LOG.warning("PostgreSQL ended with code %s", self._process.poll())
            self._told_to_stop.wait(_POLL_S * self._starts)
        raise DatabaseUnavailableError(f"PostgreSQL ended {self._starts} times")

    def _became_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline:
            found = postgres.find_postmaster(self._data_dir)
            if found is not None and found.pid == process.pid and found.is_ready:
                return True
            time.sleep(_POLL_S / 10)
        return False

    def _wait_until_settled(self, pid: int) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            found = postgres.find_postmaster(self._data_dir)
            if found is None or found.pid != pid or found.is_ready:
                return
            time.sleep(_POLL_S / 10)
        raise DatabaseUnavailableError(f"PostgreSQL {pid} neither started nor stopped")

    def _is_held(self) -> bool:
        try:
            with locked(self._run.gate, timeout_s=0.0):
                return self._run.live_holders() > 0
        except TimeoutError:  # somebody is arriving
            return True

    def _stopped_if_unused(self) -> bool:
        """Stop under the gate, so that nobody arrives in between."""
        try:
            with locked(self._run.gate, timeout_s=0.0):
                if self._run.live_holders() > 0:
                    return False
                self._stop()
                return True
        except TimeoutError:
            return False

    def _stop(self) -> None:
        ended = postgres.stop(self._data_dir, self._user)
        _LOG.info("stopped PostgreSQL %d" if ended else "PostgreSQL %d did not stop", self._pid)
        if self._process is not None and ended:
            self._process.wait(5)


def main(home: str, lock_descriptor: str) -> int:
    """Supervise until the last holder is gone; the exit code is 1 if the server did not start."""
    run = RunFolder(Path(home) / "run")
    data_dir = Path(home) / "postgres"
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(process)d %(levelname)s %(message)s",
    )
    _LOG.info("supervising %s (lock %s)", data_dir, lock_descriptor)
    try:
        supervisor = Supervisor(run, data_dir, server_user(data_dir))
        signal.signal(signal.SIGTERM, supervisor.request_stop)
        signal.signal(signal.SIGINT, supervisor.request_stop)
        supervisor.serve()
    except ToolCatalogError as error:
        _LOG.exception("giving up")
        run.failure.write_text(str(error))
        return 1
    except FileNotFoundError:
        if run.path.is_dir():
            raise
        return 0  # the whole home was removed under us
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
