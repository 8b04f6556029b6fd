"""The immutable tree of an estimate expression, its evaluation and its text form.

Numbers only: a boolean or a text as a variable is refused, inf and nan are errors with a reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.expressions.errors import ExpressionError

MAX_EXPONENT = 100.0
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: float


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable by name."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operator or comparison."""

    symbol: str
    left: Node
    right: Node
    column: int


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function of FUNCTIONS with its arguments."""

    name: str
    arguments: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


Node = Number | Variable | Operation | Negation | Call | Choice


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def _round(value: float, digits: float = 0) -> float:
    return round(value, int(digits))


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    "log": (math.log, 1, 2), "log2": (math.log2, 1, 1), "log10": (math.log10, 1, 1),
    "sqrt": (math.sqrt, 1, 1), "exp": (math.exp, 1, 1), "min": (min, 1, 20), "max": (max, 1, 20),
    "abs": (abs, 1, 1), "ceil": (math.ceil, 1, 1), "floor": (math.floor, 1, 1),
    "round": (_round, 1, 2), "clamp": (_clamp, 3, 3),
}  # fmt: skip
"""Function, fewest and most arguments, by name."""

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "**": lambda a, b: a**b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}  # fmt: skip


def evaluate(node: Node, variables: Mapping[str, float]) -> float:
    """The value of a tree.

    Raises:
        ExpressionError: unknown variable, division by zero, or a value that is not finite.
    """
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Variable):
        return _variable(node, variables)
    if isinstance(node, Negation):
        return -evaluate(node.operand, variables)
    if isinstance(node, Choice):
        branch = node.then if evaluate(node.condition, variables) else node.otherwise
        return evaluate(branch, variables)
    if isinstance(node, Call):
        arguments = [evaluate(argument, variables) for argument in node.arguments]
        return _finite(lambda: FUNCTIONS[node.name][0](*arguments), node.name, node.column)
    return _operate(node, evaluate(node.left, variables), evaluate(node.right, variables))


def _variable(node: Variable, variables: Mapping[str, float]) -> float:
    value = cast("object", variables.get(node.name, CONSTANTS.get(node.name)))
    if value is None:
        raise ExpressionError(f"the variable {node.name} has no value", node.column, "give it one")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"the variable {node.name} is not a number", node.column)
    if not math.isfinite(value):
        raise ExpressionError(f"the variable {node.name} is not finite", node.column)
    return float(value)


def _operate(node: Operation, left: float, right: float) -> float:
    if node.symbol == "**" and abs(right) > MAX_EXPONENT:
        raise ExpressionError(f"the exponent {right:g} is beyond {MAX_EXPONENT:g}", node.column)
    return _finite(lambda: _OPERATORS[node.symbol](left, right), node.symbol, node.column)


def _finite(compute: Callable[[], float], what: str, column: int) -> float:
    try:
        value = cast("object", compute())  # a power of a negative number is complex
    except ZeroDivisionError as error:
        raise ExpressionError("division by zero", column) from error
    except (ValueError, OverflowError) as error:
        raise ExpressionError(f"{what} has no value here: {error}", column) from error
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise ExpressionError(f"{what} gives {value}, which is not a finite number", column)


def render(node: Node) -> str:
    """Text that parses to the same tree (every operation in parentheses except at the top)."""
    text = _render(node)
    return text[1:-1] if isinstance(node, Operation | Choice) else text


def _render(node: Node) -> str:
    if isinstance(node, Number):
        return f"{node.value:.12g}"
    if isinstance(node, Variable):
        return node.name
    if isinstance(node, Negation):
        return f"-{_render(node.operand)}"
    if isinstance(node, Call):
        return f"{node.name}({', '.join(render(a) for a in node.arguments)})"
    if isinstance(node, Choice):
        parts = [_render(part) for part in (node.then, node.condition, node.otherwise)]
        return f"({parts[0]} if {parts[1]} else {parts[2]})"
    return f"({_render(node.left)} {node.symbol} {_render(node.right)})"
