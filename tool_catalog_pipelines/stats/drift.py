"""Drift: does the time still follow its estimate? On r = ln(actual / estimate) in order of time.

Winsorise, cut into constant pieces by exact dynamic programming with the penalty 3 ln n in units
of the noise, drop cuts that a rank test or a floor on the shift does not support, then compare
the last piece with zero. Sources: Jackson et al. 2005 (optimal partitioning); Hodges and Lehmann
1963 (location and interval by ranks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.ndimage import median_filter

Array = NDArray[np.float64]
State = Literal["ok", "drifted", "not_enough_data", "no_data"]

MINIMUM_POINTS = 20
NEWEST_POINTS = 500
MINIMUM_PIECE = 5
SHIFT_FLOOR = math.log(1.03)
OFF_FLOOR = math.log(1.10)
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class DriftResult:
    """A verdict: `ratio` is the typical actual time over its estimate in the last piece."""

    state: State
    reason: str
    n: int
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    changed_at: int | None = None
    """Index of the first point after the last change, or None if there was none."""
    ratio_before: float | None = None


def judge(log_ratios: Array) -> DriftResult:
    """Judge a series of ln(actual/estimate), oldest first. Others than finite ones are left out."""
    finite = log_ratios[np.isfinite(log_ratios)]
    if finite.size == 0:
        return DriftResult("no_data", "no execution has both a time and an estimate", 0)
    if finite.size < MINIMUM_POINTS:
        reason = f"not enough data: {finite.size} of {MINIMUM_POINTS} executions"
        return DriftResult("not_enough_data", reason, int(finite.size))
    offset = max(0, finite.size - NEWEST_POINTS)
    series = winsorised(finite[offset:])
    starts = change_points(series)
    last = starts[-1]
    piece = finite[offset + last :]
    middle, low, high = median_interval(piece)
    before = float(np.median(finite[offset + starts[-2] : offset + last])) if last else None
    is_off = abs(middle) > OFF_FLOOR and (low > 0 or high < 0)
    return DriftResult(
        state="drifted" if is_off else "ok",
        reason=_reason(middle, before, is_off, int(finite.size)),
        n=int(finite.size),
        ratio=math.exp(middle),
        ratio_low=math.exp(low),
        ratio_high=math.exp(high),
        changed_at=offset + last if last else None,
        ratio_before=math.exp(before) if before is not None else None,
    )


def _reason(middle: float, before: float | None, is_off: bool, n: int) -> str:
    text = f"the actual time is {math.exp(middle):.2f} times the estimate, over {n} executions"
    if before is not None:
        text += f"; it was {math.exp(before):.2f} times before the last change"
    return text if is_off else f"within bounds: {text}"


def winsorised(series: Array) -> Array:
    """Values farther than three robust deviations from a running median of 9 are pulled in."""
    middle = np.asarray(median_filter(series, size=9, mode="nearest"), dtype=np.float64)
    limit = 3 * noise(series - middle)
    return np.clip(series, middle - limit, middle + limit)


def noise(residuals: Array) -> float:
    """Standard deviation by the median absolute deviation, never quite zero."""
    spread = float(np.median(np.abs(residuals - np.median(residuals))))
    return max(_MAD_TO_SIGMA * spread, 1e-6)


def change_points(series: Array) -> list[int]:
    """Starts of the constant pieces, the first one 0."""
    sigma = noise(np.diff(series)) / math.sqrt(2)
    starts = _optimal_partition(series / sigma, penalty=3 * math.log(series.size))
    return _supported(series, starts)


def _optimal_partition(series: Array, penalty: float) -> list[int]:
    """Exact least-squares segmentation in O(n^2), vectorised over the candidate starts."""
    n = series.size
    total = np.concatenate(([0.0], np.cumsum(series)))
    squares = np.concatenate(([0.0], np.cumsum(series**2)))
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    previous = np.zeros(n + 1, dtype=np.int64)
    for end in range(MINIMUM_PIECE, n + 1):
        starts = np.arange(0, end - MINIMUM_PIECE + 1)
        length = end - starts
        cost = squares[end] - squares[starts] - (total[end] - total[starts]) ** 2 / length
        candidates = best[starts] + cost + penalty
        chosen = int(np.argmin(candidates))
        best[end], previous[end] = candidates[chosen], chosen
    starts_found: list[int] = []
    end = n
    while end > 0:
        end = int(previous[end])
        starts_found.append(end)
    return starts_found[::-1]


def _supported(series: Array, starts: list[int]) -> list[int]:
    """Drop, weakest first, the cuts that neither a rank test nor the size of the shift supports."""
    kept = list(starts)
    while len(kept) > 1:
        bounds = [*kept, series.size]
        supports = [
            _support(series[bounds[i - 1] : bounds[i]], series[bounds[i] : bounds[i + 1]])
            for i in range(1, len(kept))
        ]
        weakest = max(range(len(supports)), key=supports.__getitem__)
        if supports[weakest] < 0.001:
            break
        del kept[weakest + 1]
    return kept


def _support(left: Array, right: Array) -> float:
    """The p of the rank test between neighbours; 1 where the shift is too small to matter."""
    if abs(float(np.median(right) - np.median(left))) < SHIFT_FLOOR:
        return 1.0
    return float(stats.mannwhitneyu(left, right).pvalue)


def median_interval(values: Array, confidence: float = 0.95) -> tuple[float, float, float]:
    """Median with its interval from order statistics (binomial, exact)."""
    ordered = np.sort(values)
    n = ordered.size
    rank = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))
    low, high = ordered[max(rank - 1, 0)], ordered[min(n - rank, n - 1)]
    return float(np.median(ordered)), float(low), float(high)
