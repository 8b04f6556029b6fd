"""What each part of a condition is worth in a context.

Three values: true, false and unknown (MISSING), combined as Kleene does. Every part is evaluated
once, nothing has side effects, and no data of a context makes it fail. Does not belong here: saying
why (condition_reasons.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from tool_catalog_pipelines.expressions import scalar
from tool_catalog_pipelines.expressions.condition_functions import FUNCTIONS, MISSING, contains
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.expressions.jsonpath_steps import Steps
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
WHOLE_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Valued:
    """A part of a condition with its value and the values of its own parts.

    `reason` says why there is no value, where more is known than that something is not there.
    `is_given_up` tells that there may be one, had the limits been wider.
    """

    node: Node
    value: Any
    parts: tuple[Valued, ...]
    reason: str = ""
    is_given_up: bool = False

    @property
    def truth(self) -> bool | None:
        """Whether it holds; None where that is unknown."""
        return truth(self.value)


def truth(value: Any) -> bool | None:
    """Three-valued truth: missing is unknown; zero, empty and null are false."""
    return None if value is MISSING else bool(value)


@dataclass(frozen=True, slots=True)
class Limits:
    """What all parts of a condition may use together.

    `searches` is the time of all regular expressions, `steps` what all paths look at. `whole` is
    the last resort, against comparing the same huge values again and again.
    """

    searches: Deadline = field(default_factory=Deadline)
    steps: Steps = field(default_factory=Steps)
    whole: Deadline = field(default_factory=lambda: Deadline(WHOLE_LIMIT_S))


def valued(node: Node, context: Context, limits: Limits) -> Valued:
    """The value of a tree and of all its parts; past the limits what is left is unknown."""
    parts = tuple(valued(child, context, limits) for child in children(node))
    value, reason, is_limit = MISSING, "", False
    try:
        limits.whole.left_s()
        value = _value(node, parts, context, limits)
    except ExpressionError as error:
        reason, is_limit = error.message, error.code == "limit"
    except SlowRegexError:
        reason, is_limit = "the time limit was hit", True
    except RecursionError:
        reason, is_limit = "it is nested too deeply", True
    given_up = [part for part in parts if part.is_given_up] if value is MISSING else []
    if given_up and not isinstance(node, Logic | Comparison | Choice):
        reason = reason or given_up[0].reason
    return Valued(node, value, parts, reason, is_limit or bool(given_up))


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


def _value(node: Node, parts: Sequence[Valued], context: Context, limits: Limits) -> Any:
    match node:
        case Constant():
            value = node.value
        case Name():
            value = _known(_named(node.name, context))
        case Path():
            value = _found(node.path, context, limits.steps)
        case Choice():
            value = _chosen(parts)
        case Call() if any(part.is_given_up for part in parts):
            value = MISSING  # exists and its kin must not take it for something that is not there
        case _:
            value = _combination(node, [part.value for part in parts], limits.searches)
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
    numbers = [_as_float(value) for value in values]
    if isinstance(node, Binary):
        return scalar.operate(node.symbol, numbers[0], numbers[1])
    return scalar.call(node.name, numbers) if isinstance(node, Call) else -numbers[0]


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ExpressionError("a number is too large to calculate with", code="no_value") from None


def _named(name: str, context: Context) -> Any:
    """The value of a dotted name; pi and e where the context has no such name."""
    value: Any = context
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return MISSING
        value = cast("Mapping[str, Any]", value).get(part, MISSING)
    return CONSTANTS.get(name, MISSING) if value is MISSING else value


def _found(path: str, context: Context, steps: Steps) -> Any:
    """No match is missing, one match its value, more a list."""
    found = find_values(path, context, steps)
    if not found:
        return MISSING
    return _known(found[0]) if len(found) == 1 else found


def _known(value: Any) -> Any:
    """A number that is not finite says nothing."""
    return MISSING if isinstance(value, float) and not math.isfinite(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
