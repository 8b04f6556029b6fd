"""What a pattern is expected to take, with the basis of every number.

A value comes from who asks, else from the words of the request, else from the default that the
tool declares, else from what is assumed of any request; each says which. A variable that nobody
knows makes the figure unknown and is told, it removes no candidate. Does not belong here: success
rates (success.py), figures of whole chains (planning/forecast.py).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.facts import Basis
from tool_catalog_pipelines.selection.context import DEFAULTS
from tool_catalog_pipelines.spec.tool import VariableSpec

ASSUMED: Mapping[str, float] = {**DEFAULTS, "cost": 1.0, "time_ms": 1000.0}
"""Variables that hold where neither the request nor the tool says anything."""


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a variable, and where it comes from."""

    value: float
    source: str


Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Figure:
    """One expected number; `reason` says why it is unknown."""

    value: float | None
    basis: Basis
    runs: int = 0
    expression: str = ""
    reason: str = ""

    @property
    def origin(self) -> str:
        """`declared`, `recalibrated from n runs`, or `unknown: reason`."""
        if self.value is None:
            return f"unknown: {self.reason}"
        return f"recalibrated from {self.runs} runs" if self.basis == "recalibrated" else self.basis


def names_in(estimate: Estimate) -> frozenset[str]:
    """The variables of both expressions; none of an expression that cannot be read."""
    names: frozenset[str] = frozenset()
    for text in (estimate.time_ms, estimate.cost_units):
        try:
            names |= parse_estimate(text).free_variables if text else frozenset[str]()
        except ExpressionError:
            continue
    return names


def values_for(
    names: frozenset[str], declared: Mapping[str, VariableSpec], asked: Values
) -> dict[str, Value]:
    """The values of variables; those that nobody knows stay away."""
    found: dict[str, Value] = {}
    for name in sorted(names):
        spec = declared.get(name)
        if name in asked:
            found[name] = _within(asked[name], spec)
        elif spec is not None:
            found[name] = Value(spec.default, "the tool's default")
        elif name in ASSUMED:
            found[name] = Value(ASSUMED[name], "assumed")
    return found


def _within(value: Value, spec: VariableSpec | None) -> Value:
    """A value within the range that the tool declares, as everywhere else in the catalogue."""
    if spec is None:
        return value
    low, high = spec.range
    clamped = min(max(value.value, low), high)
    if clamped == value.value:
        return value
    return Value(clamped, f"{value.source}, {value.value:g} brought into the tool's range")


def numbers(values: Values) -> dict[str, float]:
    """Values without where they come from."""
    return {name: one.value for name, one in values.items()}


def expected(text: str | None, known: Mapping[str, float]) -> float | None:
    """The number that one expression of an estimate gives; None if it is unknown."""
    if text is None:
        return None
    try:
        expression = parse_estimate(text)
        if not expression.free_variables <= known.keys():
            return None
        value = expression.evaluate(known)
    except ExpressionError:
        return None
    return value if value >= 0 and math.isfinite(value) else None


def figure(text: str | None, declared: str | None, estimate: Estimate, values: Values) -> Figure:
    """What one expression of an estimate gives, with its basis, or why it is unknown.

    Args:
        text: the expression; None if there is none.
        declared: what the author of the tool wrote in its place.
        estimate: the estimate that it is a part of.
        values: of the variables.
    """
    value = expected(text, numbers(values))
    if text is None or value is None:
        return Figure(None, "unknown", expression=text or "", reason=_why_unknown(text, values))
    return Figure(value, *estimate.basis_of(text, declared), text)


def _why_unknown(text: str | None, values: Values) -> str:
    if text is None:
        return "there is no estimate"
    try:
        expression = parse_estimate(text)
        missing = sorted(expression.free_variables - values.keys())
        if missing:
            return _unknown(missing, values)
        return f"{text} gives {expression.evaluate(numbers(values)):g}"
    except ExpressionError as error:
        return f"{text}: {error.message}"


def _unknown(missing: list[str], values: Values) -> str:
    near = difflib.get_close_matches(missing[0], [*values, *ASSUMED], n=3)
    hint = f" (near: {', '.join(dict.fromkeys(near))})" if near else ""
    return f"{', '.join(missing)} has no value{hint}; give it as a variable"
