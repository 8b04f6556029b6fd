"""The verdict on an A/B test: sample ratio, evidence, guardrail, effect, in this order.

Time is compared on ln(ms), so that the effect is a ratio and a long tail does not decide. The
interval is an asymptotic confidence sequence, which holds at every look and not at one planned
end only: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, arXiv 2103.06476, eq. 24.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from tool_catalog_pipelines.stats.statistics import MeanStatistic, ProportionStatistic

SRM_ALPHA = 0.001
"""Below this p the split itself is broken and nothing else may be concluded."""
IMPLAUSIBLE_RATIO = 50.0

State = Literal[
    "not_enough_data", "cannot_tell", "srm", "guardrail_failed", "no_difference_yet", "winner"
]


@dataclass(frozen=True, slots=True)
class Arm:
    """What one arm did: exposures with their successes, and ln(ms) of the successful ones."""

    exposures: ProportionStatistic
    ln_ms: MeanStatistic


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """A verdict with the numbers behind it.

    `ratio` is the typical time of arm b divided by that of arm a, with its always-valid interval.
    """

    state: State
    winner: Literal["a", "b"] | None
    reason: str
    n_a: int
    n_b: int
    srm_p: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    success_a: float | None = None
    success_b: float | None = None


def judge(
    arm_a: Arm, arm_b: Arm, traffic_split: float, minimum_per_arm: int, alpha: float
) -> ExperimentResult:
    """Judge an experiment on time with the success rate as guardrail.

    Args:
        arm_a: the baseline.
        arm_b: the challenger.
        traffic_split: planned share of arm b.
        minimum_per_arm: successful executions that each arm needs.
        alpha: chance of a false winner over the whole life of the experiment.
    """
    n_a, n_b = arm_a.ln_ms.n, arm_b.ln_ms.n
    srm_p = sample_ratio_p(arm_a.exposures.n, arm_b.exposures.n, traffic_split)
    if srm_p is not None and srm_p < SRM_ALPHA:
        reason = (
            f"the split is off: {arm_a.exposures.n} to {arm_b.exposures.n} units where "
            f"{1 - traffic_split:.0%} to {traffic_split:.0%} were planned (p = {srm_p:.2g})"
        )
        return ExperimentResult("srm", None, reason, n_a, n_b, srm_p)
    if min(n_a, n_b) < max(minimum_per_arm, 2):
        reason = f"not enough data: {n_a} and {n_b} of {minimum_per_arm} executions per arm"
        return ExperimentResult("not_enough_data", None, reason, n_a, n_b, srm_p)
    return _compared(arm_a, arm_b, alpha, srm_p)


def _compared(arm_a: Arm, arm_b: Arm, alpha: float, srm_p: float | None) -> ExperimentResult:
    n_a, n_b = arm_a.ln_ms.n, arm_b.ln_ms.n
    effect = arm_b.ln_ms.mean - arm_a.ln_ms.mean
    half_width = sequence_half_width(arm_a.ln_ms, arm_b.ln_ms, alpha)
    if not math.isfinite(effect) or half_width is None:
        reason = "the times have no spread or are not finite, so no interval can be given"
        return ExperimentResult("cannot_tell", None, reason, n_a, n_b, srm_p)
    low, high = effect - half_width, effect + half_width
    state, winner, reason = _verdict(arm_a, arm_b, effect, low, high)
    return ExperimentResult(
        state=state,
        winner=winner,
        reason=reason,
        n_a=n_a,
        n_b=n_b,
        srm_p=srm_p,
        ratio=math.exp(effect),
        ratio_low=math.exp(low),
        ratio_high=math.exp(high),
        success_a=arm_a.exposures.share,
        success_b=arm_b.exposures.share,
    )


def _verdict(
    arm_a: Arm, arm_b: Arm, effect: float, low: float, high: float
) -> tuple[State, Literal["a", "b"] | None, str]:
    interval = f"{math.exp(low):.2f} to {math.exp(high):.2f}"
    shown = f"b takes {math.exp(effect):.2f} times as long ({interval})"
    if abs(effect) > math.log(IMPLAUSIBLE_RATIO):
        return "cannot_tell", None, f"{shown}: implausible; check that both do the same work"
    if low <= 0 <= high:
        return "no_difference_yet", None, f"{shown}; the baseline stays"
    winner: Literal["a", "b"] = "b" if effect < 0 else "a"
    better, worse = (arm_b, arm_a) if winner == "b" else (arm_a, arm_b)
    p = guardrail_p(worse.exposures, better.exposures)
    if p is not None and p < 0.05:
        reason = (
            f"{shown}, but the faster arm fails more often "
            f"({better.exposures.share:.1%} against {worse.exposures.share:.1%}, p = {p:.2g})"
        )
        return "guardrail_failed", None, reason
    return "winner", winner, shown


def sample_ratio_p(n_a: int, n_b: int, traffic_split: float) -> float | None:
    """Chi-square p of the observed split; None below five expected units per arm."""
    total = n_a + n_b
    expected = (total * (1 - traffic_split), total * traffic_split)
    if min(expected) < 5:
        return None
    statistic = sum((n - e) ** 2 / e for n, e in zip((n_a, n_b), expected, strict=True))
    return float(stats.chi2.sf(statistic, df=1))


def guardrail_p(baseline: ProportionStatistic, other: ProportionStatistic) -> float | None:
    """One-sided p that `other` succeeds less often, by Fisher's exact test; None if all succeed."""
    failures = (baseline.n - baseline.successes) + (other.n - other.successes)
    if failures == 0:
        return None
    table = np.array(
        [
            [other.successes, other.n - other.successes],
            [baseline.successes, baseline.n - baseline.successes],
        ]
    )
    result = stats.fisher_exact(table, alternative="less")
    return float(result.pvalue)


def sequence_half_width(a: MeanStatistic, b: MeanStatistic, alpha: float) -> float | None:
    """Half width of the always-valid interval of the difference of means; None without spread.

    Both arms are treated as one stream of n = nA + nB units with the variance n (sA/nA + sB/nB);
    rho is tuned to be tightest near the present n.
    """
    if min(a.n, b.n) < 2:
        return None
    n = a.n + b.n
    variance = n * (a.variance / a.n + b.variance / b.n)
    if not math.isfinite(variance) or variance <= 0:
        return None
    tuned_for = 500.0
    log_alpha = math.log(alpha)
    rho2 = (-2 * log_alpha + math.log(1 - 2 * log_alpha)) / tuned_for
    spread = n * rho2 + 1
    return math.sqrt(variance * 2 * spread / (n * n * rho2) * math.log(math.sqrt(spread) / alpha))
