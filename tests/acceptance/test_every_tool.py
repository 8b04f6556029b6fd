"""Every shipped tool runs with its own example, and its output is what it promises."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import shutil
import sqlite3
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tool_catalog_pipelines.catalog.yaml_source import snapshot_from_yaml
from tool_catalog_pipelines.execution.attempt import Attempt, run_attempt
from tool_catalog_pipelines.execution.context import Services
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.planning.lock import LockedStep, RunIdentity, RunLock
from tool_catalog_pipelines.planning.plan import PlanStep
from tool_catalog_pipelines.settings import CHECKOUT
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.chain import RetrySpec

SNAPSHOT = snapshot_from_yaml(CHECKOUT / "catalog_yaml")
IDENTITY = RunIdentity("shared", "run", datetime(2026, 1, 1, tzinfo=UTC), "staging", "tester")
EXEMPT = {
    "linux/dig": "needs a name server; its reply is read by a jc parser that has tests of its own",
    "linux/lsblk": "without block devices (containers) it may fail, as its limitations say",
    "linux/openssl": "the certificate bundle is not on every machine",
}
CASES = [
    pytest.param(tool, capability, name, example, id=f"{tool.label}-{name}-{number}")
    for tool in SNAPSHOT.tools
    for capability, declared in tool.spec.capabilities.items()
    for name, pattern in declared.patterns.items()
    for number, example in enumerate(pattern.examples)
    if tool.label.partition("@")[0] not in EXEMPT or name == "digest_file"
]


@pytest.fixture
def material(tmp_path: Path) -> dict[str, str]:
    """Real things for examples that name a place under /var/tmp."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("hello\n", encoding="utf-8")
    archive = tmp_path / "example.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(folder, "folder")
    packed = tmp_path / "example.gz"
    packed.write_bytes(gzip.compress(b"hello" * 100))
    with contextlib.closing(sqlite3.connect(tmp_path / "example.sqlite")) as database:
        database.execute("CREATE TABLE t (n INTEGER)")
    repository = tmp_path / "repository"
    for argv in (
        ["git", "init", "-q", "-b", "main", str(repository)],
        ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@localhost",
         "commit", "-q", "--allow-empty", "-m", "First"],
    ):  # fmt: skip
        subprocess.run(argv, check=True)
    return {
        "/var/tmp/example-repository": str(repository),
        "/var/tmp/example.sqlite": str(tmp_path / "example.sqlite"),
        "/var/tmp/example.tar": str(archive),
    } | {"gzip": str(packed), "new archive": str(tmp_path / "new.tar.gz")}


@pytest.fixture
def server() -> Iterator[str]:
    """A web server on loopback."""

    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def test_the_exempt_tools_exist_and_are_few() -> None:
    names = {tool.label.partition("@")[0] for tool in SNAPSHOT.tools}
    assert set(EXEMPT) <= names
    assert len(EXEMPT) <= 5
    assert len([name for name in names if name.startswith("linux/")]) >= 40


def test_no_two_tools_share_a_description() -> None:
    descriptions = [tool.spec.description for tool in SNAPSHOT.tools]
    assert len(descriptions) == len(set(descriptions))


@pytest.mark.parametrize(("tool", "capability", "name", "example"), CASES)
def test_example_runs(
    tool: Any,
    capability: str,
    name: str,
    example: Any,
    material: dict[str, str],
    server: str,
    tmp_path: Path,
) -> None:
    for dependency in tool.spec.dependencies:
        if dependency.type == "binary" and not shutil.which(dependency.name, path=SEARCH_PATH):
            pytest.skip(f"{dependency.name} is not installed")
    pattern = tool.spec.pattern(capability, name)
    inputs = {
        key: _real(tool, name, value, material, server) for key, value in example.inputs.items()
    }
    step = PlanStep(
        id="s", kind="tool", description="", tool=ToolRef(tool.spec.tool_name, tool.spec.platform),
        capability=capability, pattern=name, arguments={}, foreach=None, when=None, data_from=(),
        needs=(), timeout_s=None, retry=RetrySpec(), on_error="fail",
    )  # fmt: skip
    locked = LockedStep("s", None, tool.spec.platform, tool.spec.tool_name, tool.spec.version)
    lock = RunLock(IDENTITY, "chain", "1.0.0", "f", {}, {"s": locked}, 0)
    facts: list[Execution] = []
    services = Services(lambda: SNAPSHOT, facts.append, tmp_path, tmp_path / "reports", "here")
    outcome = run_attempt(Attempt(step, lock, locked, 1, services), inputs)
    assert outcome.error is None, str(outcome.error)
    assert facts[0].status == example.expected_status
    measured = {key for key, spec in pattern.variables.items() if spec.measured is not None}
    assert measured <= set(facts[0].variables_measured)


def _real(tool: Any, name: str, value: Any, material: dict[str, str], server: str) -> Any:
    """The example's value, or the real thing that stands for it here."""
    if value == "/var/tmp/example.tar" and tool.spec.tool_name == "gzip":
        return material["gzip"]
    if value == "/var/tmp/example.tar" and name == "create_archive":
        return material["new archive"]
    if isinstance(value, str) and value.startswith("http://127.0.0.1"):
        return server
    return material.get(value, value) if isinstance(value, str) else value
