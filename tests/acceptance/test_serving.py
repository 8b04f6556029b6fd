"""`tool-catalog up` serves, says where, and leaves no process behind, however it is ended."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tool_catalog_pipelines.cli.servers import FIRST_PORT, HOST
from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment

_DEADLINE_S = 120.0
_JOBS = "{repositoriesOrError {... on RepositoryConnection {nodes {jobs {name}}}}}"


@dataclass
class Up:
    """A running `tool-catalog up --skip-demo` and what it has said so far."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Collect what it says until it ends."""
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.said.extend(lines)

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def address(self) -> str:
        eventually(lambda: "Dagster UI: " in self.text or self.process.poll() is not None)
        assert "Dagster UI: " in self.text, self.text
        return self.text.split("Dagster UI: ")[1].split()[0]


Start = Callable[[], Up]


def eventually(condition: Callable[[], bool], deadline_s: float = _DEADLINE_S) -> None:
    """Wait until something is true."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.05)


def processes_of(home: Path) -> list[psutil.Process]:
    """Every living process that was started for this home, by whomever."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get("TOOL_CATALOG_HOME") == str(home)
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def commands_of(home: Path) -> list[str]:
    """Their command lines."""
    found: list[str] = []
    for process in processes_of(home):
        with contextlib.suppress(psutil.Error):
            found.append(" ".join(process.cmdline()))
    return found


def get(address: str) -> int:
    with urllib.request.urlopen(address, timeout=30) as reply:
        return int(reply.status)


def graphql(address: str, query: str) -> Any:
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["data"]


@pytest.fixture
def installation(offline_settings: Settings) -> Settings:
    """A home with a small catalogue: serving does not depend on its size."""
    for part in ("chains/host_health.yaml", "tools/linux", "tools/custom"):
        source, target = CHECKOUT / "catalog_yaml" / part, offline_settings.catalog_dir / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return offline_settings


@pytest.fixture
def start(installation: Settings) -> Iterator[Start]:
    """Starts `up` on the installation, as a shell does; kills what is left at the end."""
    started: list[tuple[Up, threading.Thread]] = []
    environment = child_environment(installation)
    environment.pop("TOOL_CATALOG_DATABASE_URL", None)

    def run() -> Up:
        argv = [sys.executable, "-m", "tool_catalog_pipelines.cli.app", "up", "--skip-demo"]
        process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=CHECKOUT,
        )
        up = Up(process)
        listener = threading.Thread(target=up.listen)
        listener.start()
        started.append((up, listener))
        return up

    yield run
    for up, listener in started:
        up.process.kill()
        up.process.wait()
        listener.join()
    for process in processes_of(installation.home):
        process.kill()


def test_an_empty_home_is_served_ended_and_served_again(
    start: Start, installation: Settings
) -> None:
    first = start()
    assert get(first.address) == 200
    (repository,) = graphql(first.address, _JOBS)["repositoriesOrError"]["nodes"]
    assert {"host_health", "analytics"} <= {job["name"] for job in repository["jobs"]}

    other = start()
    assert other.process.wait(_DEADLINE_S) == 0
    eventually(lambda: f"already running for this home: {first.address}" in other.text)
    assert get(first.address) == 200

    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(_DEADLINE_S) == 0
    assert processes_of(installation.home) == []

    again = start()
    assert get(again.address) == 200
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(_DEADLINE_S) == 0
    assert processes_of(installation.home) == []
    assert "Traceback" not in first.text + other.text + again.text


def test_a_taken_port_is_said_and_sigkill_leaves_nothing(
    start: Start, installation: Settings
) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((HOST, FIRST_PORT))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        up = start()
        address = up.address
    assert f"port {FIRST_PORT} is taken" in up.text
    assert not address.endswith(f":{FIRST_PORT}")
    assert get(address) == 200
    commands = commands_of(installation.home)
    assert sum("server_guard" in command for command in commands) == 2
    assert any("api grpc" in command for command in commands), "no code server to test with"
    up.process.kill()
    eventually(lambda: processes_of(installation.home) == [])


def test_sigkill_while_starting_leaves_nothing(start: Start, installation: Settings) -> None:
    up = start()
    eventually(lambda: "-m dagster_webserver" in " ".join(commands_of(installation.home)))
    up.process.kill()
    eventually(lambda: processes_of(installation.home) == [])


@pytest.mark.parametrize(
    "victim",
    [
        "dagster._daemon",
        pytest.param("tool_catalog_pipelines.cli.server_guard", marks=pytest.mark.slow),
    ],
)
def test_a_server_that_dies_ends_the_rest_and_is_said(
    victim: str, start: Start, installation: Settings
) -> None:
    up = start()
    assert get(up.address) == 200
    found = [
        process
        for process in processes_of(installation.home)
        if process.cmdline()[1:3] == ["-m", victim]
    ]
    found[0].kill()
    assert up.process.wait(_DEADLINE_S) == 1
    eventually(lambda: "a Dagster server ended with code" in up.text)
    assert str(installation.home / "logs") in up.text
    assert "Traceback" not in up.text
    eventually(lambda: processes_of(installation.home) == [])
