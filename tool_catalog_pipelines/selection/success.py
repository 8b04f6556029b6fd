"""How often a pattern succeeds, from its executions: what it takes until it has succeeded once.

With success rate p an execution is repeated 1/p times on average, so that time and cost are
divided by it. The prior Beta(2, 2) keeps few executions from saying much; below MIN_EXECUTIONS
they say nothing. Uncertainty is shown and never scored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

MIN_EXECUTIONS = 20
PRIOR_SUCCESSES, PRIOR_FAILURES = 2.0, 2.0
_Z95 = 1.959963984540054

PatternOfTool = tuple[str, str]
"""`platform/name@version`, and `capability/pattern`."""
History = Mapping[PatternOfTool, tuple[int, int]]
"""Executions that succeeded and that failed."""


@dataclass(frozen=True, slots=True)
class SuccessRate:
    """The mean of the posterior, and the 95 % score interval of the plain share."""

    rate: float
    low: float
    high: float
    executions: int

    @property
    def origin(self) -> str:
        """The basis in words."""
        return f"from {self.executions} executions"


def success_rate(counts: tuple[int, int] | None) -> SuccessRate | None:
    """The success rate of (successes, failures); None while there are too few of them."""
    if counts is None or sum(counts) < MIN_EXECUTIONS:
        return None
    successes, failures = counts
    total = successes + failures
    rate = (successes + PRIOR_SUCCESSES) / (total + PRIOR_SUCCESSES + PRIOR_FAILURES)
    low, high = score_interval(successes / total, total)
    return SuccessRate(rate, low, high, total)


def score_interval(share: float, total: int) -> tuple[float, float]:
    """95 % interval of a share, from how often it was so among how many.

    Wilson, 1927, "Probable inference, the law of succession, and statistical inference".
    """
    square = _Z95 * _Z95
    centre = (share + square / (2 * total)) / (1 + square / total)
    spread = share * (1 - share) / total + square / (4 * total * total)
    half = _Z95 * math.sqrt(spread) / (1 + square / total)
    return max(0.0, centre - half), min(1.0, centre + half)
