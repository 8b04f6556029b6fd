"""Past runs of a chain -> the shape of each step: items, delay before its start, slowness of lists.

Does not belong here: times of executions (spread.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tool_catalog_pipelines.planning.dag import ordered
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.planning.simulation.draws import Shape
from tool_catalog_pipelines.planning.simulation.past import PastRun, PastStep
from tool_catalog_pipelines.planning.simulation.spread import MINIMUM_RUNS


def shapes_of(plan: Plan, runs: Sequence[PastRun]) -> dict[str, Shape]:
    """The shape of every tool step; empty if too few runs have facts of all of them.

    All shapes have the same runs in the same order, so that what happened together stays together.
    """
    usable = usable_runs(plan, runs)
    if len(usable) < MINIMUM_RUNS:
        return {}
    upstream = {step.id: step.upstream for step in plan.steps}
    in_order = {name: upstream[name] for name in ordered(upstream)}
    delays = [_delays(in_order, run) for run in usable]
    return {step.id: _shape(step, usable, delays) for step in plan.steps if step.kind == "tool"}


def usable_runs(plan: Plan, runs: Sequence[PastRun]) -> list[PastRun]:
    """Those that left facts of every tool step: complete ones of the chain as it is now."""
    tools = [step.id for step in plan.steps if step.kind == "tool"]
    return [run for run in runs if all(name in run.steps for name in tools)]


def _shape(step: PlanStep, runs: Sequence[PastRun], delays: Sequence[Mapping[str, float]]) -> Shape:
    past = [run.steps[step.id] for run in runs]
    parallel = step.foreach.parallel if step.foreach else 1
    return Shape(
        items=np.array([float(one.items) for one in past]),
        delays_ms=np.array([of_run[step.id] for of_run in delays]),
        slowness=np.array([_slowness(one, parallel) for one in past]),
    )


def _delays(in_order: Mapping[str, Sequence[str]], run: PastRun) -> dict[str, float]:
    """How long each tool step waited after the last step before it had ended."""
    ends: dict[str, float] = {}
    delays: dict[str, float] = {}
    for name, upstream in in_order.items():
        ready = max((ends[other] for other in upstream), default=0.0)
        past = run.steps.get(name)
        if past is None:
            ends[name] = ready
            continue
        ends[name] = past.finished_ms
        delays[name] = max(past.started_ms - ready, 0.0)
    return delays


def _slowness(past: PastStep, parallel: int) -> float:
    """Elapsed time by what it would be if `parallel` items always ran; 1 where nothing ran."""
    if past.items < 2 or past.work_ms <= 0:
        return 1.0
    return (past.finished_ms - past.started_ms) * min(parallel, past.items) / past.work_ms
