"""Experiments: simulated truth is found, noise is not, bad data gives a reason."""

from __future__ import annotations

import numpy as np
import pytest

from tool_catalog_pipelines.stats.experiments import Arm, judge
from tool_catalog_pipelines.stats.statistics import MeanStatistic, ProportionStatistic


def arm(ln_ms: np.ndarray, failures: int = 0) -> Arm:
    """An arm from simulated ln(ms)."""
    n = ln_ms.size
    mean = MeanStatistic(n, float(ln_ms.sum()), float((ln_ms**2).sum()))
    return Arm(ProportionStatistic(n + failures, n), mean)


def test_a_real_effect_is_found_with_its_size() -> None:
    chance = np.random.default_rng(1)
    result = judge(
        arm(chance.normal(4, 0.5, 300)), arm(chance.normal(3.5, 0.5, 300)), 0.5, 100, 0.05
    )
    assert (result.state, result.winner) == ("winner", "b")
    assert result.ratio == pytest.approx(np.exp(-0.5), rel=0.15)
    assert result.ratio_low is not None
    assert result.ratio_high is not None
    assert result.ratio_low < np.exp(-0.5) < result.ratio_high


def test_too_few_executions_say_n_of_m() -> None:
    few = arm(np.linspace(1, 2, 20))
    result = judge(few, few, 0.5, 100, 0.05)
    assert result.state == "not_enough_data"
    assert "20 and 20 of 100" in result.reason


def test_a_split_that_is_off_stops_everything() -> None:
    chance = np.random.default_rng(2)
    result = judge(arm(chance.normal(4, 0.1, 800)), arm(chance.normal(3, 0.1, 200)), 0.5, 100, 0.05)
    assert result.state == "srm"


def test_a_faster_arm_that_fails_more_is_no_winner() -> None:
    chance = np.random.default_rng(3)
    result = judge(
        arm(chance.normal(4, 0.3, 300)),
        arm(chance.normal(3, 0.3, 280), failures=20),
        0.5,
        100,
        0.05,
    )
    assert result.state == "guardrail_failed"


@pytest.mark.parametrize("values", [np.full(200, 3.0), np.array([])])
def test_data_without_spread_or_values_gives_a_reason(values: np.ndarray) -> None:
    result = judge(arm(values), arm(values), 0.5, 2, 0.05)
    assert result.state in ("cannot_tell", "not_enough_data")
    assert result.reason


def test_statistics_merge() -> None:
    values = np.random.default_rng(4).normal(5, 2, 100)
    halves = [arm(values[:40]).ln_ms, arm(values[40:]).ln_ms]
    whole = halves[0] + halves[1]
    assert whole.mean == pytest.approx(values.mean())
    assert whole.variance == pytest.approx(values.var(ddof=1))


def false_winners(simulations: int, seed: int) -> float:
    """Share of experiments without any difference that name a winner at one of 20 looks."""
    chance = np.random.default_rng(seed)
    wrong = 0
    for _ in range(simulations):
        a, b = chance.normal(4, 0.6, 2000), chance.normal(4, 0.6, 2000)
        looks = range(100, 2001, 100)
        wrong += any(
            judge(arm(a[:n]), arm(b[:n]), 0.5, 100, 0.05).winner is not None for n in looks
        )
    return wrong / simulations


def test_twenty_looks_rarely_name_a_false_winner() -> None:
    assert false_winners(150, seed=5) <= 0.08


@pytest.mark.slow
def test_twenty_looks_keep_the_promised_error_rate() -> None:
    assert false_winners(3000, seed=6) <= 0.05
