"""Chains with a known truth: their past runs, and what a further run would take.

The truth is drawn step by step in simple loops, apart from the simulation that it tests. Does not
belong here: anything that opens a database.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from factories import CAPABILITY, PATTERN, make_chain, make_snapshot, make_tool

from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunIdentity, resolve_run_lock
from tool_catalog_pipelines.planning.simulation.chain_forecast import ChainForecast, forecast_chain
from tool_catalog_pipelines.planning.simulation.past import (
    ChainPast,
    Correlation,
    PastExecution,
    PastRun,
    PastStep,
)
from tool_catalog_pipelines.stats.dependence import Member, likeness

Time = Callable[[float], float]
"""A standard normal score -> milliseconds."""
IDENTITY = RunIdentity("shared", "new", datetime(2026, 1, 1, tzinfo=UTC), "production", "ada")
ITEMS_KEPT = 20


def log_normal(median_ms: float, spread: float) -> Time:
    """Skewed, as most durations are."""
    return lambda score: median_ms * math.exp(spread * score)


def two_modes(quick_ms: float, slow_ms: float, score_of_slow: float) -> Time:
    """Warm and cold: beyond a score it takes the longer time."""
    return lambda score: (quick_ms if score < score_of_slow else slow_ms) * math.exp(0.1 * score)


@dataclass(frozen=True)
class TrueStep:
    """One step as it really is; `items` draws how many executions it has, 0 if skipped."""

    time: Time
    upstream: tuple[str, ...] = ()
    items: Callable[[np.random.Generator], int] = lambda _: 1
    parallel: int = 1
    has_list: bool = False


@dataclass(frozen=True)
class TrueChain:
    """A chain whose executions share a part of their luck."""

    steps: Mapping[str, TrueStep]
    of_run: float = 0.0
    of_step: float = 0.0

    def run(self, run_id: str, rng: np.random.Generator) -> tuple[PastRun, list[PastExecution]]:
        """One run as it comes: places are taken by items in order as they become free."""
        luck = rng.standard_normal()
        ends: dict[str, float] = {}
        steps: dict[str, PastStep] = {}
        executions: list[PastExecution] = []
        for name, step in self.steps.items():
            ready = max((ends[other] for other in step.upstream), default=0.0)
            started = ready + rng.exponential(2.0)
            times = self._times(step, luck, rng)
            ends[name] = started + _elapsed(times, step.parallel)
            steps[name] = PastStep(len(times), started, ends[name], sum(times))
            executions += [
                PastExecution(run_id, "t", name, True, time_ms) for time_ms in times[:ITEMS_KEPT]
            ]
        return PastRun(run_id, steps), executions

    def _times(self, step: TrueStep, luck: float, rng: np.random.Generator) -> list[float]:
        of_step = rng.standard_normal()
        shared = math.sqrt(self.of_run) * luck + math.sqrt(self.of_step) * of_step
        own = math.sqrt(1 - self.of_run - self.of_step)
        return [step.time(shared + own * rng.standard_normal()) for _ in range(step.items(rng))]

    def text(self) -> str:
        """The chain as a person would write it."""
        lines = ["inputs: {l: {type: array, default: [], description: L}}", "steps:"]
        for name, step in self.steps.items():
            more = f", needs: [{', '.join(step.upstream)}]" if step.upstream else ""
            if step.has_list:
                more += f', foreach: {{in: "$.inputs.l", parallel: {step.parallel}}}'
            lines.append(f"  {name}: {{tool: echo{more}}}")
        return "\n".join(lines)


def _elapsed(times: Sequence[float], parallel: int) -> float:
    places = [0.0] * parallel
    for time_ms in times:
        first = places.index(min(places))
        places[first] += time_ms
    return max(places)


def past_of(chain: TrueChain, runs: int, rng: np.random.Generator) -> ChainPast:
    """Past runs, with the correlation that judgement/chain_past.py would measure in them."""
    found = [chain.run(f"run-{number}", rng) for number in range(runs)]
    executions = tuple(one for _, of_run in found for one in of_run)
    alike = likeness(Member(one.run_id, one.step, one.elapsed_ms) for one in executions)
    return ChainPast(
        executions={("linux/echo@1.0.0", CAPABILITY, PATTERN): executions},
        runs=tuple(run for run, _ in found),
        correlation=Correlation(alike.of_strata, alike.of_members),
    )


class Forecaster:
    """Forecasts of one chain from different pasts, without planning it each time."""

    def __init__(self, chain: TrueChain) -> None:
        self._snapshot = make_snapshot(make_tool())
        self._plan = build_plan(make_chain(chain.text()), self._snapshot)
        self._lock = resolve_run_lock(self._plan, self._snapshot, IDENTITY, {})

    def forecast(self, past: ChainPast) -> ChainForecast:
        """The forecast of the next run."""
        return forecast_chain(self._plan, self._lock, self._snapshot, past)


def end_of(run: PastRun) -> float:
    """Milliseconds from its start to the end of its last step."""
    return max(step.finished_ms for step in run.steps.values())


def line_of(count: int, time: Time) -> dict[str, TrueStep]:
    """Steps one after another."""
    return {f"s{n}": TrueStep(time, (f"s{n - 1}",) if n else ()) for n in range(count)}


def fan_of(count: int, time: Time) -> dict[str, TrueStep]:
    """One step, then many beside each other, then one that waits for all."""
    branches = {f"b{n}": TrueStep(time, ("first",)) for n in range(count)}
    return {"first": TrueStep(time), **branches, "last": TrueStep(time, tuple(branches))}
