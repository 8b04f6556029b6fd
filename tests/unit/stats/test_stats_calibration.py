"""Positions of what came in a forecast, and the verdict on a forecaster."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.planning.simulation.chain_forecast import LEVELS
from tool_catalog_pipelines.stats.calibration import (
    MINIMUM_FORECASTS,
    Calibration,
    State,
    judge_positions,
    position_of,
)

RISING = tuple(float(number) for number in range(100, 290, 10))


def judged(inside: int, below: int = 0, above: int = 0) -> Calibration:
    return judge_positions([0.5] * inside + [0.0] * below + [1.0] * above)


@pytest.mark.parametrize(
    ("value", "position"),
    [
        (99.0, 0.0), (110.0, 0.1), (115.0, 0.125), (190.0, 0.5), (270.0, 0.9), (280.1, 1.0),
    ],
)  # fmt: skip
def test_a_value_stands_between_the_levels(value: float, position: float) -> None:
    assert position_of(value, RISING, LEVELS) == pytest.approx(position)


def test_the_outer_levels_are_outside_of_the_interval() -> None:
    assert position_of(100.0, RISING, LEVELS) < 0.1
    assert position_of(280.0, RISING, LEVELS) > 0.9


@pytest.mark.parametrize(("place", "position"), [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0)])
def test_a_constant_stands_anywhere_in_a_constant_forecast(place: float, position: float) -> None:
    assert position_of(5.0, [5.0] * 19, LEVELS, place) == pytest.approx(position)
    assert position_of(4.9, [5.0] * 19, LEVELS, place) == 0.0
    assert position_of(5.1, [5.0] * 19, LEVELS, place) == 1.0


def test_a_value_that_comes_often_stands_within_its_share() -> None:
    quantiles = [0.0] * 4 + [3.0] * 10 + [7.0] * 5
    assert [position_of(3.0, quantiles, LEVELS, place) for place in (0.0, 1.0)] == [0.25, 0.7]
    assert position_of(0.0, quantiles, LEVELS, 1.0) == 0.2
    assert position_of(7.0, quantiles, LEVELS, 0.0) == 0.75


@pytest.mark.parametrize("factor", [1 - 1e-12, 1 + 1e-12])
def test_the_order_of_adding_makes_no_difference(factor: float) -> None:
    quantiles = [0.1 + 0.2 + 0.3] * 19
    assert position_of((0.3 + 0.2 + 0.1) * factor, quantiles, LEVELS) == 0.5


@given(
    quantiles=st.lists(st.floats(0.01, 1e6), min_size=19, max_size=19).map(sorted),
    values=st.lists(st.floats(0.0, 2e6), min_size=2, max_size=2).map(sorted),
    place=st.floats(0, 1),
)
def test_positions_rise_with_the_value(
    quantiles: list[float], values: list[float], place: float
) -> None:
    lower, higher = (position_of(value, quantiles, LEVELS, place) for value in values)
    assert 0.0 <= lower <= higher <= 1.0


@given(quantiles=st.lists(st.integers(1, 10**6), min_size=19, max_size=19, unique=True).map(sorted))
def test_inside_the_interval_is_inside_by_position(quantiles: list[int]) -> None:
    for value in (*quantiles, *(value + 0.5 for value in quantiles)):
        position = position_of(value, quantiles, LEVELS)
        assert (0.1 <= position <= 0.9) == (quantiles[1] <= value <= quantiles[17])


def test_without_forecasts_there_is_nothing_to_say() -> None:
    found = judge_positions([])
    assert (found.state, found.n, found.share, found.above) == ("no_data", 0, None, None)


@pytest.mark.parametrize(
    ("inside", "below", "above", "state"),
    [
        (MINIMUM_FORECASTS - 1, 0, 0, "not_enough_data"),
        (0, MINIMUM_FORECASTS - 1, 0, "not_enough_data"),
        (16, 2, 2, "ok"),
        (12, 0, 8, "overconfident"),
        (20, 0, 0, "too_wide"),
        (75, 5, 20, "ok"),
        (70, 5, 25, "overconfident"),
        (850, 75, 75, "too_wide"),
        (800, 100, 100, "ok"),
    ],
)
def test_states(inside: int, below: int, above: int, state: State) -> None:
    found = judged(inside, below, above)
    assert found.state == state
    assert found.n == inside + below + above
    assert found.share == pytest.approx(inside / found.n)
    assert found.above == pytest.approx(above / found.n)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= inside / found.n <= found.high
    assert f"{inside} of {found.n} runs" in found.reason


def test_bounds_of_the_interval_are_inside() -> None:
    assert judge_positions([0.1, 0.9] * 10).share == 1.0
    assert judge_positions([0.0999, 0.9001] * 10).share == 0.0


def test_another_share_may_be_claimed() -> None:
    positions = np.random.default_rng(5).random(400).tolist()
    assert judge_positions(positions, claimed=0.5).state == "ok"
    assert judge_positions(positions, claimed=0.5).share == pytest.approx(0.5, abs=0.08)
    assert judge_positions([0.5] * 400, claimed=0.5).state == "too_wide"


def test_a_right_forecaster_of_few_values_is_not_called_wrong() -> None:
    """Costs of 0, 3 or 7 units, forecast with the shares with which they come."""
    rng = np.random.default_rng(8)
    quantiles = [0.0] * 4 + [3.0] * 10 + [7.0] * 5
    came = rng.choice([0.0, 3.0, 7.0], size=500, p=[0.2, 0.5, 0.3])
    positions = [position_of(value, quantiles, LEVELS, rng.random()) for value in came]
    assert judge_positions(positions).state == "ok"
