"""Whether an estimate grows with a variable, found from its tree and the ranges of variables.

A claim holds for every value in the ranges; where none can be made the answer is "unknown", which
says nothing. Does not belong here: how fast it grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.intervals import certainty, interval
from tool_catalog_pipelines.expressions.narrowing import Interval, Ranges, narrowed, threshold
from tool_catalog_pipelines.expressions.tree import (
    Binary,
    Call,
    Choice,
    Name,
    Node,
    Unary,
    walk,
)

Growth = Literal["constant", "increasing", "decreasing", "unknown"]
"""Increasing means: never falls. Decreasing means: never rises."""

_OPPOSITE: Mapping[Growth, Growth] = {"increasing": "decreasing", "decreasing": "increasing"}


def growth(node: Node, name: str, ranges: Ranges) -> Growth:
    """How the value of a tree moves when one variable rises and all others stay."""
    try:
        interval(node, ranges)
        return _growth(node, name, ranges)
    except ExpressionError:
        return "unknown"


def _growth(node: Node, name: str, ranges: Ranges) -> Growth:
    found: Growth = "unknown"
    match node:
        case _ if not _depends(node, name):
            found = "constant"
        case Name():
            found = "increasing"
        case Unary(symbol="-"):
            found = _turned(_growth(node.operand, name, ranges))
        case Binary():
            found = _binary(node, name, ranges)
        case Call():
            found = _call(node, name, ranges)
        case Choice():
            found = _choice(node, name, ranges)
        case _:
            pass
    return found


def _depends(node: Node, name: str) -> bool:
    return any(isinstance(part, Name) and part.name == name for part in walk(node))


def _turned(found: Growth) -> Growth:
    return _OPPOSITE.get(found, found)


def _together(parts: Sequence[Growth]) -> Growth:
    """What holds of a sum, or of the greater of several."""
    moving: list[Growth] = [part for part in parts if part != "constant"]
    if not moving:
        return "constant"
    is_one = all(part == moving[0] for part in moving)
    return moving[0] if is_one else "unknown"


def _times(found: Growth, factor: Interval) -> Growth:
    """What remains of a growth after a multiplication with numbers of an interval."""
    if found == "constant" or factor == Interval(0.0, 0.0):
        return "constant"
    if factor.low >= 0:
        return found
    return _turned(found) if factor.high <= 0 else "unknown"


def _binary(node: Binary, name: str, ranges: Ranges) -> Growth:
    left, right = _growth(node.left, name, ranges), _growth(node.right, name, ranges)
    if node.symbol == "+":
        return _together((left, right))
    if node.symbol == "-":
        return _together((left, _turned(right)))
    first, second = interval(node.left, ranges), interval(node.right, ranges)
    match node.symbol:
        case "*":
            return _together((_times(left, second), _times(right, first)))
        case "/" | "//":
            return _together((_times(left, second), _turned(_times(right, first))))
        case "**":
            return _power(left, right, first, second)
        case _:
            return _remainder(left, right, first, second)


def _power(left: Growth, right: Growth, base: Interval, exponent: Interval) -> Growth:
    """d(x**y) = y * x**(y-1) * dx + ln(x) * x**y * dy."""
    if right == "constant" and exponent.is_point and exponent.low.is_integer():
        is_odd = exponent.low % 2 == 1
        if exponent.low > 0:
            return left if is_odd else _times(left, base)
        return _times(left, Interval(-1.0, -1.0) if is_odd else Interval(-base.high, -base.low))
    if base.low < 0:
        return "unknown"
    if right == "constant":
        return _times(left, exponent)
    # Of zero to the power of zero and of more the first is 1, so that rising is not sure there.
    if base.low <= 0:
        return "unknown"
    return _together((_times(left, exponent), _times(right, Interval(base.low - 1, base.high - 1))))


def _remainder(left: Growth, right: Growth, value: Interval, divisor: Interval) -> Growth:
    """Only within one turn the remainder moves as the value does."""
    if right != "constant" or not divisor.is_point:
        return "unknown"
    is_one_turn = value.low // divisor.low == value.high // divisor.low
    return left if is_one_turn else "unknown"


def _call(node: Call, name: str, ranges: Ranges) -> Growth:
    parts: list[Growth] = [_growth(argument, name, ranges) for argument in node.arguments]
    if node.name == "abs":
        return _times(parts[0], interval(node.arguments[0], ranges))
    if node.name == "log" and len(parts) == 2:
        value, base = (interval(argument, ranges) for argument in node.arguments)
        of_value = _times(parts[0], Interval(base.low - 1, base.high - 1))
        # The logarithm of more than 1 falls when the base grows, that of less rises.
        of_base = _times(parts[1], Interval(value.low - 1, value.high - 1))
        return _together((of_value, _turned(of_base)))
    return _together(parts)


def _choice(node: Choice, name: str, ranges: Ranges) -> Growth:
    is_certain = certainty(node.condition, ranges)
    if is_certain is not None:
        return _growth(node.then if is_certain else node.otherwise, name, ranges)
    inside = narrowed(node.condition, True, ranges), narrowed(node.condition, False, ranges)
    parts = _growth(node.then, name, inside[0]), _growth(node.otherwise, name, inside[1])
    if not _depends(node.condition, name):
        return _together(parts)
    found = threshold(node.condition)
    if found is None or found[0] != name or found[1] in ("==", "!="):
        return "unknown"
    values = interval(node.then, inside[0]), interval(node.otherwise, inside[1])
    below, above = values if found[1] in ("<", "<=") else values[::-1]
    return _together((*parts, _step(below, above)))


def _step(below: Interval, above: Interval) -> Growth:
    """What happens at the threshold between two branches."""
    if below.high <= above.low:
        return "increasing"
    return "decreasing" if below.low >= above.high else "unknown"
