"""Keeps one server: `python -m tool_catalog_pipelines.cli.server_guard PIPE COMMAND...`.

Runs the command and ends it, with everything it started, when it is told to (SIGTERM) or when the
pipe closes; the kernel closes it at any death of the starting process, SIGKILL included. The exit
code is that of the command. Does not belong here: which servers there are (servers.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import psutil

ASK_SERVER_S = 10.0
ASK_ALL_S = 5.0
KILL_S = 5.0
END_WITHIN_S = ASK_SERVER_S + ASK_ALL_S + KILL_S
_POLL_S = 0.1
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SUPERVISOR = "tool_catalog_pipelines.db.supervisor"


class ServerGuard:
    """One server and everything it starts."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._is_told = False

    def keep(self, argv: Sequence[str]) -> int:
        """Run the command until it ends or must end; nothing of it is left afterwards."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._on_signal)
        _set_process_option(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of the server come to us
        server = subprocess.Popen(argv, preexec_fn=_end_with_parent)  # noqa: PLW1509 - one thread
        while not self._must_end():
            _reap(server)
            if server.returncode is not None:
                break
        _end_family(server)
        code = server.returncode
        return code if code is not None and code >= 0 else 128 + abs(code or signal.SIGKILL)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._is_told = True

    def _must_end(self) -> bool:
        """Wait a moment; whether we were told to end, or nobody holds the pipe any more."""
        readable, _, _ = select.select([self._pipe], [], [], _POLL_S)
        return self._is_told or bool(readable)


def _end_family(server: subprocess.Popen[bytes]) -> None:
    """Ask the server, which ends its own in order; then ask what is left; then insist."""
    if server.returncode is None:
        server.send_signal(signal.SIGTERM)
        _await(lambda: server.returncode is not None, server, ASK_SERVER_S)
    for number, limit_s in ((signal.SIGTERM, ASK_ALL_S), (signal.SIGKILL, KILL_S)):
        _send(_family(), number)
        _await(lambda: not _family(), server, limit_s)


def _await(condition: Callable[[], bool], server: subprocess.Popen[bytes], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        _reap(server)
        if condition():
            return
        time.sleep(_POLL_S)


def _reap(server: subprocess.Popen[bytes]) -> None:
    """Collect every child that has ended, orphans included."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid == server.pid:
                server.returncode = os.waitstatus_to_exitcode(status)


def _family() -> set[psutil.Process]:
    """Living descendants, and members of our session where the kernel gives us no orphans."""
    found = set(psutil.Process().children(recursive=True))
    found |= {process for process in psutil.process_iter() if _is_in_our_session(process)}
    return {process for process in found - _databases(found) if _is_alive(process)}


def _databases(family: Iterable[psutil.Process]) -> set[psutil.Process]:
    """The embedded database: whichever process happened to start it, others may be using it."""
    found: set[psutil.Process] = set()
    for process in family:
        with contextlib.suppress(psutil.Error):
            if _SUPERVISOR in process.cmdline() or process.name() == "postgres":
                found |= {process, *process.children(recursive=True)}
    return found


def _is_in_our_session(process: psutil.Process) -> bool:
    with contextlib.suppress(OSError):
        return process.pid != os.getpid() and os.getsid(process.pid) == os.getsid(0)
    return False


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _send(processes: Iterable[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def _end_with_parent() -> None:
    """In the server, before it runs: a guard that is killed itself takes the server along."""
    _set_process_option(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _set_process_option(option: int, value: int) -> None:
    """`prctl`, where there is one; elsewhere the session has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main(pipe: str, *argv: str) -> int:
    """Keep the server; the exit code is the server's."""
    os.set_inheritable(int(pipe), False)
    return ServerGuard(int(pipe)).keep(argv)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
