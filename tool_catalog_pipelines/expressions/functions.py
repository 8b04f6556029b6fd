"""The functions on numbers that estimates and conditions share: signatures and scalar meaning.

All numbers are 64-bit floats. Does not belong here: functions on texts and lists
(condition_functions.py), and the same functions on arrays (vector.py) and intervals (intervals.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_EXPONENT = 100.0
MAX_DIGITS = 15
MANY = 250
"""As many arguments as an expression has room for."""


@dataclass(frozen=True, slots=True)
class NumberFunction:
    """A function with its fewest and most arguments."""

    call: Callable[..., Any]
    fewest: int = 1
    most: int = 1


def clamp(value: float, low: float, high: float) -> float:
    """The value, at least `low` and at most `high`; `low` wins if they are crossed."""
    return max(low, min(high, value))


def rounded(value: float, digits: float = 0.0) -> float:
    """To the nearest, halves to even; scaled as numpy does it, so that arrays agree."""
    scale = 10.0**digits
    return round(value * scale) / scale


FUNCTIONS: Mapping[str, NumberFunction] = {
    "log": NumberFunction(math.log, 1, 2),
    "log2": NumberFunction(math.log2),
    "log10": NumberFunction(math.log10),
    "sqrt": NumberFunction(math.sqrt),
    "exp": NumberFunction(math.exp),
    "min": NumberFunction(min, 2, MANY),
    "max": NumberFunction(max, 2, MANY),
    "abs": NumberFunction(abs),
    "ceil": NumberFunction(math.ceil),
    "floor": NumberFunction(math.floor),
    "round": NumberFunction(rounded, 1, 2),
    "clamp": NumberFunction(clamp, 3, 3),
}
