"""Forecasts are kept once, never stop a run, and are completed when it has ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import pytest
from fact_factory import make_fact
from factories import make_snapshot, make_tool
from sqlalchemy import Engine, text
from stored_runs import StoredRuns, step_fact

from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.db.server import acquire_database, wait_until_stopped
from tool_catalog_pipelines.judgement import chain_forecasts, chain_past
from tool_catalog_pipelines.judgement.chain_forecasts import (
    Came,
    Outcome,
    compare_forecasts,
    forecast_and_store,
    forecast_run,
    store_forecast,
    what_came,
)
from tool_catalog_pipelines.orchestration.ended_runs import ended_runs
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.settings import Settings

STEPS = "steps: {a: {tool: echo}}"
HOURS = 100.0
COUNTING: dict[str, Any] = {
    "variables": {"n": {"unit": "count", "default": 1}},
    "time_estimate_ms": "n",
}


@pytest.fixture
def runs(engine: Engine, settings: Settings) -> StoredRuns:
    return StoredRuns(engine, settings, STEPS)


@pytest.fixture
def known(runs: StoredRuns) -> StoredRuns:
    """Enough past for an interval: 24 runs of 10 to 33 ms."""
    for number in range(24):
        runs.keep(f"past-{number}", step_fact("a", 2, 12 + number), hours=number)
    return runs


def row(engine: Engine, run_id: str = "next") -> Mapping[str, Any]:
    statement = text("SELECT * FROM tool_catalog.chain_forecasts WHERE run_id = :run_id")
    with engine.connect() as connection:
        return connection.execute(statement, {"run_id": run_id}).mappings().one()


def forecast_next(runs: StoredRuns, run_id: str = "next", hours: float = HOURS) -> RunLock:
    """Forecast a run that starts now; it has no facts yet."""
    lock = runs.keep(run_id, hours=hours)
    assert forecast_and_store(runs.engine, runs.plan, lock, runs.snapshot) is not None
    return lock


def add_facts(runs: StoredRuns, *facts: Any, run_id: str = "next", hours: float = HOURS) -> None:
    runs.keep(run_id, *facts, hours=hours)


def all_ended(outcome: Outcome) -> Any:
    return lambda run_ids: dict.fromkeys(run_ids, outcome)


def test_a_forecast_is_stored_with_what_it_rests_on(known: StoredRuns) -> None:
    lock = forecast_next(known)
    stored = row(known.engine)
    assert stored["run_started_at"] == lock.identity.run_started_at
    assert stored["elapsed_low_ms"] < stored["elapsed_middle_ms"] < stored["elapsed_high_ms"]
    assert 12 <= stored["elapsed_low_ms"] < stored["elapsed_high_ms"] <= 36
    assert (stored["executions"], stored["past_runs"]) == (24, 24)
    assert stored["estimate_elapsed_ms"] == 10
    assert (stored["outcome"], stored["compared_at"], stored["actual_elapsed_ms"]) == (None,) * 3
    document = stored["document"]
    assert document["elapsed_ms"]["low"] == stored["elapsed_low_ms"]
    assert document["threshold"] == {"executions": 20, "runs": 5}


def test_a_hidden_forecast_is_stored_with_what_is_missing(runs: StoredRuns) -> None:
    forecast_next(runs)
    stored = row(runs.engine)
    assert (stored["elapsed_low_ms"], stored["share_succeeded"]) == (None, None)
    assert stored["document"]["missing"]


def test_the_first_forecast_of_a_run_holds(known: StoredRuns) -> None:
    lock = forecast_next(known)
    before = row(known.engine)
    add_facts(known, step_fact("a", 0, 500), run_id="late", hours=50)
    later = forecast_run(known.engine, known.plan, lock, known.snapshot)
    assert later.elapsed_ms is not None
    assert later.elapsed_ms.high != before["elapsed_high_ms"]
    store_forecast(known.engine, lock, later)
    assert row(known.engine) == before


def test_a_run_that_succeeded_is_compared(known: StoredRuns) -> None:
    forecast_next(known)
    facts = (
        step_fact("a", 2, 10, attempt=1, status="failed", cost_units=1.0),
        step_fact("a", 15, 24, attempt=2, cost_units=0.5),
    )
    add_facts(known, *facts)
    assert compare_forecasts(known.engine, all_ended("succeeded")) == 1
    stored = row(known.engine)
    assert stored["outcome"] == "succeeded"
    assert stored["actual_elapsed_ms"] == pytest.approx(24)
    assert stored["actual_work_ms"] == pytest.approx(22), "as forecast: with the wait between"
    assert stored["actual_cost_units"] == 1.5
    assert 0.3 < stored["elapsed_position"] < 0.7
    assert 0.3 < stored["work_position"] < 0.7
    assert stored["cost_position"] == 1.0
    assert stored["compared_at"] is not None


@pytest.mark.parametrize(("ends_ms", "position"), [(3.0, 0.0), (900.0, 1.0)])
def test_a_run_may_be_faster_or_slower_than_anything_expected(
    known: StoredRuns, ends_ms: float, position: float
) -> None:
    forecast_next(known)
    add_facts(known, step_fact("a", 2, ends_ms))
    compare_forecasts(known.engine, all_ended("succeeded"))
    assert row(known.engine)["elapsed_position"] == position


def test_a_run_that_failed_keeps_its_times_and_has_no_position(known: StoredRuns) -> None:
    forecast_next(known)
    add_facts(known, step_fact("a", 2, 24, status="failed"))
    assert compare_forecasts(known.engine, all_ended("failed")) == 1
    stored = row(known.engine)
    assert (stored["outcome"], stored["elapsed_position"]) == ("failed", None)
    assert stored["actual_elapsed_ms"] == pytest.approx(24)


def test_a_run_without_facts_has_failed(known: StoredRuns) -> None:
    forecast_next(known)
    assert compare_forecasts(known.engine, all_ended("succeeded")) == 1
    stored = row(known.engine)
    assert (stored["outcome"], stored["actual_elapsed_ms"]) == ("failed", None)


def test_a_run_that_goes_on_waits(known: StoredRuns) -> None:
    forecast_next(known)
    add_facts(known, step_fact("a", 2, 24))
    assert compare_forecasts(known.engine, lambda _: {}) == 0
    assert row(known.engine)["compared_at"] is None
    assert compare_forecasts(known.engine, all_ended("succeeded")) == 1


def test_what_was_compared_stays_as_it_is(known: StoredRuns) -> None:
    forecast_next(known)
    add_facts(known, step_fact("a", 2, 24))
    compare_forecasts(known.engine, all_ended("succeeded"))
    before = row(known.engine)
    assert compare_forecasts(known.engine, all_ended("failed")) == 0
    assert row(known.engine) == before


def test_a_cost_that_was_not_measured_is_not_compared(known: StoredRuns) -> None:
    forecast_next(known)
    add_facts(known, step_fact("a", 2, 24))
    compare_forecasts(known.engine, all_ended("succeeded"))
    stored = row(known.engine)
    assert stored["cost_middle_units"] == 1, "of the estimate"
    assert (stored["actual_cost_units"], stored["cost_position"]) == (None, None)


def test_a_skipped_step_costs_and_takes_nothing(known: StoredRuns) -> None:
    forecast_next(known)
    add_facts(known, step_fact("a", 2, 2.5, status="skipped"))
    compare_forecasts(known.engine, all_ended("succeeded"))
    stored = row(known.engine)
    assert (stored["actual_work_ms"], stored["actual_cost_units"]) == (0, 0)


def test_a_hidden_forecast_gets_what_came_and_no_position(runs: StoredRuns) -> None:
    forecast_next(runs)
    add_facts(runs, step_fact("a", 2, 24))
    assert compare_forecasts(runs.engine, all_ended("succeeded")) == 1
    stored = row(runs.engine)
    assert stored["actual_elapsed_ms"] == pytest.approx(24)
    assert stored["elapsed_position"] is None


def test_any_number_of_runs_is_compared_beside_some_that_never_end(
    known: StoredRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_forecasts, "COMPARED_AT_ONCE", 2)
    for number in range(7):
        forecast_next(known, f"next-{number}", HOURS + number // 2)
    asked: list[str] = []

    def last_four(run_ids: Sequence[str]) -> Mapping[str, Outcome]:
        asked.extend(run_ids)
        return {name: "succeeded" for name in run_ids if int(name[-1]) > 2}

    assert compare_forecasts(known.engine, last_four) == 4
    assert sorted(asked) == [f"next-{number}" for number in range(7)]


def test_what_came_of_a_run_is_told_beside_its_forecast(known: StoredRuns) -> None:
    assert what_came(known.engine, "shared", "next") == Came(None, None, None, None)
    forecast_next(known)
    assert what_came(known.engine, "shared", "next").is_inside is None
    add_facts(known, step_fact("a", 2, 24))
    came = what_came(known.engine, "shared", "next")
    assert came.elapsed_ms == pytest.approx(24)
    assert came.is_inside
    assert what_came(known.engine, "them", "next") == Came(None, None, None, None)


def with_status(status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return dg.DagsterRun(job_name="j", status=status)


def test_dagster_says_how_runs_ended() -> None:
    wanted = {
        dg.DagsterRunStatus.SUCCESS: "succeeded",
        dg.DagsterRunStatus.FAILURE: "failed",
        dg.DagsterRunStatus.CANCELED: "failed",
        dg.DagsterRunStatus.STARTED: None,
        dg.DagsterRunStatus.STARTING: None,
        dg.DagsterRunStatus.CANCELING: None,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        by_run = {instance.add_run(with_status(s)).run_id: out for s, out in wanted.items()}
        found = ended_runs(instance)([*by_run, "another Dagster may know it"])
        assert ended_runs(instance)([]) == {}
    assert found == {run_id: outcome for run_id, outcome in by_run.items() if outcome}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


def forecast_without_raising(runs: StoredRuns, engine: Engine | None = None) -> None:
    lock = runs.lock("next")
    assert forecast_and_store(engine or runs.engine, runs.plan, lock, runs.snapshot) is None


def test_a_run_goes_on_where_reading_takes_too_long(
    runs: StoredRuns, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs.keep("one", make_fact(step="a"))
    monkeypatch.setattr(chain_past, "TIME_LIMIT_S", 0.2)
    with runs.engine.begin() as connection:
        connection.execute(text("LOCK TABLE tool_catalog.tool_telemetry IN ACCESS EXCLUSIVE MODE"))
        forecast_without_raising(runs)
    (told,) = warnings(caplog)
    assert told.startswith("no forecast of run next: the past of t cannot be read")
    assert len(told.splitlines()) == 1


def test_a_run_goes_on_where_facts_are_not_as_they_should_be(
    known: StoredRuns, caplog: pytest.LogCaptureFixture
) -> None:
    broken = """UPDATE tool_catalog.tool_telemetry SET variables_before = '["none"]'"""
    with known.engine.begin() as connection:
        connection.execute(text(broken))
    known.snapshot = make_snapshot(make_tool(**COUNTING))
    forecast_without_raising(known)
    assert warnings(caplog) == ["no forecast of run next: AttributeError"]


def test_a_run_goes_on_where_the_forecast_cannot_be_stored(
    known: StoredRuns, caplog: pytest.LogCaptureFixture
) -> None:
    with known.engine.begin() as connection:
        connection.execute(text("DROP TABLE tool_catalog.chain_forecasts"))
    forecast_without_raising(known)
    assert warnings(caplog) == ["no forecast of run next: ProgrammingError"]


@pytest.fixture
def stopped(offline_settings: Settings) -> Iterator[Engine]:
    """An engine whose server was there and is gone."""
    with acquire_database(offline_settings) as database:
        made = make_engine(database)
        migrate(made)
    assert wait_until_stopped(offline_settings)
    yield made
    made.dispose()


def test_a_run_goes_on_while_postgresql_is_stopped(
    runs: StoredRuns, stopped: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    forecast_without_raising(runs, stopped)
    assert len(warnings(caplog)) == 1
    forecast_next(runs)
