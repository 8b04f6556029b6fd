"""The servers of an installation: Dagster's web server and daemon, started, watched and ended here.

Every process started here is ended here, its children too. Does not belong here: what happens
before serving (cli/serve.py) and the database (db/server.py).
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

from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment

HOST = "127.0.0.1"
FIRST_PORT = 3000
PORTS_TRIED = 50
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Served:
    """The running servers of one installation."""

    address: str
    processes: tuple[subprocess.Popen[bytes], ...]

    def first_ended(self) -> subprocess.Popen[bytes] | None:
        """A server that ended by itself, if any."""
        return next((p for p in self.processes if p.poll() is not None), None)


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
    port = free_port()
    logs = settings.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    workspace = str(CHECKOUT / "workspace.yaml")
    address = f"http://{HOST}:{port}"
    web = [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port), "-w", workspace]
    daemon = [sys.executable, "-m", "dagster._daemon", "run", "-w", workspace]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name, argv in (("webserver", web), ("daemon", daemon)):
            processes.append(_start(argv, logs / f"{name}.log", settings))
        served = Served(address, tuple(processes))
        _wait_until_ready(served, logs)
        _write_address(settings, address)
        yield served
    finally:
        with _uninterrupted():
            stop(processes)


@contextmanager
def _uninterrupted() -> Generator[None]:
    """A second Ctrl-C must not leave half of the processes behind."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def free_port(first: int = FIRST_PORT) -> int:
    """The first port from `first` on that nobody listens on.

    Raises:
        TerminalError: all of them are taken.
    """
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise TerminalError(f"the ports {first} to {first + PORTS_TRIED - 1} are all taken")


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End processes and everything they started: ask first, then insist."""
    family = _family(processes)
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=STOP_WITHIN_S)
    for survivor in {*alive, *[p for p in _family(processes) if p.is_running()]}:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(alive, timeout=5)
    for process in processes:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _family(processes: Sequence[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            found += [parent, *parent.children(recursive=True)]
    return found


def _start(argv: Sequence[str], log: Path, settings: Settings) -> subprocess.Popen[bytes]:
    """A server in its own session, so that Ctrl-C reaches us first and we end it in order.

    The pipe to it closes with this process, whatever ends this process; then it ends too.
    """
    tied = [sys.executable, "-m", "tool_catalog_pipelines.cli.tied", *argv]
    with log.open("ab") as output:
        return subprocess.Popen(
            tied,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=CHECKOUT,
            env=child_environment(settings),
            start_new_session=True,
        )


def _wait_until_ready(served: Served, logs: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        ended = served.first_ended()
        if ended is not None:
            raise TerminalError(
                f"a Dagster server ended with code {ended.returncode}; its log is in {logs}"
            )
        if _answers(f"{served.address}/server_info"):
            return
        time.sleep(0.2)
    raise TerminalError(
        f"the UI did not answer within {READY_WITHIN_S:.0f} s; the logs are in {logs}"
    )


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
