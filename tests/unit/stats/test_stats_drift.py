"""Drift: steps are found, noise and spikes are not, four states."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tool_catalog_pipelines.stats.drift import change_points, judge


def test_quiet_series_is_ok() -> None:
    assert judge(np.random.default_rng(1).normal(0, 0.1, 200)).state == "ok"


def test_an_estimate_that_is_off_has_drifted_without_a_change() -> None:
    result = judge(np.random.default_rng(2).normal(math.log(2), 0.1, 100))
    assert result.state == "drifted"
    assert result.ratio == pytest.approx(2, rel=0.1)
    assert result.changed_at is None


def test_a_step_is_found_where_it_is() -> None:
    chance = np.random.default_rng(3)
    series = np.concatenate([chance.normal(0, 0.1, 120), chance.normal(0.4, 0.1, 60)])
    result = judge(series)
    assert result.state == "drifted"
    assert result.changed_at is not None
    assert abs(result.changed_at - 120) <= 3
    assert result.ratio_before == pytest.approx(1, rel=0.05)


def test_a_lone_spike_is_no_change() -> None:
    series = np.random.default_rng(4).normal(0, 0.05, 150)
    series[75] = 5.0
    assert judge(series).state == "ok"


@pytest.mark.parametrize(
    ("values", "state"),
    [([], "no_data"), ([math.nan] * 30, "no_data"), ([0.1] * 19, "not_enough_data")],
)
def test_too_little_data_is_said(values: list[float], state: str) -> None:
    result = judge(np.array(values, dtype=np.float64))
    assert result.state == state
    assert result.reason


def test_constant_series_does_not_fail() -> None:
    assert judge(np.zeros(50)).state == "ok"


def false_alarms(series: int, seed: int) -> float:
    """Share of unchanged series in which a change is seen."""
    chance = np.random.default_rng(seed)
    return sum(len(change_points(chance.normal(0, 0.2, 150))) > 1 for _ in range(series)) / series


def test_unchanged_series_stay_quiet() -> None:
    assert false_alarms(60, seed=5) <= 0.05


@pytest.mark.slow
def test_unchanged_series_stay_quiet_over_many() -> None:
    assert false_alarms(2000, seed=6) <= 0.02
