"""Spreads: which past executions count, what they become under what is known now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from past_factory import STEP, make_execution, make_executions

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.planning.simulation.past import PastExecution
from tool_catalog_pipelines.planning.simulation.spread import (
    MINIMUM_EXECUTIONS,
    MINIMUM_RUNS,
    Spread,
    spread_of,
)

TIMES = [float(number) for number in range(1, 21)]


def spread(
    executions: Sequence[PastExecution],
    time_ms: str | None = None,
    cost_units: str | None = None,
    known: Mapping[str, float] | None = None,
    defaults: Mapping[str, float] | None = None,
) -> Spread:
    estimate = Estimate(time_ms, cost_units, "declared")
    found = spread_of(estimate, executions, STEP, known or {}, defaults or {})
    assert isinstance(found, Spread), found
    return found


def test_the_thresholds_are_those_that_the_guide_names() -> None:
    assert (MINIMUM_EXECUTIONS, MINIMUM_RUNS) == (20, 5)


@pytest.mark.parametrize(
    ("executions", "runs", "missing"),
    [
        (20, 5, None),
        (19, 5, "19 of 20 successful executions, in 5 of 5 runs"),
        (20, 4, "20 of 20 successful executions, in 4 of 5 runs"),
        (0, 1, "0 of 20 successful executions, in 0 of 5 runs"),
    ],
)
def test_twenty_executions_in_five_runs_are_enough(
    executions: int, runs: int, missing: str | None
) -> None:
    found = spread_of(None, make_executions([1.0] * executions, runs), STEP, {}, {})
    if missing is None:
        assert isinstance(found, Spread)
        assert (found.executions, found.runs) == (executions, runs)
    else:
        assert found == missing


def test_failures_take_time_only_where_the_run_goes_on_after_them() -> None:
    failures = make_executions([999.0] * 5, has_succeeded=False)
    assert list(spread([*make_executions(TIMES), *failures]).times_ms) == TIMES
    going_on = spread_of(None, [*make_executions(TIMES), *failures], STEP, {}, {}, may_fail=True)
    assert isinstance(going_on, Spread)
    assert list(going_on.times_ms) == [*TIMES, *[999.0] * 5]
    short = spread_of(None, [*make_executions(TIMES[1:]), *failures], STEP, {}, {})
    assert short == "19 of 20 successful executions, in 5 of 5 runs"


def test_the_own_step_is_preferred_when_it_has_enough() -> None:
    elsewhere = make_executions([500.0] * 40, step="other")
    assert max(spread([*elsewhere, *make_executions(TIMES)]).times_ms) == 20.0
    assert spread([*elsewhere, *make_executions(TIMES)]).is_of_step


@pytest.mark.parametrize("other", [{"step": "b"}, {"chain": "u"}])
def test_otherwise_the_tool_everywhere_counts(other: Mapping[str, str]) -> None:
    found = spread([*make_executions([500.0] * 20, **other), *make_executions(TIMES[1:])])
    assert found.executions == 39
    assert not found.is_of_step


def test_own_failures_do_not_make_the_own_step_enough() -> None:
    own = make_executions([1.0] * 30, has_succeeded=False)
    found = spread([*own, *make_executions(TIMES, step="other")])
    assert (found.executions, found.is_of_step) == (20, False)


def test_positions_are_k_of_n_plus_one() -> None:
    found = spread(make_executions(reversed(TIMES)))
    for k, time_ms in enumerate(TIMES, 1):
        score = NormalDist().inv_cdf(k / 21)
        assert found.times_at(np.array([score])) == pytest.approx([time_ms])
    beyond = found.times_at(np.array([-9.0, 9.0]))
    assert list(beyond) == [1.0, 20.0]


def test_an_estimate_is_taken_anew_with_what_is_known_now() -> None:
    past = make_executions([30.0] * 20, before={"n": 10.0}, measured={"n": 11.0})
    found = spread(past, "n + 5", known={"n": 25.0})
    assert found.times_ms == pytest.approx([30.0 * 30 / 15] * 20)


def test_an_unknown_variable_keeps_its_measured_value() -> None:
    past = [
        make_execution(
            k, elapsed_ms=10.0, before={"n": 1.0, "m": 2.0}, measured={"n": 99.0, "m": k}
        )
        for k in range(20)
    ]
    found = spread(past, "n * (m + 1)", known={"n": 4.0})
    assert found.times_ms == pytest.approx([40.0] * 20), "n is known, m cancels out"
    now = [10.0 * (4 + k) / (1 + k) for k in range(20)]
    assert spread(past, "n + m", known={"n": 4.0}).times_ms == pytest.approx(sorted(now))


def test_what_was_not_known_then_has_its_default() -> None:
    found = spread(make_executions([10.0] * 20), "n", known={"n": 6.0}, defaults={"n": 2.0})
    assert found.times_ms == pytest.approx([30.0] * 20)


@pytest.mark.parametrize("text", [None, "1 / n", "-1", "ln(n)", "not an expression ("])
def test_an_estimate_without_a_value_leaves_the_past_as_it_was(text: str | None) -> None:
    past = make_executions(TIMES, before={"n": 0.0})
    assert list(spread(past, text, known={"n": 7.0}).times_ms) == TIMES


@pytest.mark.parametrize("odd", [{"n": 0.0}, {"n": -3.0}, {"n": None}, {"n": float("nan")}])
def test_one_odd_execution_does_not_stop_the_others_from_following(odd: Any) -> None:
    past = [*make_executions([30.0] * 20, before={"n": 10.0}), make_execution(9, before=odd)]
    found = spread(past, "n", known={"n": 20.0}, defaults={"n": 10.0})
    assert sorted(found.times_ms)[10] == 60.0


def test_where_an_estimate_is_zero_the_difference_follows() -> None:
    past = make_executions([5100.0] * 20, before={"n": 5.0})
    assert spread(past, "1000 * n", known={"n": 0.0}).times_ms == pytest.approx([100.0] * 20)
    faster = make_executions([900.0] * 20, before={"n": 5.0})
    assert list(spread(faster, "1000 * n", known={"n": 0.0}).times_ms) == [0.0] * 20


def test_without_any_estimate_the_past_stays_and_the_cost_is_unknown() -> None:
    found = spread_of(None, make_executions(TIMES), STEP, {}, {})
    assert isinstance(found, Spread)
    assert list(found.times_ms) == TIMES
    assert found.costs_at(np.zeros(1)) is None


def test_measured_costs_move_as_times_do() -> None:
    past = [make_execution(k, cost_units=k + 1.0, before={"n": 2.0}) for k in range(20)]
    costs = spread(past, "1", "n", known={"n": 6.0}).cost_units
    assert costs == pytest.approx([3.0 * (k + 1) for k in range(20)])
    assert spread(past, "1", None).cost_units == pytest.approx([k + 1.0 for k in range(20)])


def test_a_cost_that_was_not_always_measured_is_that_of_the_estimate() -> None:
    past = [make_execution(k, cost_units=None if k == 3 else 50.0) for k in range(20)]
    assert spread(past, "1", "n", known={"n": 6.0}).cost_units == pytest.approx([6.0] * 20)
    assert spread(past, "1", None).cost_units is None
    assert spread(past, "1", "0 - 4").cost_units == pytest.approx([0.0] * 20)


@given(
    times=st.lists(st.floats(0.01, 1e6), min_size=20, max_size=60),
    scale=st.floats(0.1, 10),
    scores=st.lists(st.floats(-4, 4), min_size=2, max_size=20),
)
def test_times_rise_with_the_score_and_scale_with_the_estimate(
    times: list[float], scale: float, scores: list[float]
) -> None:
    past = make_executions(times, before={"n": 3.0})
    plain, scaled = spread(past, "n", known={"n": 3.0}), spread(past, "n", known={"n": 3 * scale})
    at = np.sort(np.array(scores))
    assert np.all(np.diff(plain.times_at(at)) >= 0)
    assert scaled.times_at(at) == pytest.approx(scale * plain.times_at(at))
    assert min(times) <= plain.times_at(at)[0] <= plain.times_at(at)[-1] <= max(times)
