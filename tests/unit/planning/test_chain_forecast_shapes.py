"""Shapes of steps in past runs: items, delays before the start, idle time of lists."""

from __future__ import annotations

import pytest
from factories import make_chain, make_snapshot
from past_factory import make_run, make_runs

from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.planning.simulation.past import PastRun, PastStep
from tool_catalog_pipelines.planning.simulation.shapes import shapes_of, usable_runs

LINE = "steps: {a: {tool: echo}, b: {tool: echo, needs: [a]}}"
LIST = """
inputs: {l: {type: array, description: L}}
steps: {a: {tool: echo, foreach: {in: "$.inputs.l", parallel: 4}}}
"""


def plan_of(text: str) -> Plan:
    return build_plan(make_chain(text), make_snapshot())


def slowness(*, items: int, elapsed_ms: float, work_ms: float) -> float:
    runs = [make_run(str(n), a=PastStep(items, 5, 5 + elapsed_ms, work_ms)) for n in range(5)]
    return float(shapes_of(plan_of(LIST), runs)["a"].slowness[0])


def test_five_runs_are_needed() -> None:
    steps = {"a": (1.0, 2.0), "b": (4.0, 5.0)}
    assert shapes_of(plan_of(LINE), make_runs(4, steps)) == {}
    found = shapes_of(plan_of(LINE), make_runs(5, steps))
    assert set(found) == {"a", "b"}
    assert {shape.items.size for shape in found.values()} == {5}


def test_runs_that_lack_a_step_do_not_count() -> None:
    whole = make_runs(4, {"a": (1.0, 2.0), "b": (4.0, 5.0)})
    broken = make_run("broken", a=(1.0, 2.0))
    assert shapes_of(plan_of(LINE), [*whole, broken]) == {}
    assert usable_runs(plan_of(LINE), [*whole, broken]) == list(whole)


def test_steps_that_the_chain_has_no_more_do_no_harm() -> None:
    runs = make_runs(5, {"a": (1.0, 2.0), "b": (4.0, 5.0), "gone": (5.0, 900.0)})
    assert list(shapes_of(plan_of(LINE), runs)["b"].delays_ms) == [2.0] * 5


def test_a_delay_counts_from_the_end_of_the_last_step_before() -> None:
    text = "steps: {a: {tool: echo}, b: {tool: echo}, c: {tool: echo, needs: [a, b]}}"
    runs = make_runs(5, {"a": (3.0, 10.0), "b": (4.0, 20.0), "c": (21.5, 30.0)})
    found = shapes_of(plan_of(text), runs)
    assert {name: shape.delays_ms[0] for name, shape in found.items()} == {
        "a": 3.0, "b": 4.0, "c": 1.5,
    }  # fmt: skip


def test_a_step_that_starts_before_the_one_it_waits_for_ended_has_no_delay() -> None:
    runs = make_runs(5, {"a": (1.0, 10.0), "b": (9.9, 12.0)})
    assert list(shapes_of(plan_of(LINE), runs)["b"].delays_ms) == [0.0] * 5


def test_what_only_reshapes_is_looked_through() -> None:
    text = """
    steps:
      a: {tool: echo}
      shaped: {needs: [a], transform: {x: 1}}
      b: {tool: echo, needs: [shaped]}
    """
    found = shapes_of(plan_of(text), make_runs(5, {"a": (1.0, 10.0), "b": (14.0, 15.0)}))
    assert set(found) == {"a", "b"}
    assert list(found["b"].delays_ms) == [4.0] * 5


def test_what_happened_together_stays_together() -> None:
    def run(number: int) -> PastRun:
        was_skipped = number % 2
        return make_run(
            str(number), a=(0.0, 1.0 + number), b=PastStep(1 - was_skipped, 2.0 + number, 3.0, 0.0)
        )

    found = shapes_of(plan_of(LINE), [run(number) for number in range(6)])
    assert list(found["b"].items) == [1, 0, 1, 0, 1, 0]
    assert list(found["a"].items) == [1] * 6
    assert list(found["b"].delays_ms) == [1.0] * 6


@pytest.mark.parametrize(
    ("items", "elapsed_ms", "work_ms", "expected"),
    [
        (8, 30.0, 80.0, 1.5),  # two rounds of four, half as long again
        (2, 10.0, 20.0, 1.0),  # no more run at a time than there are
        (1, 12.0, 10.0, 1.0),
        (0, 0.0, 0.0, 1.0),
        (4, 5.0, 0.0, 1.0),
    ],
)
def test_slowness_compares_with_all_places_busy(
    items: int, elapsed_ms: float, work_ms: float, expected: float
) -> None:
    assert slowness(items=items, elapsed_ms=elapsed_ms, work_ms=work_ms) == expected
