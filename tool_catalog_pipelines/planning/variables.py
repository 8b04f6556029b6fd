"""Values of estimate variables that are known before a run, from what the chain says.

Known are: constants among the arguments, inputs of the chain that are given or have a default, and
defaults of the tool's inputs. Everything else takes the variable's own default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.planning.placeholders import Placeholder, template_parts
from tool_catalog_pipelines.planning.plan import INPUTS, Constant, Plan, PlanStep, Template
from tool_catalog_pipelines.spec.tool import PatternSpec, VariableSpec


def variables_before(
    plan: Plan, step: PlanStep, pattern: PatternSpec, inputs: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """Every variable of a pattern, from the inputs known while planning or its default.

    Values are clamped to the variable's range.
    """
    known = variables_known(plan, step, pattern, inputs)
    return {
        name: known.get(name, clamped(spec, spec.default))
        for name, spec in pattern.variables.items()
    }


def variables_known(
    plan: Plan, step: PlanStep, pattern: PatternSpec, inputs: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """The variables whose values follow from inputs that are known before the run.

    Args:
        plan: the chain.
        step: the step whose tool is meant.
        pattern: the pattern it uses.
        inputs: what the run is started with; without it the chain's defaults count.
    """
    document = {INPUTS: known_inputs(plan, step, pattern, inputs or {})}
    found = {
        name: _number_at(spec.before, document)
        for name, spec in pattern.variables.items()
        if spec.before
    }
    return {
        name: clamped(pattern.variables[name], value)
        for name, value in found.items()
        if value is not None
    }


def clamped(spec: VariableSpec, value: float) -> float:
    """A value within the range of its variable."""
    low, high = spec.range
    return min(max(value, low), high)


def known_inputs(
    plan: Plan, step: PlanStep, pattern: PatternSpec, inputs: Mapping[str, Any]
) -> dict[str, Any]:
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
            known |= _from_chain_input(plan, name, value.text, inputs)
    return known


def _from_chain_input(
    plan: Plan, name: str, text: str, inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """The value of a text that is one placeholder for a chain input with a value or default."""
    match template_parts(text):
        case (Placeholder(root="inputs", fields=(field,)),) if field in inputs:
            return {name: inputs[field]}
        case (Placeholder(root="inputs", fields=(field,)),) if field in plan.inputs:
            declared = plan.inputs[field]
            return {} if declared.is_required else {name: declared.default}
        case _:
            return {}


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
