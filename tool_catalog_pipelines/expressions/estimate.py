"""Estimate expressions: text -> immutable `Expression` with everything that can be asked of it.

Grammar: numbers, + - * / // % **, unary minus and plus, parentheses, the functions of functions.py,
pi and e, variable names, and `a if c else b` where c compares numbers, with and, or and not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from tool_catalog_pipelines.expressions import linear, scalar
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.functions import FUNCTIONS, MAX_DIGITS
from tool_catalog_pipelines.expressions.growth import Growth, growth
from tool_catalog_pipelines.expressions.intervals import interval
from tool_catalog_pipelines.expressions.narrowing import Interval
from tool_catalog_pipelines.expressions.parser import Language, parse
from tool_catalog_pipelines.expressions.render import render
from tool_catalog_pipelines.expressions.tree import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Logic,
    Node,
    Unary,
    children,
    free_variables,
    walk,
)
from tool_catalog_pipelines.expressions.vector import evaluate_rows

if TYPE_CHECKING:
    from tool_catalog_pipelines.expressions.vector import Array

Kind = Literal["constant", "sum of terms", "general"]
MAX_LENGTH = 500
_MOST_IN_A_ROW = 12
ARITIES: Mapping[str, tuple[int, int]] = {
    name: (function.fewest, function.most) for name, function in FUNCTIONS.items()
}
_LANGUAGE = Language(MAX_LENGTH, ARITIES, has_values=False)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed estimate expression."""

    text: str
    root: Node
    free_variables: frozenset[str]

    def evaluate(self, variables: Mapping[str, float]) -> float:
        """The value for the variables given; ExpressionError if there is none."""
        return scalar.evaluate(self.root, variables)

    def evaluate_rows(self, variables: Mapping[str, Any], rows: int | None = None) -> Array:
        """The value for each row; variables are numpy columns, or one number for all rows.

        Raises:
            ExpressionError: a row has no value; the message names the first.
        """
        return evaluate_rows(self.root, variables, rows)

    def interval(self, ranges: Mapping[str, Interval]) -> Interval:
        """The range of values, given the ranges of the variables; see intervals.py."""
        return interval(self.root, ranges)

    def growth(self, name: str, ranges: Mapping[str, Interval]) -> Growth:
        """Whether the value rises or falls with a variable; see growth.py."""
        return growth(self.root, name, ranges)

    @property
    def kind(self) -> Kind:
        """What can be done with it: only a sum of terms can be fitted again."""
        if not self.free_variables:
            return "constant"
        return "general" if linear.linear_terms(self.root) is None else "sum of terms"

    def linear_terms(self) -> tuple[LinearTerm, ...] | None:
        """The expression as a sum of coefficient times factor; None if it is no such sum."""
        terms = linear.linear_terms(self.root)
        if terms is None:
            return None
        return tuple(LinearTerm(c, None if f is None else _expression(f)) for c, f in terms)

    def render(self) -> str:
        """Text that parses to the same tree."""
        return render(self.root)


@dataclass(frozen=True, slots=True)
class LinearTerm:
    """`coefficient * factor`; the factor None stands for the constant 1."""

    coefficient: float
    factor: Expression | None


@lru_cache(maxsize=4096)
def parse_estimate(text: str) -> Expression:
    """Parse an estimate expression.

    Raises:
        ExpressionError: with column and hint.
    """
    root = parse(text, _LANGUAGE)
    _check_number(root)
    check_digits(root)
    return Expression(text.strip(), root, free_variables(root))


def render_linear(terms: Sequence[LinearTerm]) -> str:
    """The text of a sum of terms, coefficients with four significant digits.

    Many terms are written in groups, because a sum in one row is as deep as it is long.
    """
    if len(terms) > _MOST_IN_A_ROW:
        half = len(terms) // 2
        return f"({render_linear(terms[:half])}) + ({render_linear(terms[half:])})"
    parts: list[str] = []
    for term in terms:
        coefficient = f"{abs(term.coefficient):.4g}"
        text = coefficient if term.factor is None else f"{coefficient} * {_grouped(term.factor)}"
        sign = "-" if term.coefficient < 0 else "+"
        parts.append(f"{sign} {text}" if parts else (f"-{text}" if sign == "-" else text))
    return " ".join(parts) or "0"


def check_digits(root: Node) -> None:
    """Refuse a rounding whose digits are not written as a whole number.

    Raises:
        ExpressionError: with its column.
    """
    for node in walk(root):
        if isinstance(node, Call) and node.name == "round" and len(node.arguments) == 2:
            digits = _written_number(node.arguments[1])
            if digits is None or not digits.is_integer() or abs(digits) > MAX_DIGITS:
                raise ExpressionError(
                    f"the digits of round are no whole number from -{MAX_DIGITS} to {MAX_DIGITS}",
                    node.column,
                    "example: round(N / 3, 2)",
                )


def _written_number(node: Node) -> float | None:
    if isinstance(node, Unary):
        value = _written_number(node.operand)
        return None if value is None else -value
    return node.value if isinstance(node, Constant) and isinstance(node.value, float) else None


def _check_number(node: Node) -> None:
    """Refuse truth values where a number belongs."""
    match node:
        case Comparison() | Logic() | Unary(symbol="not"):
            raise ExpressionError(
                "a comparison is no number",
                node.column if isinstance(node, Comparison) else 1,
                "an estimate is a number: write 20 if N > 5 else 10; "
                "whether something holds is answered by `tool-catalog condition`",
                "wrong_kind",
            )
        case Choice():
            _check_condition(node.condition)
            _check_number(node.then)
            _check_number(node.otherwise)
        case _:
            for child in children(node):
                _check_number(child)


def _check_condition(node: Node) -> None:
    match node:
        case Logic() | Unary(symbol="not"):
            for part in children(node):
                _check_condition(part)
        case Comparison():
            if {"in", "not in"} & set(node.symbols):
                raise ExpressionError("'in' needs a list, which an estimate has not", node.column)
            for operand in node.operands:
                _check_number(operand)
        case _:
            _check_number(node)


def _grouped(factor: Expression) -> str:
    text = render(factor.root)
    return f"({text})" if isinstance(factor.root, Binary | Choice) else text


def _expression(node: Node) -> Expression:
    return Expression(render(node), node, free_variables(node))
