"""The value of an estimate's tree for one set of variables.

Numbers only: a boolean or a text as a variable is refused, inf and nan are errors with a reason.
Evaluation visits every node once at most, so its time is bounded by the length of the text.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, cast

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.functions import FUNCTIONS, MAX_EXPONENT
from tool_catalog_pipelines.expressions.tree import (
    CONSTANTS,
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Logic,
    Name,
    Node,
    Unary,
)

_ARITHMETIC: Mapping[str, Callable[[float, float], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
}  # fmt: skip
_KINDS: Mapping[type, str] = {
    bool: "a boolean", str: "a text", type(None): "null", list: "a list", dict: "an object",
}  # fmt: skip
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def evaluate(node: Node, variables: Mapping[str, float]) -> float:
    """The value of a tree.

    Raises:
        ExpressionError: unknown variable, division by zero, or a value that is not finite.
    """
    match node:
        case Constant(value=float() as value):
            return value
        case Name():
            return _variable(node, variables)
        case Unary(symbol="-"):
            return -evaluate(node.operand, variables)
        case Binary():
            left, right = evaluate(node.left, variables), evaluate(node.right, variables)
            return operate(node.symbol, left, right, node.column)
        case Call():
            arguments = [evaluate(argument, variables) for argument in node.arguments]
            return call(node.name, arguments, node.column)
        case Choice():
            chosen = node.then if holds(node.condition, variables) else node.otherwise
            return evaluate(chosen, variables)
        case _:
            raise ExpressionError("this is not a number", code="wrong_kind")


def holds(node: Node, variables: Mapping[str, float]) -> bool:
    """Whether the condition of a choice holds; a number other than zero is true."""
    match node:
        case Logic(symbol="and"):
            return all(holds(part, variables) for part in node.parts)
        case Logic():
            return any(holds(part, variables) for part in node.parts)
        case Unary(symbol="not"):
            return not holds(node.operand, variables)
        case Comparison():
            values = [evaluate(operand, variables) for operand in node.operands]
            pairs = pairwise(values)
            return all(
                ORDERS[symbol](*pair) for symbol, pair in zip(node.symbols, pairs, strict=True)
            )
        case _:
            return evaluate(node, variables) != 0


def operate(symbol: str, left: float, right: float, column: int = 1) -> float:
    """Two finite numbers combined.

    Raises:
        ExpressionError: there is no finite result.
    """
    if symbol == "**" and abs(right) > MAX_EXPONENT:
        raise ExpressionError(
            f"the exponent {right:g} is beyond {MAX_EXPONENT:g}", column, code="limit"
        )
    return _finite(_ARITHMETIC[symbol], (left, right), symbol, column)


def call(name: str, arguments: list[float], column: int = 1) -> float:
    """A function of functions.py applied to finite numbers.

    Raises:
        ExpressionError: there is no finite result.
    """
    return _finite(FUNCTIONS[name].call, arguments, name, column)


def finite_number(value: object, name: str, column: int = 1) -> float:
    """A variable's value as a float.

    Raises:
        ExpressionError: it is a boolean, no number, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = _KINDS.get(type(value), f"a {type(value).__name__}")
        message = f"the variable {name} is {kind}, not a number"
        raise ExpressionError(message, column, "give it a number", "wrong_kind")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ExpressionError(f"the variable {name} is not finite", column, code="wrong_kind")
    return number


def _variable(node: Name, variables: Mapping[str, float]) -> float:
    value = cast("object", variables.get(node.name, CONSTANTS.get(node.name)))
    if value is None:
        message = f"the variable {node.name} has no value"
        raise ExpressionError(message, node.column, "give it one", "unknown_name")
    return finite_number(value, node.name, node.column)


def _finite(
    compute: Callable[..., Any], numbers: list[float] | tuple[float, ...], what: str, column: int
) -> float:
    try:
        value = cast("object", compute(*numbers))  # a power of a negative number may be complex
    except ZeroDivisionError as error:
        hint = "keep what divides away from 0, for example with max(x, 1)"
        raise ExpressionError("division by zero", column, hint, "no_value") from error
    except OverflowError as error:
        message = f"{what} has no value here: the result is too large"
        raise ExpressionError(message, column, code="no_value") from error
    except ValueError as error:
        given = ", ".join(f"{number:g}" for number in numbers)
        message = f"{what} has no value here: it is not defined for {given}"
        raise ExpressionError(message, column, code="no_value") from error
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    gives = "a complex number" if isinstance(value, complex) else str(value)
    message = f"{what} gives {gives}, which is not a finite number"
    raise ExpressionError(message, column, code="no_value")
