"""How long a chain will take and what it will cost, from the catalogue's current estimates.

A forecast stands beside the plan, never in it: estimates change without the plan changing. What
is not known stays unknown, with the reason; a sum over unknown parts says "at least".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tool_catalog_pipelines.catalog.records import CatalogTool, Estimate
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.facts import Basis
from tool_catalog_pipelines.planning.dag import critical_path
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.planning.variables import variables_before
from tool_catalog_pipelines.spec.tool import PatternSpec

FigureBasis = Basis | Literal["none needed"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One forecast number of one execution; `reason` says why it is unknown."""

    value: float | None
    basis: FigureBasis
    runs: int = 0
    reason: str = ""

    @property
    def origin(self) -> str:
        """`declared`, `recalibrated from n runs`, or `unknown: reason`."""
        if self.basis == "recalibrated":
            return f"recalibrated from {self.runs} runs"
        return f"unknown: {self.reason}" if self.value is None else self.basis


NOTHING = Figure(0.0, "none needed")


@dataclass(frozen=True, slots=True)
class StepForecast:
    """Forecast of one step.

    `executions` is how often the tool is executed and `rounds` how many of these one after
    another; for a `foreach` step both are upper bounds, from its `max`.
    """

    step: str
    time_ms: Figure
    cost_units: Figure
    executions: int = 1
    rounds: int = 1
    is_upper_bound: bool = False
    is_conditional: bool = False

    @property
    def elapsed_ms(self) -> float | None:
        """Time from the step's start to its end."""
        return None if self.time_ms.value is None else self.time_ms.value * self.rounds

    @property
    def work_ms(self) -> float | None:
        """Time of all executions added up."""
        return None if self.time_ms.value is None else self.time_ms.value * self.executions

    @property
    def total_cost_units(self) -> float | None:
        """Cost of all executions added up."""
        cost = self.cost_units.value
        return None if cost is None else cost * self.executions


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecast of a chain without failures and retries; unknown steps count as zero."""

    steps: tuple[StepForecast, ...]
    critical_path: tuple[str, ...]
    elapsed_ms: float
    work_ms: float
    cost_units: float

    @property
    def unknown_time(self) -> tuple[str, ...]:
        """Steps whose time is not known."""
        return tuple(step.step for step in self.steps if step.time_ms.value is None)

    @property
    def unknown_cost(self) -> tuple[str, ...]:
        """Steps whose cost is not known."""
        return tuple(step.step for step in self.steps if step.cost_units.value is None)

    @property
    def upper_bounds(self) -> tuple[str, ...]:
        """Steps that run over a list of unknown length, counted with its greatest length."""
        return tuple(step.step for step in self.steps if step.is_upper_bound)

    @property
    def conditional(self) -> tuple[str, ...]:
        """Steps with a condition, counted as if they ran."""
        return tuple(step.step for step in self.steps if step.is_conditional)


def forecast(plan: Plan, snapshot: CatalogSnapshot | None, lock: RunLock | None = None) -> Forecast:
    """Evaluate the estimates of all steps with what is known before the run.

    Times are milliseconds, costs are cost units. Never fails: what cannot be evaluated is unknown.

    Args:
        plan: the chain.
        snapshot: the catalogue, if there is one at hand.
        lock: versions and inputs of one run; without it `latest` and the chain's defaults count.
    """
    steps = tuple(_step(plan, step, snapshot, lock) for step in plan.steps)
    upstream = {step.id: step.upstream for step in plan.steps}
    path, elapsed_ms = critical_path(upstream, {s.step: s.elapsed_ms or 0.0 for s in steps})
    return Forecast(
        steps=steps,
        critical_path=path,
        elapsed_ms=elapsed_ms,
        work_ms=_known_sum(step.work_ms for step in steps),
        cost_units=_known_sum(step.total_cost_units for step in steps),
    )


def _known_sum(values: Iterable[float | None]) -> float:
    return math.fsum(value for value in values if value is not None)


def _step(
    plan: Plan, step: PlanStep, snapshot: CatalogSnapshot | None, lock: RunLock | None
) -> StepForecast:
    time_ms, cost_units = _figures(plan, step, snapshot, lock)
    foreach = step.foreach
    return StepForecast(
        step=step.id,
        time_ms=time_ms,
        cost_units=cost_units,
        executions=foreach.max if foreach else int(step.kind == "tool"),
        rounds=math.ceil(foreach.max / foreach.parallel) if foreach else 1,
        is_upper_bound=foreach is not None,
        is_conditional=step.when is not None,
    )


def _figures(
    plan: Plan, step: PlanStep, snapshot: CatalogSnapshot | None, lock: RunLock | None
) -> tuple[Figure, Figure]:
    """Time and cost of one execution of a step."""
    if step.tool is None:
        return NOTHING, NOTHING
    if snapshot is None:
        return _both_unknown("no catalogue at hand")
    try:
        tool = snapshot.resolve(lock.steps[step.id].ref if lock else step.tool)
    except NotFoundError as error:
        return _both_unknown(error.problems[0].message)
    estimate = tool.estimates.get((step.capability, step.pattern))
    pattern = pattern_of(tool, step)
    if estimate is None or pattern is None:
        return _both_unknown(f"{tool.label} has no {step.capability}/{step.pattern}")
    variables = variables_before(plan, step, pattern, lock.inputs if lock else None)
    return (
        _figure(estimate.time_ms, pattern.time_estimate_ms, estimate, variables),
        _figure(estimate.cost_units, pattern.cost_estimate, estimate, variables),
    )


def pattern_of(tool: CatalogTool, step: PlanStep) -> PatternSpec | None:
    """The pattern that a step uses, if this version has it."""
    capability = tool.spec.capabilities.get(step.capability)
    return capability.patterns.get(step.pattern) if capability else None


def _both_unknown(reason: str) -> tuple[Figure, Figure]:
    figure = Figure(None, "unknown", reason=reason)
    return figure, figure


def _figure(
    text: str | None, declared: str | None, estimate: Estimate, variables: Mapping[str, float]
) -> Figure:
    if text is None:
        return Figure(None, "unknown", reason="there is no estimate")
    try:
        value = parse_estimate(text).evaluate(variables)
    except ExpressionError as error:
        return Figure(None, "unknown", reason=f"{text}: {error.message}")
    if not math.isfinite(value) or value < 0:
        return Figure(None, "unknown", reason=f"{text} gives {value:g}")
    return Figure(value, *estimate.basis_of(text, declared))
