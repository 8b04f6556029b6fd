"""What each part of a condition is worth in a context.

Three values: true, false and unknown (MISSING), combined as Kleene does. Every part is evaluated
once, nothing has side effects, and no data of a context makes it fail. Does not belong here: saying
why (condition_reasons.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from tool_catalog_pipelines.expressions import scalar
from tool_catalog_pipelines.expressions.condition_functions import FUNCTIONS, MISSING, contains
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.expressions.regexes import Deadline, SlowRegexError
from tool_catalog_pipelines.expressions.tree import (
    CONSTANTS,
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    ListOf,
    Logic,
    Name,
    Node,
    Path,
    Unary,
    children,
)

Context = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Valued:
    """A part of a condition with its value and the values of its own parts."""

    node: Node
    value: Any
    parts: tuple[Valued, ...]

    @property
    def truth(self) -> bool | None:
        """Whether it holds; None where that is unknown."""
        return truth(self.value)


def truth(value: Any) -> bool | None:
    """Three-valued truth: missing is unknown; zero, empty and null are false."""
    return None if value is MISSING else bool(value)


def valued(node: Node, context: Context, deadline: Deadline) -> Valued:
    """The value of a tree and of all its parts; past the deadline what is left is unknown."""
    parts = tuple(valued(child, context, deadline) for child in children(node))
    try:
        deadline.left_s()
        value = _value(node, parts, context, deadline)
    except (ExpressionError, SlowRegexError, RecursionError):
        value = MISSING
    return Valued(node, value, parts)


def compare(symbol: str, left: Any, right: Any) -> Any:
    """One comparison; values of different kinds cannot be ordered, which is unknown."""
    if left is MISSING or right is MISSING:
        return MISSING
    try:
        return _compared(symbol, left, right)
    except RecursionError:  # lists within lists within lists
        return MISSING


def _compared(symbol: str, left: Any, right: Any) -> Any:
    if symbol == "in":
        return contains(right, left)
    if symbol == "not in":
        return opposite(contains(right, left))
    if symbol in ("==", "!="):
        return (left == right) == (symbol == "==")
    both_numbers = _is_number(left) and _is_number(right)
    if not both_numbers and not (isinstance(left, str) and isinstance(right, str)):
        return MISSING
    return scalar.ORDERS[symbol](left, right)


def compared(node: Comparison, values: Sequence[Any]) -> list[Any]:
    """What each comparison of a chain gives."""
    pairs = pairwise(values)
    return [compare(symbol, *pair) for symbol, pair in zip(node.symbols, pairs, strict=True)]


def opposite(value: Any) -> Any:
    """`not`; of unknown, unknown."""
    return MISSING if value is MISSING else not value


def _value(node: Node, parts: Sequence[Valued], context: Context, deadline: Deadline) -> Any:
    match node:
        case Constant():
            value = node.value
        case Name():
            value = _known(_named(node.name, context))
        case Path():
            value = _found(node.path, context)
        case Choice():
            value = _chosen(parts)
        case _:
            value = _combination(node, [part.value for part in parts], deadline)
    return value


def _combination(
    node: ListOf | Logic | Comparison | Unary | Binary | Call, values: list[Any], deadline: Deadline
) -> Any:
    match node:
        case ListOf():
            return MISSING if any(value is MISSING for value in values) else values
        case Logic(symbol=symbol):
            return _combined(symbol, values)
        case Comparison():
            return _combined("and", compared(node, values))
        case Unary(symbol="not"):
            return opposite(values[0])
        case Unary() | Binary() | Call():
            return _computed(node, values, deadline)


def _combined(symbol: str, values: Sequence[Any]) -> Any:
    truths = [truth(value) for value in values]
    decisive = symbol == "or"
    if decisive in truths:
        return decisive
    return MISSING if None in truths else not decisive


def _chosen(parts: Sequence[Valued]) -> Any:
    condition, then, otherwise = parts
    if condition.truth is None:
        return MISSING
    return then.value if condition.truth else otherwise.value


def _computed(node: Unary | Binary | Call, values: list[Any], deadline: Deadline) -> Any:
    if isinstance(node, Call) and node.name in FUNCTIONS:
        return _known(FUNCTIONS[node.name](values, deadline))
    if not all(_is_number(value) for value in values):
        return MISSING
    numbers = [scalar.finite_number(value, "here") for value in values]
    if isinstance(node, Binary):
        return scalar.operate(node.symbol, numbers[0], numbers[1])
    return scalar.call(node.name, numbers) if isinstance(node, Call) else -numbers[0]


def _named(name: str, context: Context) -> Any:
    """The value of a dotted name; pi and e where the context has no such name."""
    value: Any = context
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return MISSING
        value = cast("Mapping[str, Any]", value).get(part, MISSING)
    return CONSTANTS.get(name, MISSING) if value is MISSING else value


def _found(path: str, context: Context) -> Any:
    """No match is missing, one match its value, more a list."""
    found = find_values(path, context)
    if not found:
        return MISSING
    return _known(found[0]) if len(found) == 1 else found


def _known(value: Any) -> Any:
    """A number that is not finite says nothing."""
    return MISSING if isinstance(value, float) and not math.isfinite(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
