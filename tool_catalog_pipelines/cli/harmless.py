r"""Texts of others made harmless for a terminal: nothing in them moves, colours, hides or reverses.

What a terminal would act on is shown as an escape (`\x1b`, `\u202e`) that YAML in double quotes
and JSON read as the same character. Does not belong here: printing (output.py).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

_ACTED_ON = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""Invisible, but several scripts cannot be written without them, and nothing moves by them."""


def harmless(text: str) -> str:
    """A text of one or several lines."""
    return _escaped(text, f"\n\t{_JOINERS}", lambda character: ascii(character)[1:-1])


def one_line(text: str) -> str:
    """A text that must not look like several lines, such as the name of a file."""
    return _escaped(text, _JOINERS, lambda character: ascii(character)[1:-1])


def harmless_json(document: str) -> str:
    """A JSON document of one line; it stays the same document."""
    return _escaped(document, _JOINERS, lambda character: json.dumps(character)[1:-1])


def _escaped(text: str, kept: str, escape: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(
        escape(character)
        if unicodedata.category(character) in _ACTED_ON and character not in kept
        else character
        for character in text
    )
