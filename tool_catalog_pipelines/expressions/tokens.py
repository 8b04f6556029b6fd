"""Text -> tokens, shared by estimate expressions and conditions.

Does not belong here: what a token means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tool_catalog_pipelines.expressions.errors import ExpressionError

Kind = Literal["number", "percent", "string", "name", "path", "operator", "end"]

_DIGITS = r"[0-9](?:_?[0-9])*"
_NUMBER = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    rf"|(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
)
_LEADING_ZERO = re.compile(r"0[0-9_]*[1-9][0-9_]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_OPERATOR = re.compile(r"\*\*|//|==|!=|<=|>=|[-+*/%<>(),\[\]]")
_MEANT = {
    "=": "write == to compare",
    "&": "write and",
    "|": "write or",
    "!": "write not or !=",
    "^": "write ** for a power",
}
_PATH_ENDS = frozenset(" \t\r\n,)]=!<>+-*/%")


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` of a string is its content without quotes."""

    kind: Kind
    text: str
    column: int


def tokenise(text: str, max_length: int, has_percent: bool) -> tuple[Token, ...]:
    """Split a text into tokens, the last one of kind `end`.

    Args:
        text: what to split.
        max_length: most characters.
        has_percent: read `95%` as a percentage; else % is always the remainder.

    Raises:
        ExpressionError: too long, or a character that begins no token.
    """
    if len(text) > max_length:
        raise ExpressionError(
            f"{len(text)} characters are too many; the limit is {max_length}",
            hint="make it shorter",
            code="limit",
        )
    tokens: list[Token] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            tokens.append(Token("end", "", at + 1))
            return tuple(tokens)
        token, at = _next(text, at, has_percent)
        tokens.append(token)


def _next(text: str, at: int, has_percent: bool) -> tuple[Token, int]:
    character = text[at]
    if character in "'\"":
        return _string(text, at)
    if character == "$":
        end = _path_end(text, at)
        return Token("path", text[at:end], at + 1), end
    number = _NUMBER.match(text, at)
    if number:
        return _number(text, number, has_percent)
    for kind, pattern in (("name", _NAME), ("operator", _OPERATOR)):
        match = pattern.match(text, at)
        if match:
            found: Kind = "name" if kind == "name" else "operator"
            return Token(found, match.group(), at + 1), match.end()
    hint = _MEANT.get(character, "remove it")
    raise ExpressionError(f"unexpected character {character!r}", at + 1, hint)


def _number(text: str, match: re.Match[str], has_percent: bool) -> tuple[Token, int]:
    """A number; directly followed by % and then no operand, it is a percentage."""
    end, column = match.end(), match.start() + 1
    if has_percent and text[end : end + 1] == "%" and not _operand_follows(text, end + 1):
        return Token("percent", match.group(), column), end + 1
    if text[end : end + 1].isalnum() or text[end : end + 1] == "_":
        raise ExpressionError("a number that runs into a name", column, "put * between to multiply")
    if _LEADING_ZERO.fullmatch(match.group()):  # elsewhere this is octal, or an error
        raise ExpressionError("a whole number that begins with 0", column, "leave the zeros out")
    return Token("number", match.group(), column), end


def _operand_follows(text: str, at: int) -> bool:
    rest = text[at:].lstrip()
    word = _NAME.match(rest)
    if word:
        return word.group() not in ("and", "or", "not", "in", "if", "else")
    return rest[:1].isdigit() or rest[:1] in ("(", "$", ".")


def _string(text: str, at: int) -> tuple[Token, int]:
    end = text.find(text[at], at + 1)
    if end < 0:
        raise ExpressionError("a text that is not closed", at + 1, f"add {text[at]} at its end")
    return Token("string", text[at + 1 : end], at + 1), end + 1


def _path_end(text: str, at: int) -> int:
    """The end of a JSONPath: the first separator outside brackets and quotes."""
    depth = 0
    quote = ""
    for index in range(at + 1, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif depth and character in "'\"":
            quote = character
        elif character in "[(" and (depth or character == "["):
            depth += 1
        elif character in "])" and depth:
            depth -= 1
        elif depth == 0 and _ends_path(text, index):
            return index
    if depth:
        raise ExpressionError("a path whose bracket is not closed", at + 1, "add the missing ]")
    return len(text)


def _ends_path(text: str, index: int) -> bool:
    """`*` directly behind a dot belongs to the path."""
    character = text[index]
    return character in _PATH_ENDS and not (character == "*" and text[index - 1] == ".")
