"""The program as people and programs start it: messages, JSON, exit codes; no traceback ever."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tool_catalog_pipelines.settings import Settings

Program = Callable[..., subprocess.CompletedProcess[str]]


def write_chain(settings: Settings, text: str) -> Path:
    """A chain of this test's own."""
    path = settings.home / "chains" / "mine.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_import_counts_and_repeats_without_change(program: Program) -> None:
    first = json.loads(program("import", "--json").stdout)
    second = json.loads(program("import", "--json").stdout)
    assert len(first["imported"]) >= 50
    assert first["refused"] == []
    assert second["imported"] == []
    assert len(second["unchanged"]) == len(first["imported"])


def test_broken_file_is_refused_with_its_place_and_the_others_are_imported(
    program: Program, settings: Settings
) -> None:
    tool = settings.catalog_dir / "tools" / "linux" / "df.yaml"
    text = tool.read_text(encoding="utf-8")
    tool.write_text(text.replace("time_estimate_ms", "time_estimate"), encoding="utf-8")
    result = program("import")
    assert result.returncode == 2
    assert "df.yaml:" in result.stderr
    assert "time_estimate_ms" in result.stderr
    assert "Traceback" not in result.stderr
    tools = json.loads(program("list", "--json").stdout)["tools"]
    assert len(tools) >= 50
    assert "linux/df" not in {tool["tool"] for tool in tools}


def test_host_health_runs_and_leaves_facts_a_lock_and_a_report(
    program: Program, settings: Settings
) -> None:
    result = program("chain", "run", "host_health", "--input", "top=5", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["status"] == "success"
    report = Path(document["outputs"]["report_path"])
    assert "## Disks" in report.read_text(encoding="utf-8")
    with psycopg.connect(str(settings.database_url)) as connection:
        facts = connection.execute(
            "SELECT step, status, estimate_ms, tool_version FROM tool_catalog.tool_telemetry "
            "WHERE run_id = %s",
            (document["run_id"],),
        ).fetchall()
        locks = connection.execute(
            "SELECT fingerprint FROM tool_catalog.run_locks WHERE run_id = %s",
            (document["run_id"],),
        ).fetchall()
    tool_steps = set(document["steps"]) - {"full"}
    assert {fact[0] for fact in facts} == tool_steps
    assert len(locks) == 1


def test_failing_step_is_exit_one_with_its_line_and_a_fact(
    program: Program, settings: Settings
) -> None:
    path = write_chain(
        settings,
        "chain: mine\nversion: 1.0.0\ndescription: Looks at a file that is not there\n"
        "steps:\n  look: {tool: linux/stat, with: {path: /does/not/exist}}\n",
    )
    result = program("chain", "run", "mine", "--json")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    document = json.loads(result.stdout)
    assert f"{path}:5" in document["failures"]["look"]
    with psycopg.connect(str(settings.database_url)) as connection:
        statuses = connection.execute(
            "SELECT status, exit_code, error_type FROM tool_catalog.tool_telemetry"
        ).fetchall()
    assert statuses == [("failed", 1, "CommandFailed")]


def test_broken_chain_is_exit_two_with_every_problem(program: Program, settings: Settings) -> None:
    path = write_chain(
        settings,
        "chain: mine\nversion: 1.0.0\ndescription: Broken\nsteps:\n"
        "  a: {tool: linux/dff}\n  b: {tool: linux/stat, with: {pth: /}}\n"
        "  c: {transform: {x: {from: d, path: $}}}\n",
    )
    result = program("chain", "check")
    assert result.returncode == 2
    for line in (5, 6, 7):
        assert f"{path}:{line}:" in result.stderr
    assert "linux/df" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chain", "run", "no_such_chain"), "no_such_chain"),
        (("chain", "run", "host_health", "--input", "threshold_percent=abc"), "threshold_percent"),
        (("chain", "run", "host_health", "--input", "nonsense"), "name=value"),
        (("chain", "run", "repo_report"), "repository"),
    ],
)
def test_bad_input_is_exit_two(program: Program, arguments: tuple[str, ...], said: str) -> None:
    result = program(*arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_explain_needs_no_database(program: Program) -> None:
    nowhere = {"TOOL_CATALOG_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    result = program("chain", "explain", "host_health", env=nowhere)
    assert result.returncode == 0
    assert "host_health 1.0.0 (plan" in result.stdout


def test_database_that_is_away_is_one_sentence(program: Program) -> None:
    nowhere = {"TOOL_CATALOG_DATABASE_URL": "postgresql://nobody:hush@127.0.0.1:1/none"}
    result = program("chain", "run", "host_health", env=nowhere)
    assert result.returncode == 1
    assert "127.0.0.1:1" in result.stderr
    assert "hush" not in result.stderr
    assert "Traceback" not in result.stderr
