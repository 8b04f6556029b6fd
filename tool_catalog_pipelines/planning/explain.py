"""A plan as text for people and as JSON for programs: the same plan that is compiled.

Does not belong here: making the plan (build.py) and its numbers (forecast.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogSnapshot
from tool_catalog_pipelines.planning.forecast import Forecast, StepForecast, forecast
from tool_catalog_pipelines.planning.plan import (
    Constant,
    ListOf,
    MappingOf,
    Plan,
    PlanStep,
    Reference,
    Template,
    ValueExpr,
)


def plan_as_text(plan: Plan, snapshot: CatalogSnapshot | None) -> str:
    """The whole plan on one page; with a snapshot also what it is likely to take."""
    lines = [
        f"chain {plan.chain} {plan.version}   plan {plan.fingerprint[:12]}",
        f"{plan.description}",
        "",
        *_inputs(plan),
    ]
    for number, level in enumerate(plan.levels, 1):
        lines.append(f"level {number}")
        for step_id in level:
            lines += [f"  {line}" for line in _step(plan.step(step_id))]
    if plan.outputs:
        lines.append("outputs")
        lines += [f"  {name}: {_value(ref)}" for name, ref in plan.outputs.items()]
    if snapshot is not None:
        lines += ["", *_forecast(forecast(plan, snapshot))]
    return "\n".join(lines)


def plan_as_json(plan: Plan, snapshot: CatalogSnapshot | None) -> dict[str, Any]:
    """The plan with stable keys; `forecast` is null without a snapshot."""
    return {
        "chain": plan.chain,
        "version": plan.version,
        "fingerprint": plan.fingerprint,
        "description": plan.description,
        "inputs": {name: spec.type for name, spec in plan.inputs.items()},
        "levels": [list(level) for level in plan.levels],
        "steps": [_step_json(step) for step in plan.steps],
        "outputs": {name: _value(ref) for name, ref in plan.outputs.items()},
        "forecast": _forecast_json(forecast(plan, snapshot)) if snapshot is not None else None,
    }


def _inputs(plan: Plan) -> Iterator[str]:
    for name, spec in plan.inputs.items():
        default = "required" if spec.is_required else f"default {spec.default!r}"
        yield f"input {name}: {spec.type}, {default}. {spec.description}"


def _step(step: PlanStep) -> Iterator[str]:
    what = f"{step.tool} {step.capability}/{step.pattern}" if step.tool else "transform"
    yield f"{step.id}: {what}"
    if step.when is not None:
        yield f"    when {step.when}"
    if step.foreach is not None:
        yield (
            f"    for each {step.foreach.as_} in {step.foreach.path} "
            f"(at most {step.foreach.max}, {step.foreach.parallel} at a time)"
        )
    for name, value in step.arguments.items():
        yield f"    {name} = {_value(value)}"
    if step.needs:
        yield f"    after {', '.join(step.needs)}"
    limits = [f"time limit {step.timeout_s:g} s"] if step.timeout_s else []
    if step.retry.attempts > 1:
        limits.append(f"up to {step.retry.attempts} attempts on {', '.join(step.retry.on)}")
    if step.on_error == "continue":
        limits.append("goes on after an error")
    if limits:
        yield f"    {'; '.join(limits)}"


def _value(value: ValueExpr) -> str:
    if isinstance(value, Constant):
        return repr(value.value)
    if isinstance(value, Template):
        return value.text
    if isinstance(value, Reference):
        default = f", else {value.default!r}" if value.has_default else ""
        return f"{value.step} {value.path}{default}"
    if isinstance(value, MappingOf):
        return f"{{{', '.join(f'{k}: {_value(v)}' for k, v in value.fields.items())}}}"
    return f"[{', '.join(map(_value, _elements(value)))}]"


def _elements(value: ListOf) -> tuple[ValueExpr, ...]:
    return value.elements


def _forecast(found: Forecast) -> Iterator[str]:
    yield "forecast"
    for step in found.steps:
        if step.time_ms.basis != "none needed":
            yield f"  {step.step}: {_time(step)} ({step.time_ms.origin})"
    yield f"  critical path {found.elapsed_ms:,.0f} ms: {' -> '.join(found.critical_path)}"
    yield f"  total work {found.work_ms:,.0f} ms, cost {found.cost_units:g} units"
    if found.unknown_time:
        yield f"  without a known time, counted as 0: {', '.join(found.unknown_time)}"
    if found.upper_bounds:
        yield f"  counted with their greatest number of items: {', '.join(found.upper_bounds)}"
    if found.conditional:
        yield f"  counted although they run on a condition only: {', '.join(found.conditional)}"


def _time(step: StepForecast) -> str:
    if step.elapsed_ms is None:
        return "time unknown"
    times = f" in {step.executions} executions" if step.executions > 1 else ""
    return f"{step.elapsed_ms:,.1f} ms{times}"


def _step_json(step: PlanStep) -> dict[str, Any]:
    return {
        "step": step.id,
        "kind": step.kind,
        "tool": str(step.tool) if step.tool else None,
        "capability": step.capability,
        "pattern": step.pattern,
        "arguments": {name: _value(value) for name, value in step.arguments.items()},
        "foreach": step.foreach.path if step.foreach else None,
        "when": step.when,
        "data_from": list(step.data_from),
        "needs": list(step.needs),
        "timeout_s": step.timeout_s,
        "attempts": step.retry.attempts,
        "on_error": step.on_error,
    }


def _forecast_json(found: Forecast) -> dict[str, Any]:
    return {
        "critical_path": list(found.critical_path),
        "elapsed_ms": found.elapsed_ms,
        "work_ms": found.work_ms,
        "cost_units": found.cost_units,
        "unknown_time": list(found.unknown_time),
        "upper_bounds": list(found.upper_bounds),
        "conditional": list(found.conditional),
    }
