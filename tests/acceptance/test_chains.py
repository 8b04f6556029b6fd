"""The shipped chains through Dagster: facts, lock, tags, report; executors; broken chains."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob, build_reconstructable_job
from installations import run_chain_here
from psycopg.rows import dict_row

from tool_catalog_pipelines.orchestration import launch
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.orchestration.instance import open_instance
from tool_catalog_pipelines.orchestration.naming import (
    TAG_CHAIN,
    TAG_CHAIN_VERSION,
    TAG_FINGERPRINT,
    TAG_USER,
)
from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment

Program = Callable[..., subprocess.CompletedProcess[str]]

SMALL = """chain: small
version: 2.1.0
description: Counts, then says what was counted
inputs:
  name: {type: string, default: world, description: Whom to greet}
steps:
  now: {tool: linux/date, pattern: now_utc}
  host: {tool: linux/uname}
  both:
    transform:
      greeting: "hello {inputs.name}"
      kernel: {from: host, path: "$", default: none}
      time: {from: now, path: "$", default: none}
outputs:
  greeting: {from: both, path: "$.greeting"}
"""


@pytest.fixture(autouse=True)
def _no_job_of_another_installation() -> None:
    """Dagster keeps the last job by name, and with it the folder its outputs go to."""
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()


def write_chain(settings: Settings, text: str, name: str = "small") -> Path:
    path = settings.home / "chains" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rows(settings: Settings, statement: str, *values: object) -> list[dict[str, Any]]:
    address = str(settings.database_url)
    with psycopg.connect(address, row_factory=dict_row) as connection:
        return connection.execute(statement, values).fetchall()


def facts_of(settings: Settings, run_id: str) -> list[dict[str, Any]]:
    return rows(settings, "SELECT * FROM tool_catalog.tool_telemetry WHERE run_id = %s", run_id)


def test_host_health_leaves_facts_a_lock_tags_and_a_report(installation: Settings) -> None:
    outcome = run_chain_here(installation, "host_health", {"threshold_percent": 100})
    assert outcome.succeeded, outcome.failures
    plan = find_chains(installation).plan("host_health")
    tool_steps = {step.id for step in plan.steps if step.kind == "tool"}
    facts = facts_of(installation, outcome.run_id)
    assert {fact["step"] for fact in facts} == tool_steps
    once = [(fact["step"], fact["item"], fact["attempt"]) for fact in facts]
    assert len(once) == len(set(once))
    assert all(fact["tool_id"] is not None for fact in facts)
    assert {fact["chain_version"] for fact in facts} == {plan.version}
    assert {fact["fingerprint"] for fact in facts} == {plan.fingerprint}
    assert {fact["user_id"] for fact in facts} == {"tester"}
    for kind in ("markdown", "json"):
        report = Path(outcome.steps["report"].output["files"][kind])
        assert report.is_relative_to(installation.reports_dir)
    document = json.loads(report.read_text(encoding="utf-8"))
    assert "disks" in json.dumps(document)
    (lock,) = rows(
        installation,
        "SELECT * FROM tool_catalog.run_locks WHERE run_id = %s",
        outcome.run_id,
    )
    assert lock["fingerprint"] == plan.fingerprint
    assert outcome.run_id in json.dumps(lock, default=str)


def test_a_run_carries_chain_version_fingerprint_and_user(installation: Settings) -> None:
    write_chain(installation, SMALL)
    plan = find_chains(installation).plan("small")
    run_id = run_chain_here(installation, "small", {}).run_id
    with open_instance(installation) as instance:
        stored = instance.get_run_by_id(run_id)
    assert stored is not None
    assert stored.status == dg.DagsterRunStatus.SUCCESS
    wanted = {
        TAG_CHAIN: "small",
        TAG_CHAIN_VERSION: "2.1.0",
        TAG_FINGERPRINT: plan.fingerprint,
        TAG_USER: "tester",
    }
    assert {name: stored.tags.get(name) for name in wanted} == wanted


def test_log_triage_reports_planted_errors_by_frequency(installation: Settings, home: Path) -> None:
    logs = home / "my logs"
    (logs / "deep").mkdir(parents=True)
    timeouts = [f"10.0.0.{n}: error: no answer after {n} ms" for n in range(12)]
    (logs / "a.log").write_text("\n".join([*timeouts, "fine"]) + "\n", encoding="utf-8")
    denied = ["permission denied for user 7"] * 4
    (logs / "deep" / "b.log").write_text("\n".join(denied) + "\n", encoding="utf-8")
    (logs / "not.txt").write_text("error: no log\n", encoding="utf-8")
    outcome = run_chain_here(installation, "log_triage", {"folder": str(logs)})
    assert outcome.succeeded, outcome.failures
    groups = outcome.steps["groups"].output["groups"]
    assert [group["count"] for group in groups] == [12, 4]
    assert outcome.outputs["complaints"] == 16
    report = Path(outcome.outputs["report_path"]).read_text(encoding="utf-8")
    assert "permission denied" in report
    files = [f for f in facts_of(installation, outcome.run_id) if f["step"] == "complaints"]
    assert sorted(fact["item"] for fact in files) == ["0", "1"]


def test_log_triage_of_a_folder_without_logs_says_so(installation: Settings, home: Path) -> None:
    empty = home / "empty"
    empty.mkdir()
    outcome = run_chain_here(installation, "log_triage", {"folder": str(empty)})
    assert outcome.succeeded, outcome.failures
    assert outcome.outputs["complaints"] == 0
    assert outcome.steps["complaints"].status == "skipped"


def test_repo_report_on_a_repository(installation: Settings, home: Path) -> None:
    repository = home / "a repository"
    git = ["git", "-C", str(repository), "-c", "user.name=Ada", "-c", "user.email=ada@localhost"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    for subject in ("First", "Second: with a colon"):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", subject], check=True)
    (repository / "new.txt").write_text("not committed\n", encoding="utf-8")
    outcome = run_chain_here(installation, "repo_report", {"repository": str(repository)})
    assert outcome.succeeded, outcome.failures
    found = {step: result.output for step, result in outcome.steps.items()}
    assert len(found["history"]["commits"]) == 2
    assert "Ada" in json.dumps(found["authors"])
    assert "new.txt" in json.dumps(found["changes"])
    report = Path(outcome.outputs["report_path"]).read_text(encoding="utf-8")
    assert "Second: with a colon" in report


@pytest.mark.parametrize(
    "executor",
    [{"threads": {}}, {"in_process": {}}, {"multiprocess": {"max_concurrent": 2}}],
    ids=["threads", "in_process", "multiprocess"],
)
def test_a_chain_runs_on_every_executor(installation: Settings, executor: dict[str, Any]) -> None:
    write_chain(installation, SMALL)
    config = {"inputs": {"name": "tests"}, "execution": executor, "log_level": "CRITICAL"}
    job = build_reconstructable_job(launch.__name__, launch.rebuild_job.__name__, ("small",))
    with (
        open_instance(installation) as instance,
        dg.execute_job(job, instance, run_config=config) as result,
    ):
        assert result.success
        run_id = result.run_id
    facts = facts_of(installation, run_id)
    assert {(fact["step"], fact["status"]) for fact in facts} == {
        ("now", "success"),
        ("host", "success"),
    }
    stored = json.loads((installation.outputs_dir / run_id / "both.json").read_text())
    assert stored["output"]["greeting"] == "hello tests"


def test_a_tool_that_fails_is_exit_one_and_later_steps_do_not_run(
    program: Program, settings: Settings
) -> None:
    text = SMALL.replace("{tool: linux/uname}", "{tool: linux/stat, with: {path: /does/not/exist}}")
    write_chain(settings, text)
    done = program("chain", "run", "small", "--json")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    assert "host" in document["failures"]
    assert "both" not in document["steps"]
    facts = facts_of(settings, document["run_id"])
    assert {(fact["step"], fact["status"]) for fact in facts} == {
        ("now", "success"),
        ("host", "failed"),
    }


def test_a_broken_chain_is_exit_two_with_its_place(program: Program, settings: Settings) -> None:
    path = write_chain(settings, SMALL.replace("linux/uname", "linux/unam"))
    done = program("chain", "run", "small")
    assert done.returncode == 2
    assert f"{path}:8:" in done.stderr
    assert "linux/uname" in done.stderr, "the near name is offered"
    assert "Traceback" not in done.stderr


def test_definitions_load_without_a_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOOL_CATALOG_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("TOOL_CATALOG_YAML_DIR", str(CHECKOUT / "catalog_yaml"))
    monkeypatch.syspath_prepend(str(CHECKOUT))
    import definitions

    loaded = definitions.defs()
    repository = loaded.get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs()}
    assert jobs >= {"host_health", "log_triage", "repo_report", "analytics", "catalog_import"}
    assert {s.name for s in repository.schedule_defs} >= {"host_health_schedule"}
    assert {s.name for s in repository.sensor_defs} >= {"catalog_files_changed"}
