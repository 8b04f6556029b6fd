"""Recalibration: true coefficients are recovered, good estimates are kept, bounds hold."""

from __future__ import annotations

import numpy as np
import pytest

from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.stats.recalibration import recalibrate

SIZES = [10, 20, 40, 80, 160, 320, 640]


def runs(
    intercept: float, slope: float, n: int, seed: int
) -> tuple[list[dict[str, float]], list[float]]:
    """Simulated executions with 10 % noise and 3 % outliers."""
    chance = np.random.default_rng(seed)
    sizes = chance.choice(SIZES, n)
    noise = np.exp(chance.normal(0, 0.1, n))
    noise[chance.random(n) < 0.03] *= 20
    times = (intercept + slope * sizes) * noise
    return [{"num_files": float(s)} for s in sizes], [float(t) for t in times]


def test_true_coefficients_are_recovered_despite_outliers() -> None:
    variables, times = runs(5.0, 0.9, 200, seed=1)
    found = recalibrate("5 + 0.3 * num_files", variables, times)
    assert found.kind == "refit"
    assert found.text is not None
    fitted = parse_estimate(found.text)
    for size in (20, 640, 2000):
        assert fitted.evaluate({"num_files": size}) == pytest.approx(5 + 0.9 * size, rel=0.1)


def test_a_good_estimate_is_kept() -> None:
    variables, times = runs(5.0, 0.9, 200, seed=2)
    assert recalibrate("5 + 0.9 * num_files", variables, times).kind == "kept"


def test_the_new_estimate_is_kept_when_the_same_facts_are_judged_again() -> None:
    variables, times = runs(5.0, 0.9, 200, seed=3)
    first = recalibrate("5 + 0.3 * num_files", variables, times)
    assert first.text is not None
    assert recalibrate(first.text, variables, times).kind == "kept"


def test_one_size_only_scales_the_expression() -> None:
    times = [float(t) for t in np.random.default_rng(4).normal(100, 2, 50)]
    found = recalibrate("40 + 0.1 * num_files", [{"num_files": 100.0}] * 50, times)
    assert found.kind == "scaled"
    assert found.text is not None
    assert parse_estimate(found.text).evaluate({"num_files": 100}) == pytest.approx(100, rel=0.05)


def test_a_step_beyond_the_bound_is_not_published() -> None:
    found = recalibrate("1", [{}] * 50, [1000.0 + i for i in range(50)])
    assert found.text is None


@pytest.mark.parametrize(
    ("text", "n", "kind"),
    [(None, 50, "unknown_estimate"), ("5", 3, "not_enough_data"), ("n", 50, "not_enough_data")],
)
def test_what_cannot_be_fitted_says_why(text: str | None, n: int, kind: str) -> None:
    found = recalibrate(text, [{}] * n, [1.0] * n)
    assert found.kind == kind
    assert found.reason


@pytest.mark.parametrize("odd", [{}, {"n": True}, {"n": "5"}, {"n": None}, {"n": 10**400},
                                 {"n": float("nan")}, {"n": 0.0}])  # fmt: skip
def test_one_execution_without_a_usable_variable_ends_a_fit(odd: dict[str, float]) -> None:
    variables: list[dict[str, float]] = [{"n": float(i + 1)} for i in range(50)]
    found = recalibrate("1 + 1 / n", [*variables, odd], [1.0] * 51)
    assert found.kind == "not_enough_data"
    assert recalibrate("1 + 1 / n", [*variables, {"n": 3}], [1.0] * 51).kind != "not_enough_data"


def test_a_variable_that_an_estimate_does_not_use_may_be_missing() -> None:
    variables, times = runs(5.0, 0.9, 200, seed=5)
    variables[0]["other"] = 1.0
    assert recalibrate("5 + 0.9 * num_files", variables, times).kind == "kept"


def test_an_estimate_of_many_terms_can_be_fitted_again() -> None:
    chance = np.random.default_rng(6)
    names = [f"v{number}" for number in range(21)]
    variables = [{name: float(chance.choice(SIZES)) for name in names} for _ in range(200)]
    times = [3.0 * sum(row.values()) for row in variables]
    found = recalibrate(" + ".join(names), variables, times)
    assert found.text is not None
    assert parse_estimate(found.text).evaluate(variables[0]) == pytest.approx(times[0], rel=0.05)
