"""Raw figures of a candidate -> features from 0 to 1, where higher is always better.

Time is logarithmic between its bounds, cost linear, complexity turned round. The features of one
candidate depend on no other, so that a further candidate never changes who wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

FEATURES = ("time_ms", "cost", "complexity", "accuracy", "completeness")
"""The figures that are judged, in the order in which they are added up."""
SMALLER_IS_BETTER = frozenset({"time_ms", "cost", "complexity"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """Beyond these a time or a cost makes no further difference."""

    fastest_ms: float = 50.0
    slowest_ms: float = 60_000.0
    cheapest: float = 0.0
    dearest: float = 10.0


DEFAULT_BOUNDS = Bounds()


def time_feature(time_ms: float, bounds: Bounds = DEFAULT_BOUNDS) -> float:
    """1 for the fastest, 0 for the slowest, by the logarithm in between."""
    low, high = math.log(bounds.fastest_ms), math.log(bounds.slowest_ms)
    clamped = clamp(time_ms, bounds.fastest_ms, bounds.slowest_ms)
    return clamp(1.0 - (math.log(clamped) - low) / (high - low), 0.0, 1.0)


def time_of_feature(feature: float, bounds: Bounds = DEFAULT_BOUNDS) -> float:
    """The time in milliseconds that has this feature."""
    low, high = math.log(bounds.fastest_ms), math.log(bounds.slowest_ms)
    return math.exp(low + (1.0 - clamp(feature, 0.0, 1.0)) * (high - low))


def cost_feature(cost: float, bounds: Bounds = DEFAULT_BOUNDS) -> float:
    """1 for the cheapest, 0 for the dearest."""
    clamped = clamp(cost, bounds.cheapest, bounds.dearest)
    return 1.0 - (clamped - bounds.cheapest) / (bounds.dearest - bounds.cheapest)


def cost_of_feature(feature: float, bounds: Bounds = DEFAULT_BOUNDS) -> float:
    """The cost that has this feature."""
    return bounds.cheapest + (1.0 - clamp(feature, 0.0, 1.0)) * (bounds.dearest - bounds.cheapest)


def normalise(raw: Mapping[str, float], bounds: Bounds = DEFAULT_BOUNDS) -> dict[str, float]:
    """The features of the figures that are there; the others stay away."""
    return {name: _feature(name, raw[name], bounds) for name in FEATURES if name in raw}


def clamp(value: float, low: float, high: float) -> float:
    """The value, or the bound that it is beyond."""
    return low if value < low else min(value, high)


def _feature(name: str, value: float, bounds: Bounds) -> float:
    if name == "time_ms":
        return time_feature(value, bounds)
    if name == "cost":
        return cost_feature(value, bounds)
    clamped = clamp(value, 0.0, 1.0)
    return 1.0 - clamped if name == "complexity" else clamped
