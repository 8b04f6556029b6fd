"""Whether forecasts keep their promise: how often the truth fell into intervals that claim a share.

Works on positions: where each actual value stood among its forecast's quantiles, from 0 to 1 (the
probability integral transform; Dawid, 1984, "Statistical theory: the prequential approach"). They
are uniform for a forecaster who is right. Pure.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tool_catalog_pipelines.selection.success import score_interval

State = Literal["ok", "overconfident", "too_wide", "not_enough_data", "no_data"]

MINIMUM_FORECASTS = 20
_SAME = 1e-9
"""Relative distance of sums that differ by the order of adding only."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A verdict on intervals that claim to hold `claimed` of the truth.

    Attributes:
        share: of actual values inside; with its 95 % score interval `low` to `high`.
        above: share of actual values above the interval, so that a bias shows.
    """

    state: State
    reason: str
    n: int
    claimed: float
    share: float | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None


def judge_positions(positions: Sequence[float], claimed: float = 0.8) -> Calibration:
    """Judge the middle intervals of forecasts by the positions of what came.

    Args:
        positions: one for each forecast, from 0 to 1.
        claimed: the share that the interval should hold, lying evenly around the middle.
    """
    n = len(positions)
    if n == 0:
        return Calibration("no_data", "no forecast with an interval was compared yet", 0, claimed)
    outside = (1 - claimed) / 2
    inside = sum(outside <= position <= 1 - outside for position in positions)
    above = sum(position > 1 - outside for position in positions)
    share = inside / n
    low, high = score_interval(share, n)
    text = f"{inside} of {n} runs fell into their {claimed:.0%} interval ({share:.0%})"
    if n < MINIMUM_FORECASTS:
        state: State = "not_enough_data"
        text = f"{text}; {MINIMUM_FORECASTS} are needed for a verdict"
    else:
        state = "overconfident" if high < claimed else "too_wide" if low > claimed else "ok"
        text = f"{text}; the true share lies between {low:.0%} and {high:.0%}"
    return Calibration(state, text, n, claimed, share, low, high, above / n)


def position_of(
    value: float, quantiles: Sequence[float], levels: Sequence[float], place: float = 0.5
) -> float:
    """Where a value stands in a forecast, from 0 to 1; beyond the outer levels 0 or 1.

    Between two levels it is interpolated. Several equal quantiles are one value that comes often:
    it stands anywhere between their levels, at `place`. Drawn evenly, that makes positions uniform
    for a right forecast of few values too, such as a cost (Czado, Gneiting and Held, 2009,
    "Predictive model assessment for count data").

    Args:
        value: what came.
        quantiles: of the forecast, rising.
        levels: theirs, rising.
        place: from 0 to 1.
    """
    margin = _SAME * abs(value)
    first, after = bisect_left(quantiles, value - margin), bisect_right(quantiles, value + margin)
    if after > first:
        low = levels[first] if first > 0 else 0.0
        high = levels[after - 1] if after < len(levels) else 1.0
        return low + place * (high - low)
    if first == 0:
        return 0.0
    if first == len(quantiles):
        return 1.0
    low, high = quantiles[first - 1], quantiles[first]
    share = (value - low) / (high - low)
    return levels[first - 1] + share * (levels[first] - levels[first - 1])
