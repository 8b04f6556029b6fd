"""How the time and cost of one execution spread, given what is known of its variables now.

Each past execution becomes one possible future one: its estimate is taken anew with the variables
that are known now, those that nobody knows yet stay as they were then, and its distance from its
own estimate is kept. Does not belong here: several executions together (draws.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import Expression, parse_estimate
from tool_catalog_pipelines.planning.simulation.past import PastExecution

Array = NDArray[np.float64]

MINIMUM_EXECUTIONS = 20
MINIMUM_RUNS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Possible times and costs, each sorted; position k of n is the quantile k / (n + 1).

    With those positions a further draw from the same distribution falls between two of them as
    often as they say (Weibull, 1939), so that intervals from few executions are wide enough.
    """

    scores: Array
    times_ms: Array
    cost_units: Array | None
    runs: int
    is_of_step: bool

    @property
    def executions(self) -> int:
        """How many past executions it rests on."""
        return int(self.times_ms.size)

    def times_at(self, scores: Array) -> Array:
        """Times in milliseconds at standard normal scores."""
        return np.interp(scores, self.scores, self.times_ms)

    def costs_at(self, scores: Array) -> Array | None:
        """Costs at standard normal scores; None if the cost is unknown."""
        if self.cost_units is None:
            return None
        return np.interp(scores, self.scores, self.cost_units)


def spread_of(
    estimate: Estimate | None,
    executions: Sequence[PastExecution],
    step: tuple[str, str],
    known: Mapping[str, float],
    defaults: Mapping[str, float],
    may_fail: bool = False,
) -> Spread | str:
    """The spread, or a sentence that says what is missing.

    Args:
        estimate: the one that holds now.
        executions: of one pattern of one tool version, newest first.
        step: chain and step; its own executions are enough if there are enough of them.
        known: variables whose values are certain for the execution to come.
        defaults: of every variable.
        may_fail: the run goes on after a failure, so that failed executions take their time too.
    """
    chosen = _chosen(executions, step)
    succeeded = [one for one in chosen if one.has_succeeded]
    runs = len({one.run_id for one in succeeded})
    if not is_enough(succeeded):
        return (
            f"{len(succeeded)} of {MINIMUM_EXECUTIONS} successful executions, "
            f"in {runs} of {MINIMUM_RUNS} runs"
        )
    counted = chosen if may_fail else succeeded
    n = len(counted)
    scores = [NormalDist().inv_cdf(k / (n + 1)) for k in range(1, n + 1)]
    moved = _Moved(counted, known, defaults)
    return Spread(
        scores=np.array(scores),
        times_ms=_times(estimate, moved),
        cost_units=_costs(estimate, moved),
        runs=runs,
        is_of_step=all((one.chain, one.step) == step for one in counted),
    )


def _chosen(executions: Sequence[PastExecution], step: tuple[str, str]) -> Sequence[PastExecution]:
    """Those of the very step if there are enough of them, else all of the pattern."""
    chain, name = step
    own = [one for one in executions if one.step == name and one.chain == chain]
    return own if is_enough([one for one in own if one.has_succeeded]) else executions


def is_enough(succeeded: Sequence[PastExecution]) -> bool:
    """Whether a spread may be made of these executions."""
    if len(succeeded) < MINIMUM_EXECUTIONS:
        return False
    return len({one.run_id for one in succeeded}) >= MINIMUM_RUNS


@dataclass(frozen=True, slots=True)
class _Moved:
    """Past executions and the variables that are known now."""

    executions: Sequence[PastExecution]
    known: Mapping[str, float]
    defaults: Mapping[str, float]

    def estimates(self, text: str) -> tuple[Array, Array] | None:
        """The estimate of each execution as it was, and as it would be now; None without a value.

        A variable that is known now is compared with what was known then: how far that is from
        the truth is part of the spread. For the others the measured value counts.
        """
        expression = parse_estimate(text)
        rows = len(self.executions)
        then: dict[str, Any] = {}
        for name in expression.free_variables:
            value = self._before if name in self.known else self._measured
            then[name] = np.array([value(one, name) for one in self.executions])
        now = {**then, **{name: v for name, v in self.known.items() if name in then}}
        return _values(expression, then, rows), _values(expression, now, rows)

    def _before(self, execution: PastExecution, name: str) -> float:
        return _finite(execution.before.get(name), self.defaults.get(name, 0.0))

    def _measured(self, execution: PastExecution, name: str) -> float:
        return _finite(execution.measured.get(name), self._before(execution, name))


def _finite(value: float | None, otherwise: float) -> float:
    """A number of a fact; those of other versions may lack one."""
    return value if value is not None and math.isfinite(value) else otherwise


def _values(expression: Expression, columns: Mapping[str, Any], rows: int) -> Array:
    """The value of each row; nan for a row without one."""
    try:
        return expression.evaluate_rows(columns, rows)
    except ExpressionError:
        full = {name: np.broadcast_to(column, rows) for name, column in columns.items()}
        return np.array([_value(expression, full, row) for row in range(rows)])


def _value(expression: Expression, columns: Mapping[str, Array], row: int) -> float:
    try:
        return expression.evaluate({name: float(column[row]) for name, column in columns.items()})
    except ExpressionError:
        return math.nan


def _times(estimate: Estimate | None, moved: _Moved) -> Array:
    """Sorted times; without a usable estimate they are those of the past."""
    actual = np.array([max(one.elapsed_ms, 0.0) for one in moved.executions])
    both = _evaluated(estimate.time_ms if estimate else None, moved.estimates)
    return np.sort(actual if both is None else _followed(actual, *both))


def _followed(actual: Array, then: Array, now: Array) -> Array:
    """What was, by as much more or less as the estimate is now.

    In proportion; where an estimate is zero by the difference; and where there is none as it was.
    """
    with np.errstate(all="ignore"):
        moved = np.where((then > 0) & (now > 0), actual * (now / then), actual + (now - then))
    return np.where(np.isfinite(moved), np.maximum(moved, 0.0), actual)


def _costs(estimate: Estimate | None, moved: _Moved) -> Array | None:
    """Sorted costs: measured ones moved as times are, else the estimate as it would be now."""
    measured = [one.cost_units for one in moved.executions if one.cost_units is not None]
    both = _evaluated(estimate.cost_units if estimate else None, moved.estimates)
    if len(measured) < len(moved.executions):
        is_known = both is not None and bool(np.all(np.isfinite(both[1])))
        return np.sort(np.maximum(both[1], 0.0)) if both is not None and is_known else None
    actual = np.array(measured)
    return np.sort(actual if both is None else _followed(actual, *both))


def _evaluated(
    text: str | None, estimates: Callable[[str], tuple[Array, Array] | None]
) -> tuple[Array, Array] | None:
    if text is None:
        return None
    try:
        return estimates(text)
    except ExpressionError:
        return None
