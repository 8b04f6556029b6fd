"""PostgreSQL stops in the middle of a chain and stays away: nothing is lost, the end is clean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from tool_catalog_pipelines.db import postgres
from tool_catalog_pipelines.db.preflight import server_user

CHAIN = """
chain: slow_chain
version: 1.0.0
description: Waits, one step after another
steps:
  first: {tool: linux/wait}
  second: {tool: linux/wait, with: {after: {from: first, path: "$.result"}}}
  third: {tool: linux/wait, with: {after: {from: second, path: "$.result"}}}
"""
TOOL = """
tool_name: wait
platform: linux
version: 1.0.0
category: system
description: Waits for a moment
capabilities:
  wait:
    description: Waiting
    patterns:
      run:
        description: Waits for a moment
        optional_inputs: [{name: after, type: string, description: Ignored}]
        expected_outputs: [{name: result, type: string}]
        binding: {kind: command, argv: [sleep, "3"], output: {parser: text, as: result}}
"""


class Installation:
    """A home and a PostgreSQL server of the test's own."""

    def __init__(self, home: Path) -> None:
        self._data_dir = home / "pg"
        self._log = home / "pg.log"
        self._user = server_user(self._data_dir)
        postgres.initialise(self._data_dir, self._user)
        self.home = home / "home"
        yaml_dir = home / "yaml"
        for name, text in (("tools/wait", TOOL), ("chains/slow_chain", CHAIN)):
            path = yaml_dir / f"{name}.yaml"
            path.parent.mkdir(parents=True)
            path.write_text(text)
        self.start()
        self.environment = {
            **os.environ,
            "TOOL_CATALOG_HOME": str(self.home),
            "TOOL_CATALOG_YAML_DIR": str(yaml_dir),
            "TOOL_CATALOG_DATABASE_URL": self.url,
        }

    def start(self) -> None:
        process = postgres.start(self._data_dir, self._user, self._log)
        threading.Thread(target=process.wait, daemon=True).start()
        until(lambda: (found := self._found()) is not None and found.is_ready)
        found = self._found()
        assert found is not None
        self.url = f"postgresql://postgres@/postgres?host={found.socket_dir}"

    def stop(self) -> None:
        if self._found() is not None:
            assert postgres.stop(self._data_dir, self._user)

    def _found(self) -> postgres.Postmaster | None:
        return postgres.find_postmaster(self._data_dir)

    def program(self, *arguments: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def facts(self) -> Mapping[str, int]:
        query = "SELECT step, count(*) FROM tool_catalog.tool_telemetry GROUP BY step"
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute(query).fetchall())

    def runs(self) -> list[tuple[str, str]]:
        with psycopg.connect(self.url) as connection:
            if connection.execute("SELECT to_regclass('dagster.runs')").fetchone() == (None,):
                return []
            return connection.execute("SELECT run_id, status FROM dagster.runs").fetchall()


def until(is_true: object, deadline_s: float = 60.0) -> None:
    assert callable(is_true)
    end = time.monotonic() + deadline_s
    while not is_true():
        assert time.monotonic() < end
        threading.Event().wait(0.05)


def ended(process: subprocess.Popen[str]) -> None:
    said, complained = process.communicate(timeout=120)
    assert process.returncode == 0, said + complained


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    made = Installation(home)
    yield made
    made.stop()


@pytest.mark.slow
def test_a_server_that_stays_away_fails_the_run_and_loses_nothing(
    installation: Installation,
) -> None:
    ended(installation.program("import"))
    running = installation.program("chain", "run", "slow_chain", "--json")
    until(lambda: installation.runs() and installation.facts().get("first"))
    installation.stop()
    said, complained = running.communicate(timeout=200)
    assert running.returncode == 1, said + complained
    assert "Traceback" not in complained
    lines = [line for line in complained.splitlines() if line.strip()]
    assert len(lines) <= 12, complained
    assert sum("facts cannot be delivered now" in line for line in lines) == 1, complained
    assert sum("PostgreSQL is away" in line for line in lines) == 1, complained

    installation.start()
    ((run_id, status),) = installation.runs()
    assert status == "STARTED"
    again = installation.program("chain", "run", "slow_chain", "--json")
    said, complained = again.communicate(timeout=120)
    assert again.returncode == 0, complained
    assert f"run {run_id} had lost its process" in complained
    assert dict(installation.runs())[run_id] == "FAILURE"
    assert set(dict(installation.runs()).values()) == {"FAILURE", "SUCCESS"}
    assert json.loads(said)["status"] == "success"
    facts = installation.facts()
    assert facts["first"] == 2
    assert facts["second"] == 2, "what ended while the server was away is delivered later"


def test_a_killed_runner_leaves_no_running_run(installation: Installation) -> None:
    ended(installation.program("import"))
    running = installation.program("chain", "run", "slow_chain")
    until(lambda: [status for _, status in installation.runs()] == ["STARTED"])
    other = installation.program("chain", "run", "slow_chain")
    until(lambda: len(installation.runs()) == 2)
    running.kill()
    running.communicate()
    ended(other)
    third = installation.program("chain", "run", "slow_chain")
    _, complained = third.communicate(timeout=120)
    assert third.returncode == 0
    assert complained.count("had lost its process") == 1
    states = sorted(status for _, status in installation.runs())
    assert states == ["FAILURE", "SUCCESS", "SUCCESS"]
