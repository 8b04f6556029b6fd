"""Sufficient statistics that merge: what a day, an arm or a partition contributes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeanStatistic:
    """Count, sum and sum of squares of a measure."""

    n: int
    total: float
    total_of_squares: float

    def __add__(self, other: MeanStatistic) -> MeanStatistic:
        """The statistic of both samples together."""
        return MeanStatistic(
            self.n + other.n,
            self.total + other.total,
            self.total_of_squares + other.total_of_squares,
        )

    @property
    def mean(self) -> float:
        """Arithmetic mean; nan for an empty sample."""
        return self.total / self.n if self.n else math.nan

    @property
    def variance(self) -> float:
        """Unbiased sample variance; nan below two values, never negative."""
        if self.n < 2:
            return math.nan
        spread = self.total_of_squares - self.total * self.total / self.n
        return max(spread, 0.0) / (self.n - 1)


@dataclass(frozen=True, slots=True)
class ProportionStatistic:
    """Count and number of successes."""

    n: int
    successes: int

    def __add__(self, other: ProportionStatistic) -> ProportionStatistic:
        """The statistic of both samples together."""
        return ProportionStatistic(self.n + other.n, self.successes + other.successes)

    @property
    def share(self) -> float:
        """Share of successes; nan for an empty sample."""
        return self.successes / self.n if self.n else math.nan
