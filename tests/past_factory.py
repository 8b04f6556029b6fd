"""Builders of the past that a forecast of a chain rests on: executions, runs, spreads.

Does not belong here: anything that opens a database, chains drawn from a known truth
(simulated_chains.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from tool_catalog_pipelines.planning.simulation.past import PastExecution, PastRun, PastStep
from tool_catalog_pipelines.planning.simulation.spread import Spread

STEP = ("t", "a")


def make_execution(number: int = 0, runs: int = 5, **more: Any) -> PastExecution:
    """A success of step `a` of chain `t` in 10 ms, in one of so many runs by its number."""
    chain, step = STEP
    fields: dict[str, Any] = {
        "run_id": f"run-{number % runs}",
        "chain": chain,
        "step": step,
        "has_succeeded": True,
        "elapsed_ms": 10.0,
    }
    return PastExecution(**{**fields, **more})


def make_executions(
    times_ms: Iterable[float], runs: int = 5, **more: Any
) -> tuple[PastExecution, ...]:
    """One execution for each time, spread over so many runs."""
    return tuple(
        make_execution(number, runs, elapsed_ms=time_ms, **more)
        for number, time_ms in enumerate(times_ms)
    )


def make_spread(
    times_ms: Sequence[float],
    cost_units: Sequence[float] | None = (1.0,),
) -> Spread:
    """A spread of these times; a single cost holds for all of them."""
    n = len(times_ms)
    costs = None
    if cost_units is not None:
        costs = np.sort(np.array(cost_units * n if len(cost_units) == 1 else cost_units))
    return Spread(
        scores=np.array([NormalDist().inv_cdf(k / (n + 1)) for k in range(1, n + 1)]),
        times_ms=np.sort(np.array(times_ms, dtype=np.float64)),
        cost_units=costs,
        runs=5,
        is_of_step=True,
    )


def make_run(run_id: str, **steps: tuple[float, float] | PastStep) -> PastRun:
    """A past run; a pair is start and end of a step without a list."""
    return PastRun(run_id, {name: _past_step(value) for name, value in steps.items()})


def make_runs(count: int, steps: Mapping[str, tuple[float, float]]) -> tuple[PastRun, ...]:
    """Runs that all looked the same."""
    return tuple(make_run(f"run-{number}", **steps) for number in range(count))


def _past_step(value: tuple[float, float] | PastStep) -> PastStep:
    if isinstance(value, PastStep):
        return value
    started_ms, finished_ms = value
    return PastStep(1, started_ms, finished_ms, finished_ms - started_ms)
