"""The forecast: what estimates say before a run, with its reasons where they say nothing."""

from __future__ import annotations

from typing import Any

import pytest
from factories import CAPABILITY, PATTERN, make_chain, make_input, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.records import CatalogTool, Estimate
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.forecast import Forecast, StepForecast, forecast

TWO_VARIABLES: dict[str, Any] = {
    "optional_inputs": [
        make_input("limit", "integer"),
        make_input("depth", "integer", default=3),
    ],
    "variables": {
        "n": {"unit": "count", "default": 10, "range": [0, 1000], "before": "$.inputs.limit"},
        "d": {"unit": "count", "default": 7, "before": "$.inputs.depth"},
    },
    "time_estimate_ms": "n + 1000000 * d",
    "cost_estimate": "n",
}


def forecast_of(text: str, *tools: CatalogTool) -> Forecast:
    snapshot = make_snapshot(*tools)
    return forecast(build_plan(make_chain(text), snapshot), snapshot)


def one_step(arguments: str) -> StepForecast:
    text = (
        f"steps: {{a: {{tool: echo, with: {arguments}}}}}\n"
        "inputs:\n"
        "  known: {type: integer, description: K, default: 50}\n"
        "  open: {type: integer, description: O}\n"
    )
    (step,) = forecast_of(text, make_tool(**TWO_VARIABLES)).steps
    return step


@pytest.mark.parametrize(
    ("arguments", "n", "d"),
    [
        ("{}", 10, 3),  # default of the variable; default of the tool's input
        ("{limit: 20, depth: 4}", 20, 4),
        ("{limit: 5000}", 1000, 3),  # clamped to the variable's range
        ('{limit: "{inputs.known}"}', 50, 3),
        ('{limit: "{inputs.open}", depth: "{inputs.open}"}', 10, 7),
        ("{limit: {from: inputs, path: $.open}}", 10, 3),
    ],
)
def test_variables_come_from_what_is_known_before_the_run(arguments: str, n: float, d: float):
    step = one_step(arguments)
    assert step.elapsed_ms == n + 1_000_000 * d
    assert step.total_cost_units == n
    assert step.time_ms.origin == "declared"


def test_a_recalibrated_estimate_says_from_how_many_runs():
    estimate = Estimate("99", "2", "recalibrated", runs=120, revision=3)
    tool = make_tool(estimates={(CAPABILITY, PATTERN): estimate})
    (step,) = forecast_of("steps: {a: {tool: echo}}", tool).steps
    assert (step.elapsed_ms, step.total_cost_units) == (99, 2)
    assert step.time_ms.origin == "recalibrated from 120 runs"


def test_a_cost_that_recalibration_left_alone_is_still_the_declared_one():
    estimate = Estimate("99", "1", "recalibrated", runs=120, revision=3)
    tool = make_tool(estimates={(CAPABILITY, PATTERN): estimate}, cost_estimate="1")
    (step,) = forecast_of("steps: {a: {tool: echo}}", tool).steps
    assert step.time_ms.origin == "recalibrated from 120 runs"
    assert step.cost_units.origin == "declared"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "unknown: there is no estimate"),
        ("1 / 0", "unknown: 1 / 0: "),
        ("5 * m", "unknown: 5 * m: "),
        ("1 +", "unknown: 1 +: "),
        ("0 - 5", "unknown: 0 - 5 gives -5"),
    ],
)
def test_what_cannot_be_evaluated_is_unknown_with_the_reason(text: str | None, reason: str):
    tool = make_tool(estimates={(CAPABILITY, PATTERN): Estimate(text, "1", "declared")})
    found = forecast_of("steps: {a: {tool: echo}}", tool)
    assert found.steps[0].time_ms.origin.startswith(reason)
    assert found.steps[0].elapsed_ms is None
    assert (found.elapsed_ms, found.unknown_time, found.unknown_cost) == (0, ("a",), ())
    assert found.cost_units == 1


def test_a_list_of_unknown_length_counts_with_its_greatest_length():
    found = forecast_of(
        "steps: {a: {tool: echo, foreach: {in: $.inputs.x, max: 10, parallel: 4}}}\n"
        "inputs: {x: {type: array, description: X}}",
        make_tool(),
    )
    (step,) = found.steps
    assert (step.executions, step.rounds, step.is_upper_bound) == (10, 3, True)
    assert (step.elapsed_ms, step.work_ms, step.total_cost_units) == (30, 100, 10)
    assert found.upper_bounds == ("a",)


def test_time_is_that_of_the_heaviest_way_and_work_that_of_all():
    found = forecast_of(
        """
        steps:
          quick: {tool: echo}
          slow: {tool: sleep}
          join: {tool: echo, needs: [quick, slow]}
          free: {transform: {x: {from: join}}, when: exists($.join.x)}
        """,
        make_tool(),
        make_tool("linux/sleep", time_estimate_ms="500", cost_estimate="3"),
    )
    assert found.critical_path == ("slow", "join")
    assert (found.elapsed_ms, found.work_ms, found.cost_units) == (510, 520, 5)
    assert found.conditional == ("free",)
    assert found.steps[-1].executions == 0
    assert found.steps[-1].time_ms.origin == "none needed"


def test_without_a_catalogue_or_the_tool_everything_is_unknown():
    plan = build_plan(make_chain(), make_snapshot())
    nothing = CatalogSnapshot(1, make_snapshot().taken_at, ())
    assert forecast(plan, None).steps[0].time_ms.origin == "unknown: no catalogue at hand"
    assert "there is no tool linux/echo" in forecast(plan, nothing).steps[0].time_ms.origin
    other = make_snapshot(make_tool(capabilities={"other": {"way": {"description": "x"}}}))
    assert "has no use/run" in forecast(plan, other).steps[0].cost_units.origin
