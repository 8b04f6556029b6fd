"""The forecast of a chain: hidden with its reasons, or intervals with what they rest on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from factories import (
    CAPABILITY,
    PATTERN,
    make_chain,
    make_experiment,
    make_input,
    make_snapshot,
    make_tool,
)
from past_factory import make_executions, make_run, make_runs

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunIdentity, resolve_run_lock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.planning.simulation.chain_forecast import (
    LEVELS,
    ChainForecast,
    forecast_chain,
)
from tool_catalog_pipelines.planning.simulation.chain_forecast_text import (
    forecast_as_json,
    forecast_as_text,
    forecast_in_a_line,
)
from tool_catalog_pipelines.planning.simulation.past import (
    ChainPast,
    Correlation,
    PastExecution,
    PastRun,
    PastStep,
)

IDENTITY = RunIdentity("shared", "new", datetime(2026, 1, 1, tzinfo=UTC), "production", "ada")
LINE = "steps: {a: {tool: echo}, b: {tool: echo, needs: [a]}}"
OLD, NEW = "linux/echo@1.0.0", "linux/echo@1.1.0"
VARIED = [10.0 + number for number in range(20)]


def use(label: str = OLD) -> tuple[str, str, str]:
    return label, CAPABILITY, PATTERN


def both(
    text: str, past: ChainPast, snapshot: CatalogSnapshot | None = None, **inputs: Any
) -> tuple[Plan, ChainForecast]:
    snapshot = snapshot or make_snapshot(make_tool())
    plan = build_plan(make_chain(text), snapshot)
    lock = resolve_run_lock(plan, snapshot, IDENTITY, inputs)
    return plan, forecast_chain(plan, lock, snapshot, past)


def forecast_of(
    text: str, past: ChainPast, snapshot: CatalogSnapshot | None = None, **inputs: Any
) -> ChainForecast:
    return both(text, past, snapshot, **inputs)[1]


def of_steps(*names: str, **more: Any) -> dict[tuple[str, str, str], tuple[PastExecution, ...]]:
    """Twenty executions in five runs for each step."""
    return {use(): tuple(e for name in names for e in make_executions(VARIED, step=name, **more))}


def test_without_a_past_every_step_is_named() -> None:
    found = forecast_of(LINE, ChainPast())
    assert (found.elapsed_ms, found.work_ms, found.cost_units) == (None, None, None)
    assert (found.share_succeeded, found.past_runs) == (None, 0)
    assert found.missing == tuple(
        f"step {name}: {OLD}: 0 of 20 successful executions, in 0 of 5 runs" for name in "ab"
    )
    assert found.figures.elapsed_ms == 20


def test_only_what_is_missing_is_named() -> None:
    past = {use(): make_executions([1.0] * 20), use(NEW): make_executions([1.0] * 12, runs=3)}
    snapshot = make_snapshot(make_tool(OLD, channels=("stable",)), make_tool(NEW))
    text = "steps: {a: {tool: echo@stable}, b: {tool: echo, needs: [a]}}"
    found = forecast_of(text, ChainPast(past), snapshot)
    assert found.missing == (f"step b: {NEW}: 12 of 20 successful executions, in 3 of 5 runs",)
    assert found.executions == 0


def test_executions_of_the_tool_elsewhere_are_enough_for_a_plain_chain() -> None:
    past = ChainPast(of_steps("x", chain="other"), start_delays_ms=(2.0,))
    found = forecast_of(LINE, past)
    assert found.elapsed_ms is not None
    assert found.elapsed_ms.low >= 20 + 2 * 2
    assert (found.past_runs, found.executions) == (0, 20)
    assert not any(step.is_of_step for step in found.steps)
    assert "runs of other chains" in forecast_as_text(found)


def test_intervals_rise_and_name_their_basis() -> None:
    runs = make_runs(6, {"a": (3.0, 10.0), "b": (14.0, 30.0)})
    found = forecast_of(LINE, ChainPast(of_steps("a", "b"), runs))
    assert found.elapsed_ms is not None
    assert found.work_ms is not None
    quantiles = found.elapsed_ms.quantiles
    assert len(quantiles) == len(LEVELS)
    assert list(quantiles) == sorted(quantiles)
    assert found.elapsed_ms.low < found.elapsed_ms.middle < found.elapsed_ms.high
    assert found.elapsed_ms.middle - found.work_ms.middle == pytest.approx(3 + 4)
    assert (found.past_runs, found.executions) == (6, 20)
    assert [(s.executions, s.runs, s.is_of_step, s.share_critical) for s in found.steps] == [
        (20, 5, True, 1.0)
    ] * 2


def test_runs_that_lack_a_step_are_no_basis() -> None:
    whole = make_runs(5, {"a": (3.0, 10.0), "b": (14.0, 30.0)})
    broken = tuple(make_run(f"broken-{n}", a=(0.0, 1.0)) for n in range(30))
    assert forecast_of(LINE, ChainPast(of_steps("a", "b"), (*broken, *whole))).past_runs == 5


@pytest.mark.parametrize(
    "text",
    [
        "inputs: {n: {type: integer, default: 1, description: N}}\n"
        'steps: {a: {tool: echo, when: "$.inputs.n > 0"}}',
        "inputs: {l: {type: array, default: [], description: L}}\n"
        'steps: {a: {tool: echo, foreach: {in: "$.inputs.l"}}}',
    ],
)
def test_how_often_an_open_step_runs_is_known_from_runs_of_the_chain(text: str) -> None:
    known = of_steps("a")
    four = make_runs(4, {"a": (0.0, 1.0)})
    other_steps = tuple(make_run(f"old-{n}", gone=(0.0, 1.0)) for n in range(9))
    hidden = forecast_of(text, ChainPast(known, (*four, *other_steps)))
    assert hidden.missing == (
        "step a: how often it runs is known from 4 of 5 runs of the chain as it is now",
    )
    assert forecast_of(text, ChainPast(known, make_runs(5, {"a": (0.0, 1.0)}))).missing == ()


@pytest.mark.parametrize(("on_error", "longest"), [("fail", 20.0), ("continue", 900.0)])
def test_failures_take_time_in_steps_after_which_the_run_goes_on(
    on_error: str, longest: float
) -> None:
    failures = make_executions([900.0] * 20, has_succeeded=False)
    past = ChainPast({use(): (*make_executions([20.0] * 20), *failures)})
    found = forecast_of(f"steps: {{a: {{tool: echo, on_error: {on_error}}}}}", past)
    assert found.work_ms is not None
    assert found.work_ms.high == longest


@pytest.mark.parametrize(("ended", "share"), [(0, None), (4, None), (5, 0.8), (40, 0.1)])
def test_success_is_that_of_whole_runs(ended: int, share: float | None) -> None:
    found = forecast_of(LINE, ChainPast(of_steps("a", "b"), ended=ended, succeeded=4))
    assert found.share_succeeded == share
    assert (f"success  4 of the last {ended} runs" in forecast_as_text(found)) is (ended > 0)


def test_a_step_that_never_ran_needs_no_executions() -> None:
    text = """
    inputs: {n: {type: integer, default: 1, description: N}}
    steps: {a: {tool: echo}, b: {tool: echo@1.0.0, needs: [a], when: "$.inputs.n > 5"}}
    """
    snapshot = make_snapshot(make_tool(OLD, channels=()), make_tool(NEW))
    runs = tuple(make_run(str(n), a=(0.0, 10.0), b=PastStep(0, 11.0, 11.0, 0.0)) for n in range(5))
    found = forecast_of(text, ChainPast({use(NEW): make_executions(VARIED)}, runs), snapshot)
    assert found.missing == ()
    assert [(step.step, step.never_ran) for step in found.steps] == [("a", False), ("b", True)]
    assert found.executions == 20
    assert found.cost_units is not None
    assert found.cost_units.high == pytest.approx(1.0)
    assert "skipped  b: in every past run" in forecast_as_text(found)


def item_arms(split: float, past: Mapping[Any, Any]) -> ChainForecast:
    experiment = make_experiment(unit="item", traffic_split=split)
    snapshot = make_snapshot(make_tool(OLD), make_tool(NEW), experiments=[experiment])
    text = """
    inputs: {l: {type: array, default: [], description: L}}
    steps: {a: {tool: echo, foreach: {in: "$.inputs.l"}}}
    """
    runs = tuple(make_run(str(n), a=PastStep(50, 0.0, 100.0, 400.0)) for n in range(5))
    return forecast_of(text, ChainPast(past, runs), snapshot)


def test_where_each_item_draws_an_arm_both_must_be_known() -> None:
    found = item_arms(0.25, {use(): make_executions([10.0] * 20)})
    assert found.missing == (f"step a: {NEW}: 0 of 20 successful executions, in 0 of 5 runs",)


def test_where_each_item_draws_an_arm_both_are_drawn() -> None:
    arms = {use(): make_executions([10.0] * 40), use(NEW): make_executions([50.0] * 20)}
    found = item_arms(0.25, arms)
    assert found.work_ms is not None
    assert found.work_ms.middle == pytest.approx(50 * (0.75 * 10 + 0.25 * 50), rel=0.06)
    (evidence,) = found.steps
    assert (evidence.tools, evidence.executions) == ((OLD, NEW), 20)


GROWING: dict[str, Any] = {
    "required_inputs": [make_input("size", "integer")],
    "variables": {
        "size": {"unit": "count", "default": 10, "range": [1, 1000], "before": "$.inputs.size"},
        "found": {"unit": "count", "default": 1, "measured": {"count": "$.output.result[*]"}},
    },
    "time_estimate_ms": "2 * size",
    "cost_estimate": "size",
}
GIVEN = """
inputs: {size: {type: integer, default: 20, description: S}}
steps: {a: {tool: echo, with: {size: "{inputs.size}"}}}
"""


@pytest.mark.parametrize(("inputs", "factor"), [({}, 2), ({"size": 60}, 6), ({"size": 9999}, 100)])
def test_given_inputs_move_the_forecast(inputs: Mapping[str, Any], factor: float) -> None:
    snapshot = make_snapshot(make_tool(**GROWING))
    past = ChainPast({use(): make_executions(VARIED, before={"size": 10.0})})
    plain = forecast_of(LINE, ChainPast(of_steps("a")), make_snapshot(make_tool()))
    found = forecast_of(GIVEN, past, snapshot, **inputs)
    assert found.elapsed_ms is not None
    assert plain.elapsed_ms is not None
    assert found.elapsed_ms.low == pytest.approx(factor * 11.1, rel=0.03)
    assert found.cost_units is not None
    assert found.cost_units.middle == pytest.approx(10 * factor)


def test_the_same_past_gives_the_same_forecast() -> None:
    past = ChainPast(of_steps("a", "b"), correlation=Correlation(0.2, 0.3))
    assert forecast_of(LINE, past) == forecast_of(LINE, past)


def test_a_new_version_of_the_tool_starts_from_nothing() -> None:
    snapshot = make_snapshot(make_tool(OLD, channels=()), make_tool(NEW))
    assert forecast_of(LINE, ChainPast(of_steps("a", "b")), snapshot).elapsed_ms is None


def test_a_chain_that_executes_nothing_says_so() -> None:
    found = forecast_of("steps: {a: {transform: {x: 1}}}", ChainPast())
    assert found.missing == ("the chain executes no tool",)


def test_what_decides_the_time_is_ranked_and_the_rest_summed_up() -> None:
    text = "steps: {slow: {tool: echo@1.0.0}, quick: {tool: echo}}"
    snapshot = make_snapshot(make_tool(OLD, channels=()), make_tool(NEW))
    past = {use(): make_executions([500.0] * 20), use(NEW): make_executions([1.0] * 20)}
    lines = forecast_as_text(forecast_of(text, ChainPast(past), snapshot)).splitlines()
    assert lines[-2:] == [
        f"  slow  100%  {OLD}, 20 executions of the tool",
        "  hardly ever: quick",
    ]


def both_kinds() -> list[ChainForecast]:
    runs: tuple[PastRun, ...] = make_runs(5, {"a": (1.0, 2.0), "b": (3.0, 4.0)})
    return [
        forecast_of(LINE, ChainPast()),
        forecast_of(LINE, ChainPast(of_steps("a", "b"), runs)),
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_the_document_is_plain_json_with_the_same_keys(number: int) -> None:
    found = both_kinds()[number]
    document = json.loads(json.dumps(forecast_as_json(found), allow_nan=False))
    assert (document["coverage"], document["levels"]) == (0.8, list(LEVELS))
    assert document["threshold"] == {"executions": 20, "runs": 5}
    assert set(document) == set(forecast_as_json(both_kinds()[1 - number]))
    assert [step["step"] for step in document["steps"]] == ["a", "b"]
    if found.elapsed_ms is None:
        assert document["elapsed_ms"] is None
    else:
        assert document["elapsed_ms"]["quantiles"] == list(found.elapsed_ms.quantiles)
        assert document["elapsed_ms"]["low"] == found.elapsed_ms.low


def test_the_line_for_the_log_says_what_is_known() -> None:
    hidden, shown = both_kinds()
    assert forecast_in_a_line(hidden) == (
        "expected to take 20 ms by the estimates; too few runs for an interval"
    )
    assert "in 8 of 10 runs" in forecast_in_a_line(shown)
    assert "at least 20 executions of every step; 5 past runs" in forecast_in_a_line(shown)


def test_a_hidden_forecast_lists_what_is_missing() -> None:
    text = forecast_as_text(both_kinds()[0])
    assert "20 ms by the estimates" in text
    assert "An interval needs 20 successful executions of every step's tool in 5 runs" in text
    assert f"  step b: {OLD}: 0 of 20" in text
