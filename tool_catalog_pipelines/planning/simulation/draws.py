"""Many possible runs of a chain at once, as columns of numbers: one row is one run.

A drawn run takes the shape of a past one (which steps ran, over how many items, how long each
waited for its start) and new times from the spread of every step. Executions that share a run
share a part of their luck: normal scores are mixed from one number of the run, one of the step and
one of the item (a one-factor Gaussian copula, Li, 2000, "On default correlation"). Does not belong
here: where spreads and shapes come from (chain_forecast.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tool_catalog_pipelines.planning.simulation.past import Correlation
from tool_catalog_pipelines.planning.simulation.spread import Spread

Array = NDArray[np.float64]

DRAWS = 2000
MOST_DRAWN_ITEMS = 128
"""Of a longer list so many items are drawn, and their sum is taken as many times as needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How one step looked in each past run, one number for each.

    Attributes:
        items: executions; 0 where it was skipped.
        delays_ms: from the end of the last step before it to its start.
        slowness: elapsed time of a list by what it would be if nothing stood idle.
    """

    items: Array
    delays_ms: Array
    slowness: Array


@dataclass(frozen=True, slots=True, eq=False)
class DrawnStep:
    """One step of the chain, ready to be drawn.

    Attributes:
        variants: spreads with their shares; several where each item draws an arm. Empty for a
            step that executes nothing, or never did.
        shape: None if there are too few past runs of the chain; then it runs once.
        parallel: how many items run at a time.
    """

    id: str
    upstream: tuple[str, ...]
    variants: tuple[tuple[float, Spread], ...]
    shape: Shape | None
    parallel: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """The drawn runs: for each its time from start to end, its work and its cost.

    `critical` is the share of runs in which a step is on the longest way.
    """

    elapsed_ms: Array
    work_ms: Array
    cost_units: Array | None
    critical: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """One step in every drawn run."""

    elapsed_ms: Array
    work_ms: Array
    cost_units: Array | None


def draw(
    steps: Sequence[DrawnStep],
    correlation: Correlation,
    start_delays_ms: Sequence[float],
    seed: int,
    draws: int = DRAWS,
) -> Draws:
    """Draw runs; the same arguments give the same runs.

    Args:
        steps: in an order in which each comes after those it waits for.
        correlation: of executions that share a run.
        start_delays_ms: delays to draw from where a step has no shape; none means no delay.
        seed: of the random numbers.
        draws: how many runs.
    """
    rng = np.random.default_rng(seed)
    past_runs = next((step.shape.items.size for step in steps if step.shape), 1)
    picked = rng.integers(past_runs, size=draws)
    luck = rng.standard_normal(draws)
    others = np.array(start_delays_ms or (0.0,))
    finished: dict[str, Array] = {}
    columns: dict[str, _Column] = {}
    for step in steps:
        column = _drawn(step, picked, luck, correlation, rng)
        delay = _delay(step, picked, others, rng)
        columns[step.id] = column
        finished[step.id] = _latest(step, finished, draws) + delay + column.elapsed_ms
    return Draws(
        elapsed_ms=np.max(list(finished.values()), axis=0),
        work_ms=np.sum([column.work_ms for column in columns.values()], axis=0),
        cost_units=_total_cost(list(columns.values())),
        critical=_critical(steps, finished),
    )


def _delay(
    step: DrawnStep, picked: NDArray[np.intp], others: Array, rng: np.random.Generator
) -> Array:
    """How long the step waits for its start; one that only reshapes data does not."""
    if step.shape is not None:
        return step.shape.delays_ms[picked]
    return rng.choice(others, picked.size) if step.variants else np.zeros(picked.size)


def _latest(step: DrawnStep, finished: Mapping[str, Array], draws: int) -> Array:
    """When everything that the step waits for has ended."""
    if not step.upstream:
        return np.zeros(draws)
    return np.max([finished[other] for other in step.upstream], axis=0)


def _total_cost(columns: Sequence[_Column]) -> Array | None:
    costs = [column.cost_units for column in columns]
    known = [cost for cost in costs if cost is not None]
    return np.sum(known, axis=0) if len(known) == len(costs) else None


def _drawn(
    step: DrawnStep,
    picked: NDArray[np.intp],
    luck: Array,
    correlation: Correlation,
    rng: np.random.Generator,
) -> _Column:
    runs = luck.size
    nothing = np.zeros(runs)
    items = np.ones(runs) if step.shape is None else step.shape.items[picked]
    if not step.variants or not items.any():
        return _Column(nothing, nothing, nothing)
    slowness = np.ones(runs) if step.shape is None else step.shape.slowness[picked]
    width = int(min(max(items.max(), 1), MOST_DRAWN_ITEMS))
    scores = _scores(width, luck, correlation, rng)
    times, costs = _values(step.variants, scores, rng)
    is_drawn = np.arange(width) < items[:, None]
    scale = np.where(items > 0, items / np.maximum(np.minimum(items, width), 1), 0.0)
    work = np.sum(times * is_drawn, axis=1) * scale
    side_by_side = np.maximum(np.minimum(items, step.parallel), 1)
    longest = np.max(times * is_drawn, axis=1)
    return _Column(
        elapsed_ms=np.maximum(work / side_by_side * slowness, longest),
        work_ms=work,
        cost_units=None if costs is None else np.sum(costs * is_drawn, axis=1) * scale,
    )


def _scores(width: int, luck: Array, correlation: Correlation, rng: np.random.Generator) -> Array:
    """Standard normal scores, one row for each run and one column for each item."""
    of_run = correlation.of_steps
    of_items = max(correlation.of_items, of_run) if width > 1 else of_run
    mixed = math.sqrt(of_run) * luck
    if width > 1:
        mixed = mixed + math.sqrt(of_items - of_run) * rng.standard_normal(luck.size)
    own = rng.standard_normal((luck.size, width))
    return mixed[:, None] + math.sqrt(1 - of_items) * own


def _values(
    variants: Sequence[tuple[float, Spread]], scores: Array, rng: np.random.Generator
) -> tuple[Array, Array | None]:
    """Time and cost at each score, from the variant that each item draws."""
    first = variants[0][1]
    times, costs = first.times_at(scores), first.costs_at(scores)
    if len(variants) == 1:
        return times, costs
    bounds: Array = np.cumsum([weight for weight, _ in variants])
    place: Array = rng.random(scores.shape) * float(bounds[-1])
    drawn: NDArray[np.intp] = np.searchsorted(bounds, place, side="right")
    for number, (_, spread) in enumerate(variants[1:], 1):
        other = spread.costs_at(scores)
        times = np.where(drawn == number, spread.times_at(scores), times)
        costs = None if costs is None or other is None else np.where(drawn == number, other, costs)
    return times, costs


def _critical(steps: Sequence[DrawnStep], finished: Mapping[str, Array]) -> dict[str, float]:
    """For each step the share of runs in which the run would end earlier if it did."""
    ends = np.array([finished[step.id] for step in steps])
    last: NDArray[np.intp] = np.argmax(ends, axis=0)
    is_critical: dict[str, NDArray[np.bool_]] = {
        step.id: last == number for number, step in enumerate(steps)
    }
    for step in reversed(steps):
        if step.upstream:
            before = np.array([finished[other] for other in step.upstream])
            which: NDArray[np.intp] = np.argmax(before, axis=0)
            for number, other in enumerate(step.upstream):
                is_critical[other] = is_critical[other] | (is_critical[step.id] & (which == number))
    return {name: float(np.mean(mask)) for name, mask in is_critical.items()}
