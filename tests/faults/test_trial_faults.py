"""Trials of tools that misbehave: each is ended and reported, and nothing of it is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from factories import make_tool_spec

from tool_catalog_pipelines.execution.trials.case import Result, cases_of
from tool_catalog_pipelines.execution.trials.runner import run_cases

MARK = "trial-fault"


def trial(script: str, **example: Any) -> tuple[Result, str]:
    """The result of a Python script run as a tool, and a mark by which to find its processes."""
    mark = f"{MARK}-{uuid.uuid4().hex}"
    spec = make_tool_spec(
        binding={
            "kind": "command",
            "argv": [sys.executable, "-c", script.replace("{", "{{").replace("}", "}}"), mark],
            "output": {"parser": "text", "as": "said"},
        },
        examples=[{"name": "one", "timeout_s": 1, **example}],
    )
    (result,) = run_cases(cases_of(spec))
    return result, mark


def living(mark: str) -> list[int]:
    """Processes that carry the mark in their command line."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if mark in (process.info["cmdline"] or []) and process.status() != psutil.STATUS_ZOMBIE
    ]


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever a trial leaves would be found here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_one_that_hangs(own_temporary_folder: Path) -> None:
    result, mark = trial("import time; time.sleep(600)")
    assert result.ending == "failed"
    assert "timeout" in result.message
    assert living(mark) == []
    assert list(own_temporary_folder.iterdir()) == []


def test_one_that_ignores_signals_and_hides_its_children_in_sessions_of_their_own() -> None:
    script = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        sleep = "import time; time.sleep(600)"
        os.execv(sys.executable, [sys.executable, "-c", sleep, sys.argv[1]])
print("started", flush=True)
"""
    result, mark = trial(script)
    assert result.ending == "passed"
    assert living(mark) == []


def test_one_that_forks_without_end() -> None:
    script = """
import os, time
for _ in range(9):
    os.fork()
time.sleep(600)
"""
    result, mark = trial(script, timeout_s=20)
    assert result.ending == "failed"
    assert "more than 200 processes" in result.message
    assert living(mark) == []


def test_one_that_fills_the_disk(own_temporary_folder: Path) -> None:
    script = """
import sys
from pathlib import Path
for number in range(100):
    with Path(sys.argv[2], str(number)).open("wb") as file:
        for _ in range(16):
            file.write(bytes(1 << 20))
"""
    spec = make_tool_spec(
        binding={
            "kind": "command",
            "argv": [sys.executable, "-c", script, "x", "{folder}"],
            "output": {"parser": "none"},
        },
        required_inputs=[{"name": "folder", "type": "string", "description": "x"}],
        examples=[{"name": "one", "timeout_s": 60, "inputs": {"folder": "{scratch}"}}],
    )
    (result,) = run_cases(cases_of(spec))
    assert result.ending == "failed"
    assert "wrote more than 512 MiB" in result.message
    assert list(own_temporary_folder.iterdir()) == []


def test_one_that_takes_all_memory() -> None:
    script = "import time; kept = [bytearray(1 << 30) for _ in range(3)]; time.sleep(600)"
    result, mark = trial(script, timeout_s=60)
    assert result.ending == "failed"
    assert "2048 MiB of memory" in result.message
    assert living(mark) == []


def test_one_that_prints_a_gigabyte(own_temporary_folder: Path) -> None:
    script = """
import os
for _ in range(1024):
    os.write(1, bytes(1 << 20))
"""
    result, mark = trial(script, timeout_s=60)
    assert result.ending == "failed"
    assert "printed more than" in result.message
    assert living(mark) == []
    assert list(own_temporary_folder.iterdir()) == []


def test_files_without_permissions_are_removed_too(own_temporary_folder: Path) -> None:
    result, _ = trial(
        "pass",
        files={"deep/er/file.txt": "x"},
        prepare=[["chmod", "000", "deep/er"], ["chmod", "000", "deep"]],
    )
    assert result.ending == "passed"
    assert list(own_temporary_folder.iterdir()) == []


def test_a_preparation_that_fails_is_the_reason() -> None:
    result, _ = trial("pass", prepare=[["ls", "/nonexistent/folder"]])
    assert result.ending == "failed"
    assert result.message.startswith("ls: exit code 2")


def test_the_environment_holds_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOL_CATALOG_SECRET_KEY", "s3cr3t")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    script = "import os; print(sorted(os.environ), open('/proc/%d/environ' % os.getppid()).read())"
    result, _ = trial(script, expect={"output": {"said": "no such text"}})
    assert "HOME" in result.message
    assert "s3cr3t" not in result.message


def test_a_secret_is_stood_in_for() -> None:
    spec = make_tool_spec(
        binding={
            "kind": "command",
            "argv": ["printenv", "TOKEN"],
            "env": {"TOKEN": "${secret:token}"},
            "output": {"parser": "text", "as": "said"},
        },
        examples=[{"name": "one", "expect": {"output": {"said": "***"}}}],
    )
    (result,) = run_cases(cases_of(spec))
    assert result.ending == "passed", result.message


def test_the_command_reports_and_exits_by_the_outcome(tmp_path: Path) -> None:
    for name, script in (("good", "print(1)"), ("bad", "raise SystemExit(3)")):
        spec = make_tool_spec(
            f"linux/{name}",
            binding={
                "kind": "command", "argv": [sys.executable, "-c", script],
                "output": {"parser": "text", "as": "said"},
            },
            examples=[{"name": "one"}],
        )  # fmt: skip
        document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    junit = tmp_path / "report.xml"
    argv = [sys.executable, "-m", "tool_catalog_pipelines.cli.app", "test"]
    good = subprocess.run(
        [*argv, str(tmp_path / "good.yaml"), "--json"], capture_output=True, text=True, check=False
    )
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["passed"] == 1
    both = subprocess.run(
        [*argv, f"{tmp_path}/", "--junit", str(junit)], capture_output=True, text=True, check=False
    )
    assert both.returncode == 1
    assert "exit code 3" in both.stdout + both.stderr
    assert "1 passed, 1 failed" in both.stdout + both.stderr
    assert 'failures="1"' in junit.read_text(encoding="utf-8")
    nothing = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert nothing.returncode == 2
