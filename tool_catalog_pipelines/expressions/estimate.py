"""Estimate expressions: text -> immutable `Expression`, its value, its linear terms.

Grammar: numbers, + - * / // % **, unary minus and plus, parentheses, the functions of tree.py,
pi and e, `a if c else b` with one comparison, variable names.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.tokens import Token, tokenise
from tool_catalog_pipelines.expressions.tree import (
    CONSTANTS,
    FUNCTIONS,
    Call,
    Choice,
    Negation,
    Node,
    Number,
    Operation,
    Variable,
    evaluate,
    render,
)

MAX_LENGTH = 500
MAX_DEPTH = 20
Operand = Callable[[], Node]
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed estimate expression."""

    text: str
    root: Node
    free_variables: frozenset[str]

    def evaluate(self, variables: Mapping[str, float]) -> float:
        """The value for the variables given; ExpressionError if there is none."""
        return evaluate(self.root, variables)

    def linear_terms(self) -> tuple[LinearTerm, ...] | None:
        """The expression as a sum of coefficient times factor; None if it is no such sum."""
        return _terms(self.root, 1.0)


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
    parser = _Parser(tokenise(text, MAX_LENGTH))
    root = parser.whole()
    return Expression(text.strip(), root, frozenset(_variables(root)))


def render_linear(terms: Sequence[LinearTerm]) -> str:
    """The text of a sum of terms, coefficients with four significant digits."""
    parts: list[str] = []
    for term in terms:
        coefficient = f"{abs(term.coefficient):.4g}"
        text = coefficient if term.factor is None else f"{coefficient} * {_grouped(term.factor)}"
        sign = "-" if term.coefficient < 0 else "+"
        parts.append(f"{sign} {text}" if parts else (f"-{text}" if sign == "-" else text))
    return " ".join(parts) or "0"


def _grouped(factor: Expression) -> str:
    text = render(factor.root)
    return f"({text})" if isinstance(factor.root, Operation | Choice) else text


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._next.kind != "end":
            raise ExpressionError(f"unexpected {self._next.text!r}", self._next.column)
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> Token | None:
        token = self._next
        if token.kind in ("operator", "name") and token.text in texts:
            self._at += 1
            return token
        return None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            found = self._next.text or "the end"
            raise ExpressionError(f"expected {text!r} but found {found!r}", self._next.column)

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", self._next.column, "simplify")
        node = self._comparison()
        if self._take("if"):
            condition = self._comparison()
            self._expect("else")
            node = Choice(condition, node, self._choice())
        self._depth -= 1
        return node

    def _comparison(self) -> Node:
        return self._binary(self._sum, _COMPARISONS, repeat=False)

    def _sum(self) -> Node:
        return self._binary(self._product, ("+", "-"))

    def _product(self) -> Node:
        return self._binary(self._unary, ("*", "/", "//", "%"))

    def _binary(self, operand: Operand, symbols: Sequence[str], repeat: bool = True) -> Node:
        node = operand()
        while token := self._take(*symbols):
            node = Operation(token.text, node, operand(), token.column)
            if not repeat:
                break
        return node

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", self._next.column, "simplify")
        node: Node
        if self._take("-"):
            node = Negation(self._unary())
        elif self._take("+"):
            node = self._unary()
        else:
            node = self._power()
        self._depth -= 1
        return node

    def _power(self) -> Node:
        base = self._atom()
        token = self._take("**")
        return Operation("**", base, self._unary(), token.column) if token else base

    def _atom(self) -> Node:
        token = self._next
        if self._take("("):
            node = self._choice()
            self._expect(")")
            return node
        self._at += 1
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind == "name" and token.text not in ("if", "else"):
            return self._call(token) if self._take("(") else _variable(token)
        found = token.text or "the end"
        raise ExpressionError(f"expected a number or a name but found {found!r}", token.column)

    def _call(self, name: Token) -> Node:
        if name.text not in FUNCTIONS:
            near = difflib.get_close_matches(name.text, FUNCTIONS, n=3) or sorted(FUNCTIONS)
            raise ExpressionError(
                f"there is no function {name.text!r}", name.column, f"known: {', '.join(near)}"
            )
        arguments = [self._choice()]
        while self._take(","):
            arguments.append(self._choice())
        self._expect(")")
        _, fewest, most = FUNCTIONS[name.text]
        if not fewest <= len(arguments) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ExpressionError(f"{name.text} takes {wanted} arguments", name.column)
        return Call(name.text, tuple(arguments), name.column)


def _variable(token: Token) -> Variable:
    if "." in token.text:
        raise ExpressionError(f"{token.text!r} is not a variable name", token.column)
    return Variable(token.text, token.column)


def _variables(node: Node) -> set[str]:
    if isinstance(node, Variable):
        return set() if node.name in CONSTANTS else {node.name}
    return {name for child in _children(node) for name in _variables(child)}


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Operation):
        return (node.left, node.right)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Choice):
        return (node.condition, node.then, node.otherwise)
    return (node.operand,) if isinstance(node, Negation) else ()


def _terms(node: Node, scale: float) -> tuple[LinearTerm, ...] | None:
    if isinstance(node, Negation):
        return _terms(node.operand, -scale)
    if isinstance(node, Operation) and node.symbol in ("+", "-"):
        left = _terms(node.left, scale)
        right = _terms(node.right, -scale if node.symbol == "-" else scale)
        return None if left is None or right is None else left + right
    constant = _constant(node)
    if constant is not None:
        return (LinearTerm(scale * constant, None),)
    if isinstance(node, Operation) and node.symbol in ("*", "/"):
        return _scaled(node, scale)
    if isinstance(node, Choice):
        return None
    return (LinearTerm(scale, _expression(node)),)


def _scaled(node: Operation, scale: float) -> tuple[LinearTerm, ...] | None:
    """A product with one constant side, or a quotient with a constant divisor."""
    left, right = _constant(node.left), _constant(node.right)
    if right is not None and (node.symbol == "*" or right != 0):
        return _terms(node.left, scale * right if node.symbol == "*" else scale / right)
    if left is not None and node.symbol == "*":
        return _terms(node.right, scale * left)
    if _is_sum(node.left) or _is_sum(node.right):
        return None
    return (LinearTerm(scale, _expression(node)),)


def _is_sum(node: Node) -> bool:
    return isinstance(node, Operation) and node.symbol in ("+", "-")


def _constant(node: Node) -> float | None:
    return None if _variables(node) else evaluate(node, {})


def _expression(node: Node) -> Expression:
    return Expression(render(node), node, frozenset(_variables(node)))
