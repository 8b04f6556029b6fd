"""A chain, what its run is locked to, and the past -> its future as intervals, with the evidence.

An interval is shown only if every tool step has enough executions behind it; otherwise it says
what is missing, and the figures of the estimates stand alone. Does not belong here: the drawing
itself (draws.py), how it is shown (chain_forecast_text.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.planning.dag import ordered
from tool_catalog_pipelines.planning.forecast import Forecast, forecast, pattern_of
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.planning.simulation.draws import DrawnStep, Shape, draw
from tool_catalog_pipelines.planning.simulation.past import ChainPast
from tool_catalog_pipelines.planning.simulation.shapes import shapes_of, usable_runs
from tool_catalog_pipelines.planning.simulation.spread import MINIMUM_RUNS, Spread, spread_of
from tool_catalog_pipelines.planning.variables import variables_before, variables_known
from tool_catalog_pipelines.spec.base import ToolRef

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
COVERAGE = 0.8
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Interval:
    """The values below which 5 %, 10 %, ... 95 % of the drawn runs are (LEVELS)."""

    quantiles: tuple[float, ...]

    @property
    def low(self) -> float:
        """One run in ten is below."""
        return self.quantiles[LEVELS.index(LOW)]

    @property
    def middle(self) -> float:
        """Half of the runs are below."""
        return self.quantiles[LEVELS.index(MIDDLE)]

    @property
    def high(self) -> float:
        """One run in ten is above."""
        return self.quantiles[LEVELS.index(HIGH)]

    def to_json(self) -> dict[str, float]:
        """The three values that matter to people."""
        return {"low": self.low, "middle": self.middle, "high": self.high}


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """What the forecast of one step rests on.

    Attributes:
        tools: labels of the tool versions, several where each item draws an arm.
        executions: successful past executions, the fewest of all versions.
        runs: from how many runs.
        is_of_step: they are executions of this very step, not of the tool elsewhere.
        never_ran: it was skipped in every past run of the chain, and is counted as skipped.
        share_critical: in how many drawn runs the step decides when the run ends.
        missing: why there is no spread; empty if there is one.
    """

    step: str
    tools: tuple[str, ...]
    executions: int = 0
    runs: int = 0
    is_of_step: bool = False
    never_ran: bool = False
    share_critical: float | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class ChainForecast:
    """The future of one run: intervals if they can be had, and the single figures of estimates.

    Attributes:
        elapsed_ms: from the run lock to the end of the last step.
        work_ms: of all executions together.
        cost_units: None if hidden, or if some step's cost is unknown.
        ended: past runs of the chain that have ended, as far as it is known.
        succeeded: of those.
        past_runs: runs of the chain whose shape (items, skipped steps, delays) is drawn again.
        missing: why there are no intervals; empty if there are.
        figures: what the estimates alone say.
    """

    chain: str
    version: str
    fingerprint: str
    elapsed_ms: Interval | None
    work_ms: Interval | None
    cost_units: Interval | None
    ended: int
    succeeded: int
    past_runs: int
    steps: tuple[StepEvidence, ...]
    missing: tuple[str, ...]
    figures: Forecast

    @property
    def share_succeeded(self) -> float | None:
        """Of past runs that ended; None if they are too few to say."""
        return self.succeeded / self.ended if self.ended >= MINIMUM_RUNS else None

    @property
    def executions(self) -> int:
        """The fewest executions behind any step that runs."""
        return min((step.executions for step in self.steps if not step.never_ran), default=0)


def forecast_chain(
    plan: Plan, lock: RunLock, snapshot: CatalogSnapshot, past: ChainPast, seed: int = SEED
) -> ChainForecast:
    """Forecast a run that succeeds; the same arguments give the same forecast.

    Times are milliseconds, costs are cost units. Never fails: what is missing is said.
    """
    shapes = shapes_of(plan, past.runs)
    figures = forecast(plan, snapshot, lock)
    evidence: list[StepEvidence] = []
    drawn: dict[str, DrawnStep] = {}
    for step in plan.steps:
        found: list[_Found] = []
        if step.tool is not None:
            found = list(_variants(plan, step, lock, snapshot, past))
            evidence.append(_evidence(step, found, shapes.get(step.id)))
        spreads = tuple((share, one) for share, _, one in found if isinstance(one, Spread))
        drawn[step.id] = DrawnStep(
            id=step.id,
            upstream=step.upstream,
            variants=spreads,
            shape=shapes.get(step.id),
            parallel=step.foreach.parallel if step.foreach else 1,
        )
    missing = (*_missing(evidence), *_missing_shapes(plan, shapes, past))
    if missing or not evidence:
        return _hidden(plan, past, figures, evidence, missing or ("the chain executes no tool",))
    order = ordered({step.id: step.upstream for step in plan.steps})
    steps = [drawn[name] for name in order]
    draws = draw(steps, past.correlation, past.start_delays_ms, seed)
    return ChainForecast(
        chain=plan.chain,
        version=plan.version,
        fingerprint=plan.fingerprint,
        elapsed_ms=_interval(draws.elapsed_ms),
        work_ms=_interval(draws.work_ms),
        cost_units=None if draws.cost_units is None else _interval(draws.cost_units),
        ended=past.ended,
        succeeded=past.succeeded,
        past_runs=max((shape.items.size for shape in shapes.values()), default=0),
        steps=tuple(
            one if one.never_ran else replace(one, share_critical=draws.critical[one.step])
            for one in evidence
        ),
        missing=(),
        figures=figures,
    )


def _hidden(
    plan: Plan,
    past: ChainPast,
    figures: Forecast,
    evidence: Sequence[StepEvidence],
    missing: tuple[str, ...],
) -> ChainForecast:
    return ChainForecast(
        chain=plan.chain,
        version=plan.version,
        fingerprint=plan.fingerprint,
        elapsed_ms=None,
        work_ms=None,
        cost_units=None,
        ended=past.ended,
        succeeded=past.succeeded,
        past_runs=0,
        steps=tuple(evidence),
        missing=missing,
        figures=figures,
    )


def _interval(values: NDArray[np.float64]) -> Interval:
    return Interval(tuple(float(value) for value in np.quantile(values, LEVELS)))


_Found = tuple[float, ToolRef, Spread | str]
"""Share, version, and its spread or what is missing for it."""


def _variants(
    plan: Plan,
    step: PlanStep,
    lock: RunLock,
    snapshot: CatalogSnapshot,
    past: ChainPast,
) -> Iterator[_Found]:
    """The versions that the step may run on; several where each item draws an arm."""
    locked = lock.steps[step.id]
    arms = locked.by_item
    shares = {locked.version: 1.0}
    if arms is not None:
        shares = {arms.version_a: 1 - arms.traffic_split, arms.version_b: arms.traffic_split}
    for version, share in shares.items():
        ref = replace(locked.ref, at=version)
        yield share, ref, _spread(plan, step, ref, lock, snapshot, past)


def _spread(
    plan: Plan,
    step: PlanStep,
    ref: ToolRef,
    lock: RunLock,
    snapshot: CatalogSnapshot,
    past: ChainPast,
) -> Spread | str:
    try:
        tool = snapshot.resolve(ref)
    except NotFoundError as error:
        return error.problems[0].message
    pattern = pattern_of(tool, step)
    if pattern is None:
        return f"{tool.label} has no {step.capability}/{step.pattern}"
    return spread_of(
        tool.estimates.get((step.capability, step.pattern)),
        past.executions.get((tool.label, step.capability, step.pattern), ()),
        (plan.chain, step.id),
        variables_known(plan, step, pattern, lock.inputs),
        variables_before(plan, step, pattern, lock.inputs),
        may_fail=step.on_error == "continue",
    )


def _evidence(step: PlanStep, found: Sequence[_Found], shape: Shape | None) -> StepEvidence:
    spreads = [spread for _, _, spread in found if isinstance(spread, Spread)]
    missing = [f"{ref}: {text}" for _, ref, text in found if isinstance(text, str)]
    never_ran = shape is not None and not shape.items.any()
    return StepEvidence(
        step=step.id,
        tools=tuple(str(ref) for _, ref, _ in found),
        executions=min((spread.executions for spread in spreads), default=0),
        runs=min((spread.runs for spread in spreads), default=0),
        is_of_step=bool(spreads) and all(spread.is_of_step for spread in spreads),
        never_ran=never_ran,
        missing="" if never_ran else "; ".join(missing),
    )


def _missing(evidence: Sequence[StepEvidence]) -> Iterator[str]:
    for one in evidence:
        if one.missing:
            yield f"step {one.step}: {one.missing}"


def _missing_shapes(plan: Plan, shapes: Mapping[str, Shape], past: ChainPast) -> Iterator[str]:
    """Steps of which only past runs of the chain can say how often they run."""
    open_steps = [
        step.id for step in plan.steps if step.kind == "tool" and (step.foreach or step.when)
    ]
    if open_steps and not shapes:
        yield (
            f"step {', '.join(open_steps)}: how often it runs is known from "
            f"{len(usable_runs(plan, past.runs))} of {MINIMUM_RUNS} runs of the chain as it is now"
        )
