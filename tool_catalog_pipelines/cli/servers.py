"""The servers of an installation: Dagster's web server and daemon, started, watched and ended here.

Every process started here is ended here, its children too, even if this process is killed: each
server has a guard (server_guard.py) that notices. Does not belong here: what happens before
serving (cli/serve.py) and the database (db/server.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tool_catalog_pipelines.cli.server_guard import END_WITHIN_S
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment

HOST = "127.0.0.1"
FIRST_PORT = 3000
PORTS_TRIED = 50
READY_WITHIN_S = 120.0
_WORKSPACE = str(CHECKOUT / "workspace.yaml")


@dataclass(frozen=True, slots=True)
class Server:
    """A server under its guard; it ends when `pipe` closes.

    Attributes:
        guard: the guard's process, which ends with the server's exit code.
        pipe: our end of the pipe that the guard watches.
    """

    guard: subprocess.Popen[bytes]
    pipe: int

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self.guard.poll()

    def listens(self, port: int) -> bool:
        """Whether this server, and not another program, has the port."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.guard.pid).children(recursive=True):
                sockets = process.net_connections(kind="tcp")
                if any(s.status == psutil.CONN_LISTEN and s.laddr[1] == port for s in sockets):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Served:
    """The running servers of one installation."""

    address: str
    servers: tuple[Server, ...]

    def first_ended(self) -> int | None:
        """The exit code of a server that ended by itself, if any."""
        return next((s.exit_code for s in self.servers if s.exit_code is not None), None)


@contextmanager
def only_server(settings: Settings) -> Generator[str | None]:
    """Be the one `make run` of this home; yields the address of the other one if there is one."""
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield _address_of_other(folder)
            return
        (folder / "serve.json").unlink(missing_ok=True)  # of one that was killed
        try:
            yield None
        finally:
            (folder / "serve.json").unlink(missing_ok=True)


def _address_of_other(folder: Path) -> str:
    try:
        return str(json.loads((folder / "serve.json").read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError):
        return "an address that it has not printed yet; it is still starting"


@contextmanager
def serve(settings: Settings) -> Generator[Served]:
    """Start the web server and the daemon; yields when the UI answers, ends both afterwards.

    Raises:
        TerminalError: a server ended or did not answer in time; names its log file.
    """
    logs = settings.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    servers: list[Server] = []
    try:
        daemon = ("dagster._daemon", "run", "-w", _WORKSPACE)
        servers.append(_start(daemon, logs / "daemon.log", settings))
        port = free_port()
        while not _start_web(port, servers, logs, settings):
            port = free_port(port + 1)
        served = Served(f"http://{HOST}:{port}", tuple(servers))
        _write_address(settings, served.address)
        yield served
    finally:
        with _uninterrupted():
            stop(servers)


def _start_web(port: int, servers: list[Server], logs: Path, settings: Settings) -> bool:
    """Start the web server and wait until it answers; False if another program took the port."""
    argv = ("dagster_webserver", "-h", HOST, "-p", str(port), "-w", _WORKSPACE)
    web = _start(argv, logs / "webserver.log", settings)
    servers.append(web)
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if web.exit_code is not None and is_taken(port):
            servers.remove(web)
            os.close(web.pipe)
            return False
        ended = Served("", tuple(servers)).first_ended()
        if ended is not None:
            raise TerminalError(f"a Dagster server ended with code {ended}; its log is in {logs}")
        if web.listens(port) and _answers(f"http://{HOST}:{port}/server_info"):
            return True
        time.sleep(0.2)
    raise TerminalError(
        f"the UI did not answer within {READY_WITHIN_S:.0f} s; the logs are in {logs}"
    )


@contextmanager
def _uninterrupted() -> Generator[None]:
    """A second Ctrl-C must not leave half of the processes behind."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def free_port(first: int = FIRST_PORT) -> int:
    """The first port from `first` on that nobody listens on.

    Raises:
        TerminalError: all of them are taken.
    """
    end = FIRST_PORT + PORTS_TRIED
    for port in range(first, end):
        if is_taken(port):
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise TerminalError(f"the ports {FIRST_PORT} to {end - 1} are all taken; free one of them")


def is_taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def stop(servers: Sequence[Server]) -> None:
    """Let the guards end their servers and everything these started; wait for it."""
    for server in servers:
        os.close(server.pipe)
    for server in servers:
        try:
            server.guard.wait(END_WITHIN_S + 5)
        except subprocess.TimeoutExpired:  # a guard that was stopped (SIGSTOP)
            _kill_tree(server.guard)


def _kill_tree(guard: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(guard.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    guard.kill()
    guard.wait()


def _start(module: Sequence[str], log: Path, settings: Settings) -> Server:
    """A server in a session of its own, so that Ctrl-C reaches us first and we end it in order."""
    watched, pipe = os.pipe()
    guard = [sys.executable, "-m", "tool_catalog_pipelines.cli.server_guard", str(watched)]
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*guard, sys.executable, "-m", *module],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=CHECKOUT,
                env=child_environment(settings),
                start_new_session=True,
                pass_fds=(watched,),
            )
    except BaseException:
        os.close(pipe)
        raise
    finally:
        os.close(watched)
    return Server(process, pipe)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - our own loopback URL
            return reply.status == 200
    except OSError:
        return False


def _write_address(settings: Settings, address: str) -> None:
    target = settings.home / "run" / "serve.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_text(json.dumps({"address": address, "pid": os.getpid()}), encoding="utf-8")
    draft.replace(target)
