"""What can be said of an estimate besides its value: tree with values, interval and growth.

Does not belong here: how it is shown (cli/).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import Expression
from tool_catalog_pipelines.expressions.narrowing import Interval
from tool_catalog_pipelines.expressions.render import render
from tool_catalog_pipelines.expressions.scalar import evaluate, holds
from tool_catalog_pipelines.expressions.tree import Comparison, Logic, Node, Unary, children
from tool_catalog_pipelines.expressions.variables import Declared

Span = tuple[float, float]


def explain(
    expression: Expression,
    values: Mapping[str, float],
    defaulted: Collection[str],
    given: Mapping[str, Span],
    declared: Mapping[str, Declared],
) -> dict[str, Any]:
    """The explanation as a document.

    The interval is taken over the ranges that are given; else a variable stays at its value, or,
    where that is only its default, goes through its declared range. Growth with a variable is
    judged over the range given, else declared, else from 0 to 1e12, the others as given.

    Args:
        expression: what to explain.
        values: of all variables, with the defaults.
        defaulted: the variables that took their default.
        given: ranges.
        declared: the variables that are declared.
    """
    points = {name: Interval(value, value) for name, value in values.items()}
    open_ones = {name: Interval(*declared[name].range) for name in defaulted}
    spans = {name: Interval(*ends) for name, ends in given.items()}
    return {
        "class": expression.kind,
        "rendered": expression.render(),
        "free_variables": sorted(expression.free_variables),
        "interval": _interval(expression, {**points, **open_ones, **spans}),
        "variables": {
            name: _variable(expression, name, {**points, **spans}, declared)
            for name in sorted(expression.free_variables)
        },
        "tree": _tree(expression.root, values),
    }


def _interval(expression: Expression, ranges: Mapping[str, Interval]) -> dict[str, Any]:
    try:
        found = expression.interval(ranges)
    except ExpressionError as error:
        return {"reason": error.message}
    return {"low": found.low, "high": found.high}


def _variable(
    expression: Expression,
    name: str,
    ranges: Mapping[str, Interval],
    declared: Mapping[str, Declared],
) -> dict[str, Any]:
    """Growth with one variable through its whole range, while the others stay in theirs."""
    span = ranges[name]
    if span.is_point:
        span = Interval(*(declared[name].range if name in declared else (0.0, 1e12)))
    found = expression.growth(name, {**ranges, name: span})
    unit = declared[name].unit if name in declared else ""
    return {"growth": found, "range": [span.low, span.high], "unit": unit}


def _tree(node: Node, values: Mapping[str, float]) -> dict[str, Any]:
    """Each part with its value; a part that was not needed may have none."""
    value: float | bool | None
    try:
        is_test = isinstance(node, Comparison | Logic) or (
            isinstance(node, Unary) and node.symbol == "not"
        )
        value = holds(node, values) if is_test else evaluate(node, values)
    except ExpressionError:
        value = None
    parts = [_tree(child, values) for child in children(node)]
    return {"part": render(node), "value": value, "known": value is not None, "parts": parts}
