"""A chain forecast for people and for programs.

Does not belong here: the forecast itself (chain_forecast.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tool_catalog_pipelines.planning import wording
from tool_catalog_pipelines.planning.simulation.chain_forecast import (
    COVERAGE,
    LEVELS,
    ChainForecast,
    Interval,
    StepEvidence,
)
from tool_catalog_pipelines.planning.simulation.spread import MINIMUM_EXECUTIONS, MINIMUM_RUNS

_TELLING = 0.05
"""Steps that decide less often than this are summed up in one line."""


def forecast_as_json(found: ChainForecast) -> dict[str, Any]:
    """Times in milliseconds; `null` where nothing is known."""
    return {
        "chain": found.chain,
        "version": found.version,
        "fingerprint": found.fingerprint,
        "elapsed_ms": _as_json(found.elapsed_ms),
        "work_ms": _as_json(found.work_ms),
        "cost_units": _as_json(found.cost_units),
        "share_succeeded": found.share_succeeded,
        "ended_runs": found.ended,
        "succeeded_runs": found.succeeded,
        "coverage": COVERAGE,
        "levels": list(LEVELS),
        "past_runs": found.past_runs,
        "executions": found.executions,
        "missing": list(found.missing),
        "threshold": {"executions": MINIMUM_EXECUTIONS, "runs": MINIMUM_RUNS},
        "steps": [
            {
                "step": step.step,
                "tools": list(step.tools),
                "executions": step.executions,
                "runs": step.runs,
                "of_this_step": step.is_of_step,
                "never_ran": step.never_ran,
                "share_critical": step.share_critical,
                "missing": step.missing or None,
            }
            for step in found.steps
        ],
        "estimates": {
            "elapsed_ms": found.figures.elapsed_ms,
            "work_ms": found.figures.work_ms,
            "cost_units": found.figures.cost_units,
            "critical_path": list(found.figures.critical_path),
            "unknown_time": list(found.figures.unknown_time),
            "unknown_cost": list(found.figures.unknown_cost),
            "bases": {
                step.step: {"time": step.time_ms.origin, "cost": step.cost_units.origin}
                for step in found.figures.steps
            },
        },
    }


def forecast_as_text(found: ChainForecast) -> str:
    """What a person wants to know before starting a run, with what it rests on."""
    return "\n".join(_lines(found))


def time_in_words(interval: Interval) -> str:
    """`1.2 s to 1.9 s in 8 of 10 runs, half of all runs under 1.4 s`."""
    low, middle, high = (
        wording.duration(value) for value in (interval.low, interval.middle, interval.high)
    )
    return f"{low} to {high} in 8 of 10 runs, half of all runs under {middle}"


def forecast_in_a_line(found: ChainForecast) -> str:
    """For a log: what is expected, or that nothing is known beyond the estimates."""
    if found.elapsed_ms is None:
        by_estimates = wording.duration(found.figures.elapsed_ms)
        return f"expected to take {by_estimates} by the estimates; too few runs for an interval"
    return f"expected to take {time_in_words(found.elapsed_ms)}; {_basis(found)}"


def _lines(found: ChainForecast) -> Iterator[str]:
    yield f"{found.chain} {found.version}: what the next run will take"
    if found.elapsed_ms is None or found.work_ms is None:
        yield from _without_interval(found)
        return
    yield f"  time     {time_in_words(found.elapsed_ms)} (Dagster's part included)"
    yield f"  work     {time_in_words(found.work_ms)} (all executions added up)"
    yield f"  cost     {_cost(found)}"
    if found.ended:
        yield (
            f"  success  {found.succeeded} of the last {found.ended} runs; "
            "time, work and cost are those of a run that succeeds"
        )
    yield f"  basis    {_basis(found)}"
    if shape := _shape(found):
        yield f"  shape    how often {shape} will run is taken from past runs, whatever the inputs"
    skipped = [step.step for step in found.steps if step.never_ran]
    if skipped:
        yield f"  skipped  {', '.join(skipped)}: in every past run, and counted as skipped"
    by_estimates = wording.duration(found.figures.elapsed_ms)
    yield f"  by the estimates of tools alone, counting every step{_most(found)}: {by_estimates}"
    yield ""
    yield "What decides the time (share of runs in which the end waits for the step; several may)"
    yield from _deciding(found)


def _without_interval(found: ChainForecast) -> Iterator[str]:
    yield (
        f"  time     {wording.duration(found.figures.elapsed_ms)} by the estimates of tools alone; "
        "how far it will vary is not known yet"
    )
    cost = wording.amount(found.figures.cost_units)
    yield f"  cost     {cost} cost units by the estimates, counting every step{_most(found)}"
    yield ""
    yield (
        f"An interval needs {MINIMUM_EXECUTIONS} successful executions of every step's tool "
        f"in {MINIMUM_RUNS} runs. Missing:"
    )
    for line in found.missing:
        yield f"  {line}"
    yield f"Every run brings some: tool-catalog chain run {found.chain}"


def _most(found: ChainForecast) -> str:
    """Estimates know the greatest length of a list only."""
    return " and the longest lists" if found.figures.upper_bounds else ""


def _shape(found: ChainForecast) -> str:
    """Which steps take their number of executions from the past, whatever the inputs are."""
    names = (*found.figures.upper_bounds, *found.figures.conditional)
    return ", ".join(dict.fromkeys(names))


def _cost(found: ChainForecast) -> str:
    interval = found.cost_units
    if interval is None:
        return f"unknown for {', '.join(found.figures.unknown_cost) or 'some steps'}"
    low, high = wording.amount(interval.low), wording.amount(interval.high)
    return f"{low} cost units" if low == high else f"{low} to {high} cost units in 8 of 10 runs"


def _basis(found: ChainForecast) -> str:
    shape = (
        f"{found.past_runs} past runs of the chain"
        if found.past_runs
        else "runs of other chains, as it has too few of its own"
    )
    return f"at least {found.executions} executions of every step; {shape}"


def _deciding(found: ChainForecast) -> Iterator[str]:
    running = [step for step in found.steps if not step.never_ran]
    ranked = sorted(running, key=lambda step: -(step.share_critical or 0.0))
    shown = [step for step in ranked if (step.share_critical or 0.0) >= _TELLING]
    width = max((len(step.step) for step in shown), default=0)
    for step in shown:
        yield f"  {step.step:<{width}}  {step.share_critical or 0.0:>4.0%}  {_evidence(step)}"
    if len(shown) < len(ranked):
        yield f"  hardly ever: {', '.join(step.step for step in ranked[len(shown) :])}"


def _evidence(step: StepEvidence) -> str:
    where = "of this step" if step.is_of_step else "of the tool"
    return f"{' or '.join(step.tools)}, {step.executions} executions {where}"


def _as_json(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {**interval.to_json(), "quantiles": list(interval.quantiles)}
