"""Intervals, and what they become inside a branch because its condition holds or does not hold.

Only comparisons of a variable with a number narrow its range; all else leaves it as it is, which
is never wrong. Does not belong here: calculating with intervals (intervals.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from tool_catalog_pipelines.expressions import scalar
from tool_catalog_pipelines.expressions.tree import (
    Comparison,
    Logic,
    Name,
    Node,
    Unary,
    walk,
)

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `low` to `high`, both finite."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    @property
    def is_point(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def holds(self, value: float) -> bool:
        """Whether a value is inside."""
        return self.low <= value <= self.high


Ranges = Mapping[str, Interval]


def narrowed(condition: Node, wanted: bool, ranges: Ranges) -> Ranges:
    """The ranges where a condition holds, or with `wanted` false where it does not."""
    match condition:
        case Unary(symbol="not"):
            return narrowed(condition.operand, not wanted, ranges)
        case Logic(symbol=symbol) if (symbol == "and") == wanted:
            for part in condition.parts:
                ranges = narrowed(part, wanted, ranges)
        case Comparison() if wanted or len(condition.symbols) == 1:
            pairs = zip(condition.symbols, pairwise(condition.operands), strict=True)
            for symbol, (left, right) in pairs:
                ranges = _compared(symbol if wanted else _OPPOSITE[symbol], left, right, ranges)
        case _:
            pass
    return ranges


def threshold(condition: Node) -> tuple[str, str, float] | None:
    """Name, symbol and number of a comparison of a variable with a number; else None."""
    if not isinstance(condition, Comparison) or len(condition.symbols) != 1:
        return None
    left, right = condition.operands
    symbol = condition.symbols[0]
    if not isinstance(left, Name):
        left, right, symbol = right, left, _MIRRORED[symbol]
    if not isinstance(left, Name) or any(isinstance(part, Name) for part in walk(right)):
        return None
    return left.name, symbol, scalar.evaluate(right, {})


def _compared(symbol: str, left: Node, right: Node, ranges: Ranges) -> Ranges:
    found = threshold(Comparison((left, right), (symbol,)))
    if found is None or found[0] not in ranges:
        return ranges
    name, symbol, number = found
    low, high = ranges[name].low, ranges[name].high
    if symbol in (">", ">=", "=="):
        low = max(low, number)
    if symbol in ("<", "<=", "=="):
        high = min(high, number)
    return {**ranges, name: Interval(low, high)} if low <= high else ranges
