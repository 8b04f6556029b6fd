"""Values of estimate variables that are known before a run, from what the chain says.

Known are: constants among the arguments, inputs of the chain that have a default, and defaults of
the tool's inputs. Everything else takes the variable's own default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.planning.placeholders import Placeholder, template_parts
from tool_catalog_pipelines.planning.plan import INPUTS, Constant, Plan, PlanStep, Template
from tool_catalog_pipelines.spec.tool import PatternSpec, VariableSpec


def variables_before(plan: Plan, step: PlanStep, pattern: PatternSpec) -> dict[str, float]:
    """Every variable of a pattern, from the inputs known while planning or its default.

    Values are clamped to the variable's range.
    """
    document = {INPUTS: known_inputs(plan, step, pattern)}
    return {name: _before(spec, document) for name, spec in pattern.variables.items()}


def known_inputs(plan: Plan, step: PlanStep, pattern: PatternSpec) -> dict[str, Any]:
    """The tool's inputs whose values are certain unless the run overrides a chain default."""
    known = {
        name: declared.default
        for name, declared in pattern.inputs.items()
        if declared.default is not None and name not in step.arguments
    }
    for name, value in step.arguments.items():
        if isinstance(value, Constant):
            known[name] = value.value
        elif isinstance(value, Template):
            known |= _from_chain_default(plan, name, value.text)
    return known


def _from_chain_default(plan: Plan, name: str, text: str) -> dict[str, Any]:
    """The value of a text that is one placeholder for a chain input with a default."""
    match template_parts(text):
        case (Placeholder(root="inputs", fields=(field,)),) if field in plan.inputs:
            declared = plan.inputs[field]
            return {} if declared.is_required else {name: declared.default}
        case _:
            return {}


def _before(spec: VariableSpec, document: Mapping[str, Any]) -> float:
    value = _number_at(spec.before, document) if spec.before else None
    low, high = spec.range
    return min(max(spec.default if value is None else value, low), high)


def _number_at(path: str, document: Mapping[str, Any]) -> float | None:
    try:
        values = find_values(path, document)
    except ExpressionError:
        return None
    match values:
        case [int() | float() as number] if not isinstance(number, bool):
            return float(number)
        case _:
            return None
