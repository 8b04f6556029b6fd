"""Drawn runs: the order of the graph, lists, variants, shared luck, what decides the time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from past_factory import make_spread

from tool_catalog_pipelines.planning.simulation.draws import (
    DRAWS,
    MOST_DRAWN_ITEMS,
    DrawnStep,
    Draws,
    Shape,
    draw,
)
from tool_catalog_pipelines.planning.simulation.past import Correlation
from tool_catalog_pipelines.planning.simulation.spread import Spread

NONE = Correlation()
VARYING = list(np.exp(0.4 * np.random.default_rng(1).standard_normal(60)) * 100)


def step(id_: str, *upstream: str, time_ms: float | Sequence[float] = 10.0, **more: Any) -> Any:
    """A step that always takes this time, or as long as one of these."""
    times = [time_ms] * 20 if isinstance(time_ms, float | int) else time_ms
    made = DrawnStep(id_, upstream, ((1.0, make_spread(times)),), None)
    return replace(made, **more)


def shape(items: Sequence[float], delay_ms: float = 0.0, slowness: float = 1.0) -> Shape:
    n = len(items)
    return Shape(np.array(items, dtype=float), np.full(n, delay_ms), np.full(n, slowness))


def drawn(*steps: DrawnStep, correlation: Correlation = NONE, seed: int = 1) -> Draws:
    return draw(steps, correlation, (), seed)


def everywhere(values: Any) -> float:
    """The one value of all drawn runs."""
    assert values.size == DRAWS
    assert np.ptp(values) < 1e-9
    return float(values[0])


def width(values: Any) -> float:
    return float(np.quantile(values, 0.9) - np.quantile(values, 0.1))


def test_the_same_seed_draws_the_same_runs() -> None:
    steps = [step("a", time_ms=VARYING), step("b", "a", time_ms=VARYING)]
    one, two, other = (drawn(*steps, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.elapsed_ms, two.elapsed_ms)
    assert not np.array_equal(one.elapsed_ms, other.elapsed_ms)


def test_constants_give_the_longest_way() -> None:
    found = drawn(
        step("a", time_ms=10), step("b", "a", time_ms=30), step("c", "a", time_ms=50),
        step("d", "b", "c", time_ms=5), step("alone", time_ms=60),
    )  # fmt: skip
    assert everywhere(found.elapsed_ms) == 65
    assert everywhere(found.work_ms) == 155
    assert found.cost_units is not None
    assert everywhere(found.cost_units) == 5
    assert found.critical == {"a": 1.0, "b": 0.0, "c": 1.0, "d": 1.0, "alone": 0.0}


def test_a_branch_is_as_often_critical_as_it_is_the_longer_one() -> None:
    found = drawn(
        step("often", time_ms=[90.0] * 3 + [10.0] * 17),
        step("else", time_ms=50),
        step("end", "often", "else"),
    )
    assert found.critical["end"] == 1.0
    assert found.critical["often"] + found.critical["else"] == pytest.approx(1.0)
    assert found.critical["often"] == pytest.approx(np.mean(found.elapsed_ms > 60))
    assert found.critical["often"] == pytest.approx(3 / 20, abs=0.06)


def test_delays_come_from_the_drawn_past_run_or_from_others() -> None:
    shaped = shape([1.0] * 5, delay_ms=7.0)
    found = drawn(step("a", shape=shaped), step("b", "a", shape=shaped))
    assert everywhere(found.elapsed_ms) == 34
    assert everywhere(found.work_ms) == 20
    reshaping = replace(step("b", "a"), variants=())
    open_delays = draw([step("a"), reshaping, step("c", "b")], NONE, (3.0, 5.0), 1)
    assert set(np.unique(open_delays.elapsed_ms)) == {26.0, 28.0, 30.0}


def test_a_skipped_step_takes_its_delay_and_nothing_else() -> None:
    found = drawn(step("a", shape=shape([0, 0, 0, 0, 0], delay_ms=2.0)))
    assert everywhere(found.elapsed_ms) == 2
    assert everywhere(found.work_ms) == 0
    assert found.cost_units is not None
    assert everywhere(found.cost_units) == 0


def test_a_conditional_step_runs_as_often_as_it_did() -> None:
    found = drawn(step("a", shape=shape([1, 0, 0, 0]), time_ms=80))
    assert set(np.unique(found.work_ms)) == {0.0, 80.0}
    assert np.mean(found.work_ms > 0) == pytest.approx(0.25, abs=0.05)


def test_steps_of_one_past_run_stay_together() -> None:
    turns = [shape([1, 0, 1, 0, 0]), shape([0, 1, 0, 1, 1])]
    found = drawn(step("a", shape=turns[0]), step("b", shape=turns[1]))
    assert everywhere(found.work_ms) == 10


def test_delays_of_one_past_run_stay_together() -> None:
    ones = np.ones(2)
    early, late = (Shape(ones, np.array(delays), ones) for delays in ([1.0, 5.0], [5.0, 1.0]))
    found = drawn(step("a", shape=early), step("b", "a", shape=late))
    assert everywhere(found.elapsed_ms) == 26


@pytest.mark.parametrize(
    ("items", "parallel", "elapsed_ms"),
    [(1, 4, 10), (4, 1, 40), (4, 4, 10), (8, 4, 20), (6, 4, 15), (3, 64, 10)],
)
def test_a_list_of_constants_takes_its_share_of_places(
    items: int, parallel: int, elapsed_ms: float
) -> None:
    found = drawn(step("a", shape=shape([items] * 5), parallel=parallel))
    assert everywhere(found.work_ms) == 10 * items
    assert everywhere(found.elapsed_ms) == elapsed_ms
    assert found.cost_units is not None
    assert everywhere(found.cost_units) == items


def test_a_list_takes_no_less_than_its_longest_item() -> None:
    found = drawn(step("a", shape=shape([4] * 5), parallel=4, time_ms=[1.0] * 10 + [100.0] * 10))
    assert np.mean(found.elapsed_ms >= 99) == pytest.approx(1 - 0.5**4, abs=0.05)


def test_idle_places_make_a_list_slower() -> None:
    found = drawn(step("a", shape=shape([8] * 5, slowness=1.5), parallel=4))
    assert everywhere(found.elapsed_ms) == 30
    assert everywhere(found.work_ms) == 80


@pytest.mark.parametrize("items", [MOST_DRAWN_ITEMS, MOST_DRAWN_ITEMS + 1, 5000])
def test_long_lists_keep_their_mean(items: int) -> None:
    one = drawn(step("a", time_ms=VARYING))
    long = drawn(step("a", shape=shape([items] * 5), time_ms=VARYING, parallel=8))
    assert long.work_ms.mean() == pytest.approx(items * one.work_ms.mean(), rel=0.02)
    assert long.cost_units is not None
    assert everywhere(long.cost_units) == pytest.approx(items)


def test_short_and_long_lists_of_one_step_are_drawn_each_as_it_was() -> None:
    found = drawn(step("a", shape=shape([2, 400, 0, 2, 400])))
    assert set(np.round(np.unique(found.work_ms), 6)) == {0.0, 20.0, 4000.0}


def variants(*shares_and_times: tuple[float, float]) -> tuple[tuple[float, Spread], ...]:
    return tuple(
        (share, make_spread([time_ms] * 20, [time_ms / 10])) for share, time_ms in shares_and_times
    )


def test_each_item_draws_its_variant() -> None:
    arms = variants((0.75, 10.0), (0.25, 50.0))
    found = drawn(step("a", variants=arms, shape=shape([1] * 5)))
    assert set(np.unique(found.work_ms)) == {10.0, 50.0}
    assert np.mean(found.work_ms == 50) == pytest.approx(0.25, abs=0.04)
    assert found.cost_units == pytest.approx(found.work_ms / 10)
    many = drawn(step("a", variants=arms, shape=shape([100] * 5)))
    assert many.work_ms.mean() == pytest.approx(100 * 20, rel=0.03)
    assert width(many.work_ms) > 0


def test_three_variants_have_their_shares() -> None:
    arms = variants((0.5, 1.0), (0.3, 2.0), (0.2, 3.0))
    work = drawn(step("a", variants=arms)).work_ms
    assert [float(np.mean(work == time)) for time in (1, 2, 3)] == pytest.approx(
        [0.5, 0.3, 0.2], abs=0.04
    )


def test_an_unknown_cost_of_any_step_that_runs_hides_the_cost() -> None:
    unknown = ((1.0, make_spread([10.0] * 20, None)),)
    assert drawn(step("a"), step("b", variants=unknown)).cost_units is None
    mixed = ((0.5, make_spread([10.0] * 20)), *unknown)
    assert drawn(step("a", variants=mixed)).cost_units is None
    never = drawn(step("a"), step("b", variants=unknown, shape=shape([0] * 5)))
    assert never.cost_units is not None
    assert everywhere(never.cost_units) == 1


def test_drawn_times_are_spread_as_the_past_was() -> None:
    found = drawn(step("a", time_ms=VARYING)).elapsed_ms
    for level in (0.1, 0.5, 0.9):
        assert np.quantile(found, level) == pytest.approx(
            np.quantile(VARYING, level, method="weibull"), rel=0.06
        )


@pytest.mark.parametrize("items", [1, 12])
def test_shared_luck_makes_sums_wider_and_leaves_single_steps_alone(items: int) -> None:
    line = [step("s0", time_ms=VARYING, shape=shape([items] * 5))]
    line += [
        step(f"s{n}", f"s{n - 1}", time_ms=VARYING, shape=shape([items] * 5)) for n in range(1, 8)
    ]
    widths = [
        width(drawn(*line, correlation=Correlation(rho, rho)).elapsed_ms) for rho in (0, 0.3, 0.9)
    ]
    assert widths[1] > 1.3 * widths[0]
    assert widths[2] > 1.3 * widths[1]
    alone = [step("a", time_ms=VARYING)]
    single = [
        width(drawn(*alone, correlation=Correlation(rho, rho)).elapsed_ms) for rho in (0, 0.9)
    ]
    assert single[0] == pytest.approx(single[1], rel=0.15)


def test_shared_luck_of_items_makes_lists_wider_and_not_the_line() -> None:
    a_list = step("a", time_ms=VARYING, shape=shape([30] * 5))
    apart, alike = (
        width(drawn(a_list, correlation=Correlation(0.0, rho)).work_ms) for rho in (0.0, 0.8)
    )
    assert alike > 2 * apart
    line = [step("a", time_ms=VARYING), step("b", "a", time_ms=VARYING)]
    widths = [width(drawn(*line, correlation=Correlation(0.0, rho)).work_ms) for rho in (0.0, 0.8)]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)


@st.composite
def graphs(chance: st.DrawFn) -> list[DrawnStep]:
    steps: list[DrawnStep] = []
    for number in range(chance(st.integers(1, 8))):
        names = [one.id for one in steps]
        upstream = chance(st.lists(st.sampled_from(names), unique=True)) if names else []
        times = chance(st.lists(st.floats(0.1, 1e4), min_size=20, max_size=24))
        items = chance(st.lists(st.integers(0, 6), min_size=5, max_size=5))
        parallel = chance(st.integers(1, 4))
        made = step(f"s{number}", *upstream, time_ms=times, parallel=parallel)
        steps.append(replace(made, shape=shape(items, chance(st.floats(0, 50)))))
    return steps


@given(steps=graphs(), rho=st.floats(0, 0.95))
def test_no_run_is_shorter_than_it_can_be(steps: list[DrawnStep], rho: float) -> None:
    found = draw(steps, Correlation(rho / 2, rho), (), 3, draws=200)
    places = sum(one.parallel for one in steps)
    assert np.all(found.elapsed_ms >= found.work_ms / places * (1 - 1e-9))
    assert all(0.0 <= share <= 1.0 for share in found.critical.values())
    assert sum(found.critical.values()) >= 1 - 1e-9
    for last in range(1, len(steps) + 1):
        part = draw(steps[:last], Correlation(rho / 2, rho), (), 3, draws=200)
        assert np.all(found.elapsed_ms >= part.elapsed_ms)
        assert np.all(found.work_ms >= part.work_ms)


@given(steps=graphs(), factor=st.floats(1, 20))
def test_longer_executions_make_no_run_shorter(steps: list[DrawnStep], factor: float) -> None:
    def slower(one: DrawnStep) -> DrawnStep:
        spreads = tuple((w, replace(s, times_ms=s.times_ms * factor)) for w, s in one.variants)
        return replace(one, variants=spreads)

    before = draw(steps, NONE, (), 3, draws=200)
    after = draw([slower(one) for one in steps], NONE, (), 3, draws=200)
    assert np.all(after.elapsed_ms >= before.elapsed_ms)
    assert after.work_ms == pytest.approx(factor * before.work_ms)


def test_many_draws_come_near_the_truth_of_a_sum() -> None:
    """The mean and the spread of a line of independent steps are those of its parts."""
    line = [step(f"s{n}", *([f"s{n - 1}"] if n else []), time_ms=VARYING) for n in range(10)]
    found = drawn(*line).elapsed_ms
    one = drawn(step("a", time_ms=VARYING)).elapsed_ms
    assert found.mean() == pytest.approx(10 * one.mean(), rel=0.02)
    assert found.std() == pytest.approx(math.sqrt(10) * one.std(), rel=0.1)


def test_critical_shares_are_of_all_steps() -> None:
    found: Mapping[str, float] = drawn(step("a"), step("b", "a"), step("c")).critical
    assert set(found) == {"a", "b", "c"}
