"""The condition language: text -> immutable `Condition` -> verdict with a reason.

Three values: true, false and unknown (a missing operand), combined as Kleene does. Precedence is
Python's. The functions are in condition_functions.py. The tree is a tree of small frozen nodes
whose `value` gives the operand's value, MISSING where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tool_catalog_pipelines.expressions import operands as ops
from tool_catalog_pipelines.expressions.condition_functions import FUNCTIONS
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import check_path
from tool_catalog_pipelines.expressions.operands import Node
from tool_catalog_pipelines.expressions.tokens import Token, tokenise

MAX_LENGTH = 2000
MAX_DEPTH = 20
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds (None = unknown), and which part with which values made it so."""

    value: bool | None
    because: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition; `paths` and `names` are what it reads from the context."""

    text: str
    root: Node
    paths: tuple[str, ...]
    names: frozenset[str]

    def evaluate(self, context: Mapping[str, Any]) -> Verdict:
        """Judge the condition; never raises for the context's values."""
        value = ops.truth(self.root.value(context))
        return Verdict(value, self.root.because(context))


@lru_cache(maxsize=2048)
def parse_condition(text: str) -> Condition:
    """Parse a condition; the empty text is true.

    Raises:
        ExpressionError: with column and hint.
    """
    if not text.strip():
        return Condition("", ops.Constant(True, "true"), (), frozenset())
    parser = _Parser(tokenise(text, MAX_LENGTH))
    root = parser.whole()
    return Condition(
        text.strip(), root, tuple(dict.fromkeys(parser.paths)), frozenset(parser.names)
    )


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.paths: list[str] = []
        self.names: list[str] = []

    def whole(self) -> Node:
        node = self._or()
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

    def _or(self) -> Node:
        self._enter()
        nodes = [self._and()]
        while self._take("or"):
            nodes.append(self._and())
        self._depth -= 1
        return nodes[0] if len(nodes) == 1 else ops.AnyOf(tuple(nodes))

    def _and(self) -> Node:
        nodes = [self._not()]
        while self._take("and"):
            nodes.append(self._not())
        return nodes[0] if len(nodes) == 1 else ops.AllOf(tuple(nodes))

    def _not(self) -> Node:
        if self._take("not"):
            self._enter()
            node = ops.Not(self._not())
            self._depth -= 1
            return node
        return self._comparison()

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", self._next.column, "simplify")

    def _comparison(self) -> Node:
        left = self._sum()
        if token := self._take(*_COMPARISONS):
            return ops.Comparison(token.text, left, self._sum())
        if self._take("in"):
            return ops.Membership(left, self._sum())
        if self._next.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            return ops.Not(ops.Membership(left, self._sum()))
        return left

    def _sum(self) -> Node:
        return self._binary(self._product, "+", "-")

    def _product(self) -> Node:
        return self._binary(self._unary, "*", "/", "//", "%")

    def _binary(self, operand: Callable[[], Node], *symbols: str) -> Node:
        node = operand()
        while token := self._take(*symbols):
            node = ops.Arithmetic(token.text, node, operand())
        return node

    def _unary(self) -> Node:
        if self._take("-"):
            self._enter()
            node = ops.Arithmetic("-", ops.Constant(0, "0"), self._unary())
            self._depth -= 1
            return node
        base = self._atom()
        return ops.Arithmetic("**", base, self._unary()) if self._take("**") else base

    def _atom(self) -> Node:
        token = self._next
        if self._take("("):
            node = self._or()
            self._expect(")")
            return node
        if self._take("["):
            return ops.ListOf(self._arguments("]"))
        self._at += 1
        if token.kind in ("number", "percent"):
            value = float(token.text) / (100 if token.kind == "percent" else 1)
            return ops.Constant(value, token.text + ("%" if token.kind == "percent" else ""))
        if token.kind == "string":
            return ops.Constant(token.text, repr(token.text))
        if token.kind == "path":
            check_path(token.text)
            self.paths.append(token.text)
            return ops.Path(token.text)
        if token.kind == "name" and token.text not in ("and", "or", "not", "in"):
            return self._name(token)
        found = token.text or "the end"
        raise ExpressionError(f"expected a value but found {found!r}", token.column)

    def _name(self, token: Token) -> Node:
        if self._take("("):
            return self._call(token, self._arguments(")"))
        if token.text in _CONSTANTS:
            return ops.Constant(_CONSTANTS[token.text], token.text)
        self.names.append(token.text)
        return ops.Name(token.text)

    def _call(self, name: Token, arguments: tuple[Node, ...]) -> Node:
        known = FUNCTIONS.get(name.text)
        if known is None:
            raise ExpressionError(
                f"there is no function {name.text!r}",
                name.column,
                f"known: {', '.join(sorted(FUNCTIONS))}",
            )
        if len(arguments) != known.arity:
            raise ExpressionError(f"{name.text} takes {known.arity} arguments", name.column)
        return ops.Call(name.text, known, arguments)

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        if self._take(closing):
            return ()
        nodes = [self._or()]
        while self._take(","):
            nodes.append(self._or())
        self._expect(closing)
        return tuple(nodes)
