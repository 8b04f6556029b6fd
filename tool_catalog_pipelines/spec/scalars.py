"""Plain scalars of the core schema of YAML 1.2 (section 10.3.2): null, true, false, numbers.

Everything else is text: `yes`, `no`, `on`, `off`, dates and `1:30` included. Infinity and
not-a-number are refused, because JSON and PostgreSQL cannot hold them.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {
    word: value
    for value, words in ((True, "true True TRUE"), (False, "false False FALSE"))
    for word in words.split()
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
MAX_NUMBER_LENGTH = 310
"""Digits; the largest numbers of double precision have 309."""
_WRITTEN_WITH_EXPONENT = 1e16

Scalar = str | int | float | bool | None


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar.

    Raises:
        ValueError: a number that cannot be kept; the sentence says why.
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be kept")
    return _number(text)


def _number(text: str) -> int | float | str:
    bases = ((_INTEGER, 10), (_OCTAL, 8), (_HEXADECIMAL, 16))
    base = next((base for pattern, base in bases if pattern.fullmatch(text)), None)
    if base is None and not _FLOAT.fullmatch(text):
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(
            f"a number of {len(text)} digits, more than the {MAX_NUMBER_LENGTH} allowed"
        )
    if base is not None:
        return int(text, base) if base == 10 else int(text[2:], base)
    return kept_number(text)


def kept_number(text: str) -> int | float:
    """A number with a point or an exponent, so that PostgreSQL gives back what it was given.

    What has no digits behind the point becomes a whole number where Python writes an exponent
    (PostgreSQL would write the digits out); it knows no negative zero.

    Raises:
        ValueError: it is too large to be kept.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:30]} is too large for a number")
    if abs(number) >= _WRITTEN_WITH_EXPONENT:
        return int(number)
    return number + 0.0
