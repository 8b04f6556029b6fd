"""A plan as text for people and as JSON for programs, with the forecast beside it.

Walks the same plan that is compiled. Words are in wording.py, layout in explain_text.py.
"""

from __future__ import annotations

from typing import Any

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.planning.explain_text import text_lines
from tool_catalog_pipelines.planning.fingerprint import expression_as_json
from tool_catalog_pipelines.planning.forecast import Figure, Forecast, StepForecast, forecast
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.planning.step_view import StepView, step_views
from tool_catalog_pipelines.planning.wording import policy_notes
from tool_catalog_pipelines.spec.chain import ChainInputSpec


def plan_as_text(plan: Plan, snapshot: CatalogSnapshot | None) -> str:
    """The plan as a person reads it.

    Without a snapshot it holds no more than the plan: no effects, policies and forecast.
    """
    expected = None if snapshot is None else forecast(plan, snapshot)
    return "\n".join(text_lines(plan, step_views(plan, snapshot), expected))


def plan_as_json(plan: Plan, snapshot: CatalogSnapshot | None) -> dict[str, Any]:
    """The plan as a JSON-ready mapping; keys are always there, null where nothing applies."""
    expected = None if snapshot is None else forecast(plan, snapshot)
    return {
        "chain": plan.chain,
        "version": plan.version,
        "description": plan.description,
        "fingerprint": plan.fingerprint,
        "position": str(plan.position) if plan.position else None,
        "inputs": {name: _input(spec) for name, spec in plan.inputs.items()},
        "levels": [list(level) for level in plan.levels],
        "steps": [_step(view) for view in step_views(plan, snapshot)],
        "outputs": {name: expression_as_json(ref) for name, ref in plan.outputs.items()},
        "schedule": plan.schedule.model_dump(mode="json") if plan.schedule else None,
        "parallel": plan.parallel,
        "tags": dict(plan.tags),
        "forecast": _forecast(expected) if expected else None,
    }


def _input(spec: ChainInputSpec) -> dict[str, Any]:
    return {
        **spec.model_dump(mode="json"),
        "required": spec.is_required,
        "default": None if spec.is_required else spec.default,
    }


def _step(view: StepView) -> dict[str, Any]:
    step, foreach = view.step, view.step.foreach
    return {
        "id": step.id,
        "level": view.level,
        "kind": step.kind,
        "description": step.description,
        "tool": str(step.tool) if step.tool else None,
        "capability": step.capability or None,
        "pattern": step.pattern or None,
        "now": _tool_now(view),
        "trouble": view.trouble or None,
        "arguments": {name: expression_as_json(value) for name, value in step.arguments.items()},
        "foreach": (
            {
                "in": foreach.path,
                "as": foreach.as_,
                "max": foreach.max,
                "parallel": foreach.parallel,
            }
            if foreach
            else None
        ),
        "when": step.when,
        "data_from": list(step.data_from),
        "needs": list(step.needs),
        "timeout_s": step.timeout_s,
        "retry": step.retry.model_dump(mode="json") if step.retry else None,
        "on_error": step.on_error,
        "position": str(step.position) if step.position else None,
    }


def _tool_now(view: StepView) -> dict[str, Any] | None:
    """What the catalogue says about the step's tool at this moment."""
    if view.tool is None or view.pattern is None:
        return None
    return {
        "version": view.tool.spec.version,
        "effects": view.pattern.effects,
        "policy": view.pattern.policy.model_dump(mode="json"),
        "policy_notes": list(policy_notes(view.pattern.policy)),
        "needs_approval": view.needs_approval,
        "experiment": view.experiment.experiment if view.experiment else None,
    }


def _forecast(expected: Forecast) -> dict[str, Any]:
    return {
        "critical_path": list(expected.critical_path),
        "elapsed_ms": expected.elapsed_ms,
        "work_ms": expected.work_ms,
        "cost_units": expected.cost_units,
        "unknown_time": list(expected.unknown_time),
        "unknown_cost": list(expected.unknown_cost),
        "upper_bounds": list(expected.upper_bounds),
        "conditional": list(expected.conditional),
        "steps": {step.step: _step_forecast(step) for step in expected.steps},
    }


def _step_forecast(step: StepForecast) -> dict[str, Any]:
    return {
        "executions": step.executions,
        "rounds": step.rounds,
        "is_upper_bound": step.is_upper_bound,
        "is_conditional": step.is_conditional,
        "elapsed_ms": step.elapsed_ms,
        "work_ms": step.work_ms,
        "total_cost_units": step.total_cost_units,
        "time_ms": _figure(step.time_ms),
        "cost_units": _figure(step.cost_units),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "basis": figure.basis,
        "runs": figure.runs,
        "reason": figure.reason or None,
    }
