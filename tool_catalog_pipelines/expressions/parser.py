"""One recursive descent parser for both languages; `Language` says what each of them lacks.

Precedence is Python's. Does not belong here: what a tree is worth.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.functions import MANY
from tool_catalog_pipelines.expressions.jsonpath import check_limitable
from tool_catalog_pipelines.expressions.tokens import Token, tokenise
from tool_catalog_pipelines.expressions.tree import (
    Arithmetic,
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
    depth,
)

MAX_DEPTH = 20
MAX_DESCENTS = 1
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
_WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
_UNEXPECTED: Mapping[str, str] = {
    ")": "no ( before belongs to it: remove it, or add the (",
    "]": "no [ before belongs to it: remove it, or add the [",
    ",": "a comma stands between arguments only; decimals have a point: 1.5",
}
"""What may be wrong where a text should have ended."""
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Language:
    """What a text may hold.

    Attributes:
        max_length: most characters.
        arities: fewest and most arguments of each function.
        has_values: also texts, lists, paths, percentages, true, false, null and dotted names.
    """

    max_length: int
    arities: Mapping[str, tuple[int, int]]
    has_values: bool


def parse(text: str, language: Language) -> Node:
    """The tree of a text.

    Raises:
        ExpressionError: with column and hint.
    """
    tokens = tokenise(text, language.max_length, language.has_values)
    root = _Parser(tokens, language).whole()
    if depth(root) > MAX_DEPTH:
        raise _too_deep(1)
    return root


def _too_deep(column: int) -> ExpressionError:
    return ExpressionError(
        f"nested deeper than {MAX_DEPTH}",
        column,
        "use fewer terms or levels; a + b + c + ... is one level for each operator, "
        "and less deep in groups: (a + b + c) + (d + e + f)",
        "limit",
    )


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, tokens: tuple[Token, ...], language: Language) -> None:
        self._tokens = tokens
        self._language = language
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._next.kind != "end":
            hint = _UNEXPECTED.get(
                self._next.text, "an operator such as + or * may be missing before"
            )
            message = f"unexpected {self._next.text!r}"
            raise ExpressionError(message, self._next.column, hint)
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

    def _expect(self, text: str, hint: str) -> None:
        if self._take(text) is None:
            message = f"expected {text!r} but found {_found(self._next)}"
            raise ExpressionError(message, self._next.column, hint)

    @contextmanager
    def _deeper(self) -> Generator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH + 1:
            raise _too_deep(self._next.column)
        yield
        self._depth -= 1

    def _choice(self) -> Node:
        with self._deeper():
            node = self._logic("or")
            if self._take("if"):
                condition = self._logic("or")
                self._expect("else", "a choice has both sides: 20 if N > 5 else 10")
                node = Choice(condition, node, self._choice())
            return node

    def _logic(self, symbol: Literal["and", "or"]) -> Node:
        def operand() -> Node:
            return self._logic("and") if symbol == "or" else self._not()

        parts = [operand()]
        while self._take(symbol):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else Logic(symbol, tuple(parts))

    def _not(self) -> Node:
        if self._take("not"):
            with self._deeper():
                return Unary("not", self._not())
        return self._comparison()

    def _comparison(self) -> Node:
        column = self._next.column
        operands, symbols = [self._sum()], list[str]()
        while symbol := self._comparison_symbol():
            symbols.append(symbol)
            operands.append(self._sum())
        if not symbols:
            return operands[0]
        return Comparison(tuple(operands), tuple(symbols), column)

    def _comparison_symbol(self) -> str:
        if token := self._take(*_COMPARISONS):
            return token.text
        if self._next.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            return "not in"
        return ""

    def _sum(self) -> Node:
        return self._binary(self._product, "+", "-")

    def _product(self) -> Node:
        return self._binary(self._sign, "*", "/", "//", "%")

    def _binary(self, operand: Callable[[], Node], *symbols: Arithmetic) -> Node:
        node = operand()
        while token := self._take(*symbols):
            node = Binary(cast("Arithmetic", token.text), node, operand(), token.column)
        return node

    def _sign(self) -> Node:
        if token := self._take("-", "+"):
            with self._deeper():
                node = self._sign()
                return Unary("-", node) if token.text == "-" else node
        return self._power()

    def _power(self) -> Node:
        base = self._atom()
        token = self._take("**")
        if not token:
            return base
        with self._deeper():
            return Binary("**", base, self._sign(), token.column)

    def _atom(self) -> Node:
        token = self._next
        if self._take("("):
            node = self._choice()
            self._expect(")", f"the ( at column {token.column} is not closed")
            return node
        if self._language.has_values and self._take("["):
            return ListOf(self._arguments("]"))
        self._at += 1
        if token.kind in ("number", "percent"):
            return Constant(_number(token))
        if token.kind == "name" and token.text not in _WORDS:
            return self._call(token) if self._take("(") else self._name(token)
        if self._language.has_values and token.kind == "string":
            return Constant(token.text)
        if self._language.has_values and token.kind == "path":
            return _path(token)
        wanted = "a value" if self._language.has_values else "a number or a name"
        message = f"expected {wanted} but found {_found(token)}"
        raise ExpressionError(message, token.column, self._percentage(token))

    def _percentage(self, token: Token) -> str:
        """What to write where a text ends behind `%`."""
        before = self._tokens[max(self._at - 2, 0)]
        if token.kind != "end" or before.text != "%":
            return ""
        if self._language.has_values:
            return "a percentage has no blank before its sign: 95%"
        return "estimates have no percentages: write 0.95 for 95 %"

    def _name(self, token: Token) -> Node:
        if self._language.has_values and token.text in _CONSTANTS:
            return Constant(_CONSTANTS[token.text])
        if "." in token.text and not self._language.has_values:
            raise ExpressionError(f"{token.text!r} is not a variable name", token.column)
        return Name(token.text, token.column)

    def _call(self, name: Token) -> Node:
        arities = self._language.arities
        if name.text not in arities:
            raise ExpressionError(
                f"there is no function {name.text!r}",
                name.column,
                f"known: {', '.join(near(name.text, arities) or sorted(arities))}",
                "unknown_name",
            )
        arguments = self._arguments(")")
        fewest, most = arities[name.text]
        if not fewest <= len(arguments) <= most:
            wanted = f"{fewest} to {most}" if fewest < most else str(fewest)
            wanted = wanted if most < MANY else f"at least {fewest}"
            raise ExpressionError(f"{name.text} takes {wanted} arguments", name.column)
        return Call(name.text, arguments, name.column)

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        opening = self._tokens[self._at - 1]
        if self._take(closing):
            return ()
        nodes = [self._choice()]
        while self._take(","):
            nodes.append(self._choice())
        self._expect(closing, f"the {opening.text} at column {opening.column} is not closed")
        return tuple(nodes)


def near(name: str, known: Mapping[str, Any] | frozenset[str]) -> list[str]:
    """The known names that are most like a name, whatever their case."""
    by_folded = {other.lower(): other for other in sorted(known)}
    return [by_folded[one] for one in difflib.get_close_matches(name.lower(), by_folded, n=3)]


def _found(token: Token) -> str:
    return "the end" if token.kind == "end" else repr(token.text)


def _number(token: Token) -> float:
    digits = token.text.replace("_", "")
    try:
        value = float(int(digits, 0)) if digits[:2].lower() in ("0x", "0o", "0b") else float(digits)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ExpressionError("the number is too large", token.column, code="limit")
    return value / 100 if token.kind == "percent" else value


def _path(token: Token) -> Path:
    if token.text.count("..") > MAX_DESCENTS:
        raise ExpressionError(
            "this path may search for ever", token.column, "use .. only once", "limit"
        )
    try:
        check_limitable(token.text)
    except ExpressionError as error:
        raise ExpressionError(error.message, token.column, error.hint, error.code) from None
    return Path(token.text, token.column)
