"""Forecasts through Dagster: runs make them, the analytics judge them, a command shows them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob, build_reconstructable_job
from installations import run_chain_here, run_program
from psycopg.rows import dict_row

from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.orchestration import launch
from tool_catalog_pipelines.orchestration.analytics import run_asset_job
from tool_catalog_pipelines.orchestration.instance import open_instance
from tool_catalog_pipelines.settings import Settings

Program = Callable[..., subprocess.CompletedProcess[str]]
LISTED = """chain: listed
version: 1.0.0
description: Counts each of a list
inputs:
  names: {type: array, default: [a, b, c, d], description: Whom}
steps:
  each:
    foreach: {in: "$.inputs.names", as: name, parallel: 2}
    tool: custom/noop
    with: {value: {name: "{name}"}}
"""


@pytest.fixture(autouse=True)
def _no_job_of_another_installation() -> None:
    """Dagster keeps the last job by name, and with it the folder its outputs go to."""
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()


def write_chain(settings: Settings) -> None:
    path = settings.home / "chains" / "listed.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LISTED, encoding="utf-8")


def forecasts(settings: Settings) -> list[dict[str, Any]]:
    address = str(settings.database_url)
    with psycopg.connect(address, row_factory=dict_row) as connection:
        return connection.execute(
            "SELECT * FROM tool_catalog.chain_forecasts ORDER BY run_started_at"
        ).fetchall()


def said(settings: Settings, run_id: str) -> str:
    """The line of the run's log that says what is expected."""
    with open_instance(settings) as instance:
        lines = [entry.user_message for entry in instance.all_logs(run_id)]
    (line,) = [line for line in lines if line.startswith("expected to take")]
    return line


def analyse(settings: Settings) -> tuple[Mapping[str, Any], dg.AssetCheckEvaluation]:
    """Run the analytics; the metadata of the asset that judges forecasts, and its check."""
    seen: dict[str, Mapping[str, Any]] = {}
    with open_instance(settings) as instance:
        module = "tool_catalog_pipelines.defs.jobs"
        run_id = run_asset_job(module, "analytics_job", instance, seen.__setitem__)
        events = [e.dagster_event for e in instance.all_logs(run_id) if e.dagster_event]
    checks = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    (check,) = [one for one in checks if one.check_name == "intervals_hold_what_they_claim"]
    return seen["judgement/forecast_calibration"], check


def run_again(settings: Settings, run_id: str) -> str:
    """Re-execute a run as the UI does; returns the id of the new one."""
    with open_instance(settings) as instance:
        job = build_reconstructable_job(launch.__name__, launch.rebuild_job.__name__, ("listed",))
        result = dg.execute_job(
            job,
            instance,
            run_config={"log_level": "CRITICAL"},
            reexecution_options=dg.ReexecutionOptions(run_id),
        )
        assert result.success
        return result.run_id


def test_runs_are_forecast_compared_and_judged(installation: Settings) -> None:
    write_chain(installation)
    runs = [run_chain_here(installation, "listed", {}) for _ in range(6)]
    assert all(run.succeeded for run in runs), [run.failures for run in runs]
    kept = forecasts(installation)
    assert [row["run_id"] for row in kept] == [run.run_id for run in runs]
    assert [row["elapsed_low_ms"] is None for row in kept] == [True] * 5 + [False]
    assert kept[4]["document"]["missing"] == [
        "step each: custom/noop@1.0.0: 16 of 20 successful executions, in 4 of 5 runs",
        "step each: how often it runs is known from 4 of 5 runs of the chain as it is now",
    ]
    assert "too few runs for an interval" in said(installation, runs[4].run_id)
    line = said(installation, runs[5].run_id)
    assert "in 8 of 10 runs" in line
    assert "at least 20 executions of every step; 5 past runs of the chain" in line

    shown = run_program(installation, "chain", "forecast", "listed")
    assert "in 8 of 10 runs" in shown.stdout, shown.stderr
    assert "each  100%  custom/noop@1.0.0, 20 executions of this step" in shown.stdout
    as_json = run_program(installation, "chain", "forecast", "listed", "--json")
    document = json.loads(as_json.stdout)
    assert (document["executions"], document["past_runs"], document["missing"]) == (20, 5, []), (
        "nobody has looked yet how the last run ended"
    )
    assert 0 < document["elapsed_ms"]["low"] <= document["elapsed_ms"]["high"]

    again = run_again(installation, runs[5].run_id)
    assert again not in {row["run_id"] for row in forecasts(installation)}

    metadata, check = analyse(installation)
    kept = forecasts(installation)
    assert len(kept) == 6
    assert {row["outcome"] for row in kept} == {"succeeded"}
    assert all(row["actual_elapsed_ms"] >= 0.5 * row["actual_work_ms"] > 0 for row in kept)
    assert [row["elapsed_position"] is None for row in kept] == [True] * 5 + [False]
    (mart,) = query(installation, "SELECT * FROM forecast_calibration")
    assert (mart["chain"], mart["runs"]) == ("listed", 1)
    assert mart["inside"] + mart["below"] + mart["above"] == 1
    assert mart["median_actual_to_forecast"] == pytest.approx(
        kept[5]["actual_elapsed_ms"] / kept[5]["elapsed_middle_ms"]
    )
    assert "of 1 runs fell into their 80% interval" in metadata["verdict"]
    assert "20 are needed for a verdict" in metadata["verdict"]
    assert "listed" in str(metadata["verdicts"])
    assert check.passed, "one run is no verdict"


def overconfident(settings: Settings, count: int) -> None:
    """Tell the database that so many runs ended outside of their intervals."""
    with psycopg.connect(str(settings.database_url)) as connection:
        connection.execute(
            "INSERT INTO tool_catalog.chain_forecasts (tenant, run_id, run_started_at, chain, "
            "chain_version, fingerprint, environment, estimate_elapsed_ms, elapsed_low_ms, "
            "elapsed_middle_ms, elapsed_high_ms, document, outcome, actual_elapsed_ms, "
            "elapsed_position, compared_at) SELECT %s, 'made-' || n, now() - n * interval '1 h', "
            "'made', '1.0.0', 'f', %s, 10, 9, 10, 11, '{}', 'succeeded', 20, 1.0, now() "
            "FROM generate_series(1, %s) AS n",
            (settings.tenant, settings.environment, count),
        )


def test_a_forecaster_that_is_too_sure_makes_the_check_warn(installation: Settings) -> None:
    overconfident(installation, 20)
    metadata, check = analyse(installation)
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["state"].value == "overconfident"
    assert "0 of 20 runs fell into their 80% interval" in str(check.metadata["verdict"].value)
    assert metadata["share_inside"] == 0
    (mart,) = query(installation, "SELECT * FROM forecast_calibration")
    assert (mart["runs"], mart["above"], mart["share_inside"]) == (20, 20, 0)
    assert mart["median_actual_to_forecast"] == 2


def test_the_command_says_what_is_missing_and_refuses_what_is_wrong(program: Program) -> None:
    text = program("chain", "forecast", "host_health")
    assert text.returncode == 0, text.stderr
    assert "An interval needs 20 successful executions of every step's tool" in text.stdout
    assert "step report: custom/render_report@" in text.stdout
    asked = program("chain", "forecast", "host_health", "--input", "top=3", "--json")
    assert asked.returncode == 0, asked.stderr
    document = json.loads(asked.stdout)
    assert (document["chain"], document["elapsed_ms"]) == ("host_health", None)
    assert document["estimates"]["elapsed_ms"] > 0
    assert len(document["missing"]) >= len(document["steps"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no_such_chain",), "no_such_chain"),
        (("host_health", "--input", "top=many"), "top"),
        (("host_health", "--input", "nonsense=1"), "nonsense"),
    ],
)
def test_wrong_arguments_end_with_two(
    program: Program, arguments: tuple[str, ...], told: str
) -> None:
    ended = program("chain", "forecast", *arguments)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
