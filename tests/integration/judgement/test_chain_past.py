"""The past that a forecast rests on, read from real facts: what counts, and where it ends."""

from __future__ import annotations

import pytest
from fact_factory import make_fact
from factories import CAPABILITY, PATTERN
from sqlalchemy import Engine, text
from stored_runs import StoredRuns, insert_tool, step_fact

from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.judgement import chain_past
from tool_catalog_pipelines.judgement.chain_forecasts import (
    Outcome,
    compare_forecasts,
    store_forecast,
)
from tool_catalog_pipelines.judgement.chain_past import CHAIN_RUNS, ITEMS_OF_A_STEP
from tool_catalog_pipelines.planning.simulation.chain_forecast import forecast_chain
from tool_catalog_pipelines.planning.simulation.past import (
    ChainPast,
    Correlation,
    PastExecution,
    PastStep,
)
from tool_catalog_pipelines.settings import Settings

USE = ("linux/echo@1.0.0", CAPABILITY, PATTERN)
LINE = "steps: {a: {tool: echo}, b: {tool: echo, needs: [a]}}"
OTHER = "chain: other\nsteps: {x: {tool: echo}, y: {tool: echo, needs: [x]}}"


@pytest.fixture
def line(engine: Engine, settings: Settings) -> StoredRuns:
    return StoredRuns(engine, settings, LINE)


def executions(past: ChainPast) -> tuple[PastExecution, ...]:
    return past.executions.get(USE, ())


def runs(past: ChainPast) -> list[str]:
    return sorted(run.run_id for run in past.runs)


def test_without_facts_there_is_no_past(line: StoredRuns) -> None:
    assert line.past() == ChainPast()


def test_a_run_is_read_with_its_moments_and_variables(line: StoredRuns) -> None:
    a = step_fact("a", 5, 25, cost_units=2.0, variables_before={"n": 1.0})
    line.keep("one", a, step_fact("b", 30, 70, status="no_result"), hours=3)
    past = line.past()
    (run,) = past.runs
    assert run.steps == {"a": PastStep(1, 5, 25, 20), "b": PastStep(1, 30, 70, 40)}
    newest, oldest = executions(past)
    assert (newest.step, newest.has_succeeded, newest.cost_units) == ("b", True, None)
    assert oldest == PastExecution("one", "t", "a", True, 20, 2.0, {"n": 1.0}, {"lines": 120.0})


def test_attempts_of_an_item_are_one_execution(line: StoredRuns) -> None:
    line.keep(
        "one",
        step_fact("a", 0, 10, attempt=1, status="failed", cost_units=1.0),
        step_fact("a", 15, 30, attempt=2, cost_units=2.0, variables_measured={"lines": 7.0}),
        step_fact("b", 30, 40, item="0", attempt=1, status="timeout"),
        step_fact("b", 45, 50, item="0", attempt=2, status="failed", cost_units=1.0),
        step_fact("b", 40, 48, item="1"),
    )
    past = line.past()
    (run,) = past.runs
    assert run.steps == {"a": PastStep(1, 0, 30, 30), "b": PastStep(2, 30, 50, 28)}
    found = {(one.step, one.elapsed_ms): one for one in executions(past)}
    retried, given_up = found["a", 30], found["b", 20]
    assert (retried.has_succeeded, retried.cost_units) == (True, 3.0)
    assert retried.measured == {"lines": 7.0}
    assert (given_up.has_succeeded, given_up.cost_units) == (False, None)
    assert len(found) == 3


def test_what_was_skipped_is_no_execution_and_failures_are(line: StoredRuns) -> None:
    b = step_fact("b", 7, 12, status="failed")
    line.keep("one", step_fact("a", 5, 5, status="skipped"), b)
    past = line.past()
    assert past.runs[0].steps == {"a": PastStep(0, 5, 5, 0), "b": PastStep(1, 7, 12, 5)}
    assert [(one.step, one.has_succeeded) for one in executions(past)] == [("b", False)]


def test_a_step_that_was_cancelled_says_nothing_about_how_many_items_it_has(
    line: StoredRuns,
) -> None:
    line.keep(
        "one",
        step_fact("a", 0, 5),
        step_fact("b", 6, 8, item="0"),
        step_fact("b", 6, 9, item="1", status="failed", attempt=1),
        step_fact("b", 9, 10, item="1", status="cancelled", attempt=2),
    )
    past = line.past()
    assert past.runs[0].steps == {"a": PastStep(1, 0, 5, 5)}
    assert sorted((one.step, one.elapsed_ms) for one in executions(past)) == [("a", 5), ("b", 2)]


def test_other_environments_and_tenants_are_apart(line: StoredRuns) -> None:
    line.keep("here", step_fact("a", 0, 1))
    line.keep("staging", step_fact("a", 0, 2), environment="staging", hours=1)
    line.keep("theirs", step_fact("a", 0, 4), tenant="them", hours=2)
    assert runs(line.past()) == ["here"]
    assert [one.elapsed_ms for one in executions(line.past())] == [1]
    assert runs(line.past(environment="staging")) == ["staging"]


def test_the_run_itself_is_not_its_past(line: StoredRuns) -> None:
    line.keep("before", step_fact("a", 0, 1))
    line.keep("itself", step_fact("a", 0, 9), hours=1)
    assert runs(line.past(run_id="itself")) == ["before"]


def test_the_newest_runs_count(line: StoredRuns) -> None:
    for number in range(CHAIN_RUNS + 3):
        line.keep(f"run-{number:02}", step_fact("a", 0, 1), hours=number)
    assert runs(line.past()) == [f"run-{number:02}" for number in range(3, CHAIN_RUNS + 3)]


@pytest.mark.parametrize(
    ("outcome", "known"), [("succeeded", True), ("failed", False), (None, False)]
)
def test_only_runs_that_succeeded_are_drawn_again(
    line: StoredRuns, outcome: Outcome | None, known: bool
) -> None:
    lock = line.keep("one", step_fact("a", 0, 10), step_fact("b", 10, 20))
    store_forecast(line.engine, lock, forecast_chain(line.plan, lock, line.snapshot, ChainPast()))
    if outcome:
        assert compare_forecasts(line.engine, lambda ids: dict.fromkeys(ids, outcome)) == 1
    past = line.past()
    assert (bool(past.runs), bool(executions(past))) == (known, known)
    assert (past.ended, past.succeeded) == (int(outcome is not None), int(known))


def test_runs_of_another_plan_lend_their_executions_and_not_their_shape(
    line: StoredRuns, engine: Engine, settings: Settings
) -> None:
    before = StoredRuns(engine, settings, f"{LINE}\nparallel: 7")
    before.keep("one", step_fact("a", 0, 10), step_fact("b", 10, 20))
    past = line.past()
    assert (runs(past), len(executions(past))) == ([], 2)


def test_of_long_lists_a_part_is_read_and_all_is_counted(line: StoredRuns) -> None:
    for number in range(2):
        items = [step_fact("a", n, n + 10, item=str(n)) for n in range(50)]
        retried = [step_fact("a", n, n + 3, item=str(n), attempt=2) for n in range(50)]
        line.keep(f"run-{number}", *items, *retried, step_fact("b", 90, 95), hours=number)
    past = line.past()
    assert {run.steps["a"].items for run in past.runs} == {50}
    assert {run.steps["a"].work_ms for run in past.runs} == {500}
    steps = [one.step for one in executions(past)]
    assert (steps.count("a"), steps.count("b")) == (2 * ITEMS_OF_A_STEP, 2)


def test_runs_with_too_many_facts_are_left_out_but_for_the_newest(
    line: StoredRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(14):
        items = [step_fact("a", n, n + 10, item=str(n)) for n in range(10)]
        line.keep(f"run-{number:02}", *items, hours=number)
    monkeypatch.setattr(chain_past, "MOST_FACTS", 120)
    assert runs(line.past()) == [f"run-{number:02}" for number in range(2, 14)]
    monkeypatch.setattr(chain_past, "MOST_FACTS", 1)
    assert runs(line.past()) == [f"run-{number:02}" for number in range(4, 14)]


def test_a_tool_that_the_chain_knows_too_little_is_looked_for_elsewhere(
    engine: Engine, settings: Settings
) -> None:
    tool_id = insert_tool(engine)
    line = StoredRuns(engine, settings, LINE, tool_id)
    other = StoredRuns(engine, settings, OTHER, tool_id)
    line.keep("own", step_fact("a", 0, 1, tool_id=tool_id))
    for number in range(6):
        facts = [step_fact("x", n, n + 7, item=str(n), tool_id=tool_id) for n in range(4)]
        other.keep(f"other-{number}", *facts, hours=number)
    other.keep("far", step_fact("x", 0, 7, tool_id=tool_id), environment="staging")
    past = line.past()
    assert runs(past) == ["own"]
    assert {one.chain for one in executions(past)} == {"t", "other"}
    assert len(executions(past)) == 1 + 6 * 4


def test_a_tool_that_the_chain_knows_well_is_not(engine: Engine, settings: Settings) -> None:
    tool_id = insert_tool(engine)
    line = StoredRuns(engine, settings, LINE, tool_id)
    other = StoredRuns(engine, settings, OTHER, tool_id)
    other.keep("other", step_fact("x", 0, 7, tool_id=tool_id))
    for number in range(5):
        facts = [step_fact("a", 0, 1, item=str(n), tool_id=tool_id) for n in range(4)]
        line.keep(f"own-{number}", *facts, hours=number)
    assert {one.chain for one in executions(line.past())} == {"t"}


def test_delays_are_those_of_other_chains_until_there_are_five_runs(
    line: StoredRuns, engine: Engine, settings: Settings
) -> None:
    other = StoredRuns(engine, settings, OTHER)
    other.keep("other", step_fact("x", 4, 10), step_fact("y", 13, 20))
    assert sorted(line.past().start_delays_ms) == [3, 4]
    for number in range(5):
        line.keep(f"own-{number}", step_fact("a", 9, 10), step_fact("b", 11, 12), hours=number)
    assert line.past().start_delays_ms == ()


def test_runs_from_before_a_step_was_added_say_how_long_steps_wait(
    engine: Engine, settings: Settings
) -> None:
    before = StoredRuns(engine, settings, "steps: {a: {tool: echo}}")
    for number in range(6):
        before.keep(f"own-{number}", step_fact("a", 9, 10), hours=number)
    assert StoredRuns(engine, settings, LINE).past().start_delays_ms == (9,) * 6


def test_steps_that_are_slow_together_are_alike(line: StoredRuns) -> None:
    for number in range(30):
        slow = 1 + number % 7
        line.keep(
            f"run-{number}",
            step_fact("a", 0, 10 * slow),
            step_fact("b", 100, 100 + 30 * slow),
            hours=number,
        )
    assert line.past().correlation.of_steps > 0.8


def test_a_new_estimate_for_all_is_no_likeness(line: StoredRuns) -> None:
    """Both steps are far from the first revision and near the second, in the same runs."""
    times = (11, 14, 10, 13, 12, 15)
    for number in range(24):
        revision = 1 + number // 12
        estimate = {"estimate_ms": 1.0 if revision == 1 else 12.0, "estimate_revision": revision}
        a, b = times[number % 6], times[(5 * number) // 6 % 6]
        facts = (step_fact("a", 0, a, **estimate), step_fact("b", 20, 20 + b, **estimate))
        line.keep(f"run-{number}", *facts, hours=number)
    assert line.past().correlation.of_steps < 0.3


def test_a_single_run_shows_no_likeness(line: StoredRuns) -> None:
    line.keep("one", step_fact("a", 0, 1), step_fact("b", 2, 3))
    assert line.past().correlation == Correlation()


def test_facts_without_a_lock_are_not_read(line: StoredRuns) -> None:
    line.keep("one", step_fact("a", 0, 1))
    with line.engine.begin() as connection:
        connection.execute(text("DELETE FROM tool_catalog.run_locks"))
    assert line.past() == ChainPast()


def test_a_locked_table_ends_the_reading(line: StoredRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    line.keep("one", make_fact(step="a"))
    monkeypatch.setattr(chain_past, "TIME_LIMIT_S", 0.2)
    with line.engine.begin() as connection:
        connection.execute(text("LOCK TABLE tool_catalog.tool_telemetry IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(DatabaseUnavailableError, match="the past of t cannot be read") as told:
            line.past()
    assert "timeout" in str(told.value)
    assert "SELECT" not in str(told.value)
    assert runs(line.past()) == ["one"]


def test_the_time_limit_does_not_stay_with_the_connection(line: StoredRuns) -> None:
    line.past()
    with line.engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"


def test_the_time_limit_is_that_of_all_statements_together(
    line: StoredRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = text(
        "SELECT run_id, run_started_at FROM tool_catalog.run_locks, pg_sleep(0.3) "
        "WHERE tenant = :tenant"
    )
    line.keep("one", step_fact("a", 0, 1))
    monkeypatch.setattr(chain_past.sql, "RUNS_OF_CHAIN", slow)
    monkeypatch.setattr(chain_past, "TIME_LIMIT_S", 30)
    assert runs(line.past()) == ["one"]
    monkeypatch.setattr(chain_past.sql, "RUNS_OF_OTHERS", slow)
    monkeypatch.setattr(chain_past, "TIME_LIMIT_S", 0.5)
    with pytest.raises(DatabaseUnavailableError, match="timeout"):
        line.past()
