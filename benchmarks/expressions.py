"""Ten million evaluations of an estimate at once, beside the same formula written in numpy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.results import Goal, Result
from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.estimate import parse_estimate

ROWS = 10_000_000
SINGLE = 20_000
REPETITIONS = 5
FORMULAS: Mapping[str, Callable[[Any, Any], Any]] = {
    "12 + 0.02 * N": lambda n, _: 12 + 0.02 * n,
    "12 + 0.02 * N + 3 * log2(N + 1)": lambda n, _: 12 + 0.02 * n + 3 * np.log2(n + 1),
    "ceil(N / 100) * p95 * 1.2": lambda n, p: np.ceil(n / 100) * p * 1.2,
    "5 + 0.1 * N if N > 500 else 60": lambda n, _: np.where(n > 500, 5 + 0.1 * n, 60),
}


def measure() -> list[Result]:
    """Columns beside numpy, then single evaluations."""
    chance = np.random.default_rng(1)
    n, p95 = chance.uniform(0, 1000, ROWS), chance.uniform(50, 500, ROWS)
    found: list[Result] = []
    for text, formula in FORMULAS.items():
        found += _columns(text, formula, n, p95)
    return [*found, *_single()]


def _columns(text: str, formula: Callable[[Any, Any], Any], n: Any, p95: Any) -> list[Result]:
    expression = parse_estimate(text)
    columns = {"N": n, "p95": p95}
    if not np.allclose(expression.evaluate_rows(columns), formula(n, p95), rtol=1e-9):
        raise AssertionError(f"{text}: numpy gives other values")
    plain = _seconds(lambda: formula(n, p95))
    ours = _seconds(lambda: expression.evaluate_rows(columns))
    name = f"10 million evaluations of {text}"
    return [
        Result(f"{name}: numpy", plain, "s"),
        Result(f"{name}: ours", ours, "s", "numpy", ours / plain, Goal("value", 1.0)),
    ]


def _single() -> list[Result]:
    expression = parse_estimate("12 + 0.02 * N + 3 * log2(N + 1)")
    condition = parse_condition("N > 50 and $.env == 'production'")
    context = {"N": 51, "env": "production"}
    one = _seconds(lambda: [expression.evaluate({"N": 7.0}) for _ in range(SINGLE)])
    judged = _seconds(lambda: [condition.evaluate(context) for _ in range(SINGLE)])
    return [
        Result("one evaluation of a parsed estimate", one / SINGLE * 1e6, "us"),
        Result("one evaluation of a parsed condition", judged / SINGLE * 1e6, "us"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
