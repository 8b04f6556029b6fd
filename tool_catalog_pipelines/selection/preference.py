"""What somebody cares for most, heard from the words of a request or said plainly.

Whole words are counted for each mode; the mode with most wins, and with equal counts the first in
the order of WORDS. Does not belong here: what a mode weighs (scoring.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tool_catalog_pipelines.errors import InvalidInputError

Mode = Literal["fast", "accurate", "thorough", "cheap", "simple", "balanced"]
MODES: tuple[Mode, ...] = get_args(Mode)
WORDS: Mapping[Mode, tuple[str, ...]] = {
    "fast": (
        "quick", "quickly", "fast", "rapid", "rapidly", "immediate", "immediately", "asap",
        "hurry", "urgent", "urgently", "speed", "speedy", "swift", "swiftly",
    ),
    "accurate": (
        "accurate", "accurately", "precise", "precisely", "exact", "exactly", "verify",
        "verified", "double-check", "double check", "confirm", "validated", "reliable",
        "reliably", "correct", "correctly",
    ),
    "thorough": (
        "thorough", "thoroughly", "complete", "completely", "comprehensive", "comprehensively",
        "detailed", "in detail", "all", "every", "exhaustive", "exhaustively", "full", "fully",
        "entire", "entirely",
    ),
    "cheap": (
        "cheap", "cheaply", "free", "cost-effective", "economical", "economically",
        "inexpensive", "inexpensively", "low cost", "low-cost", "budget", "affordable",
    ),
    "simple": (
        "simple", "simply", "basic", "basically", "straightforward", "easy", "easily", "minimal",
        "minimally", "lightweight",
    ),
}  # fmt: skip
_PATTERNS: Mapping[Mode, re.Pattern[str]] = {
    mode: re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b") for mode, words in WORDS.items()
}


@dataclass(frozen=True, slots=True)
class Preference:
    """A mode, how sure that is (0 to 1), and the words that it was heard from."""

    mode: Mode
    confidence: float
    words: tuple[str, ...] = ()


def known_mode(text: str) -> Mode:
    """A mode by its name, whatever its case and the blanks around it.

    Raises:
        InvalidInputError: there is no such mode.
    """
    name = text.strip().lower()
    if name not in MODES:
        raise InvalidInputError.one(f"there is no mode {text!r}", f"one of {', '.join(MODES)}")
    return name


def preference_of(query: str, mode: str | None = None) -> Preference:
    """The mode that is asked for; a mode that is named (and not empty) wins over words.

    Raises:
        InvalidInputError: the named mode does not exist.
    """
    if mode:
        return Preference(known_mode(mode), 1.0)
    lowered = query.lower()
    heard: list[tuple[Mode, list[str]]] = [
        (name, pattern.findall(lowered)) for name, pattern in _PATTERNS.items()
    ]
    best, words = max(heard, key=lambda one: len(one[1]))
    if not words:
        return Preference("balanced", 0.5)
    return Preference(best, min(1.0, 0.7 + 0.1 * len(words)), tuple(dict.fromkeys(words)))
