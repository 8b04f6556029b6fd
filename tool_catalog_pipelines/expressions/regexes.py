"""Searching texts with regular expressions of strangers, which may never come to an end.

Python's own engine cannot be stopped, and holds the lock of the interpreter while it searches; the
module `regex` takes a limit of time and understands the same expressions. Does not belong here:
whether an expression compiles (spec/check_inputs.py).
"""

from __future__ import annotations

import importlib
import re
import time
from typing import Any, cast

LIMIT_S = 1.0
"""Enough for any expression that is written with care, on any text that is allowed."""
_LARGEST = 100_000
_TOKENS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|(?P<open>\()|(?P<close>\))"
    r"|\{(?P<counts>\d+,?\d*|,\d+)\}|.",
    re.DOTALL,
)


class SlowRegexError(Exception):
    """The search was given up."""


class Deadline:
    """Time that several searches share, counted from the first of them."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._ends_at: float | None = None

    def left_s(self) -> float:
        """Seconds until the end.

        Raises:
            SlowRegexError: there are none.
        """
        now = time.monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._limit_s
        if now >= self._ends_at:
            raise SlowRegexError
        return self._ends_at - now


def unsearchable(pattern: str) -> str | None:
    """Why an expression that `re` compiles cannot be searched here; None for nearly every one."""
    if _expanded_size(pattern) > _LARGEST:
        return f"its repeats within repeats make more than {_LARGEST} parts"
    try:
        _regex().compile(pattern)
    except (_regex().error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def _expanded_size(pattern: str) -> int:
    """About how many parts an expression has once counted repeats are written out."""
    sizes, last = [0], 0
    for token in _TOKENS.finditer(pattern):
        if token["open"]:
            sizes.append(0)
            last = 0
        elif token["close"]:
            last = sizes.pop() if len(sizes) > 1 else 0
            sizes[-1] += last
        elif token["counts"]:
            times = max(int(count[:9]) for count in token["counts"].split(",") if count)
            sizes[-1] += last * max(times - 1, 0)
            last *= max(times, 1)
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


def search(pattern: str, text: str, deadline: Deadline) -> Any:
    """The first match, or None; as `re.search`.

    Raises:
        SlowRegexError: it takes too long.
    """
    try:
        return _regex().search(pattern, text, timeout=deadline.left_s(), concurrent=True)
    except TimeoutError:
        raise SlowRegexError from None


def _regex() -> Any:
    # The module carries no types, and is imported when an expression is first needed.
    return cast("Any", importlib.import_module("regex"))
