"""Numbers of an attempt: variables before and measured, the estimate, the cost.

Does not belong here: fitting estimates (stats/, judgement/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.spec.tool import CountOf, PatternSpec, PriceSpec, VariableSpec


@dataclass(frozen=True, slots=True)
class Estimated:
    """The estimate of one execution; None where it is unknown."""

    time_ms: float | None
    cost_units: float | None


def variables_before(pattern: PatternSpec, inputs: Mapping[str, Any]) -> dict[str, float]:
    """The value of each variable as far as it is known before the execution."""
    document = {"inputs": dict(inputs)}
    return {
        name: _clamped(spec, _number(spec.before, document), spec.default)
        for name, spec in pattern.variables.items()
    }


def variables_measured(
    pattern: PatternSpec, inputs: Mapping[str, Any], output: Any
) -> dict[str, float]:
    """The true value of each variable that can be measured in inputs and output."""
    document = {"inputs": dict(inputs), "output": output}
    measured = {name: _measured(spec, document) for name, spec in pattern.variables.items()}
    return {name: value for name, value in measured.items() if value is not None}


def estimated(estimate: Estimate | None, variables: Mapping[str, float]) -> Estimated:
    """The estimate for these variables."""
    if estimate is None:
        return Estimated(None, None)
    return Estimated(_value(estimate.time_ms, variables), _value(estimate.cost_units, variables))


def cost_units(
    price: PriceSpec | None, cpu_seconds: float | None, output_bytes: int | None
) -> float | None:
    """What an execution cost; None without a price, never the estimate again."""
    if price is None:
        return None
    cpu = price.per_cpu_second * (cpu_seconds or 0.0)
    return price.per_call + cpu + price.per_output_byte * (output_bytes or 0)


def _measured(spec: VariableSpec, document: Mapping[str, Any]) -> float | None:
    if isinstance(spec.measured, CountOf):
        return float(len(_found(spec.measured.count, document)))
    return _number(spec.measured, document)


def _number(path: str | None, document: Mapping[str, Any]) -> float | None:
    found = _found(path, document) if path else []
    if len(found) != 1 or isinstance(found[0], bool) or not isinstance(found[0], int | float):
        return None
    return float(found[0])


def _found(path: str, document: Mapping[str, Any]) -> list[Any]:
    try:
        return find_values(path, document)
    except ExpressionError:
        return []


def _clamped(spec: VariableSpec, value: float | None, default: float) -> float:
    low, high = spec.range
    return min(max(default if value is None else value, low), high)


def _value(text: str | None, variables: Mapping[str, float]) -> float | None:
    if text is None:
        return None
    try:
        return parse_estimate(text).evaluate(variables)
    except ExpressionError:
        return None
