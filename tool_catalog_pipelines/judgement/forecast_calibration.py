"""Forecasts of runs -> whether their intervals keep what they promise, by chain and altogether.

Does not belong here: making and comparing forecasts (chain_forecasts.py), the verdict itself
(stats/calibration.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.stats.calibration import Calibration, judge_positions

MEASURES: Mapping[str, str] = {"elapsed": "elapsed_ms", "work": "work_ms", "cost": "cost_units"}
"""What is forecast, and its unit as in the columns of chain_forecasts."""
ALL_CHAINS = "all chains"
NEWEST = 500
"""Forecasts of a chain that are judged: how it predicts now, not how it did long ago."""
_POSITIONS = """
    SELECT chain, {measure}_position AS position FROM chain_forecasts
    WHERE tenant = ? AND environment = ? AND outcome = 'succeeded'
        AND {measure}_position IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY chain ORDER BY run_started_at DESC) <= ?
"""


@dataclass(frozen=True, slots=True)
class ForecastVerdict:
    """The verdict on one measure of one chain, or of all chains together."""

    chain: str
    measure: str
    result: Calibration

    def as_row(self) -> dict[str, Any]:
        """Flat and narrow, for tables; shares in percent."""
        result = self.result
        return {
            "chain": self.chain,
            "measure": self.measure,
            "state": result.state,
            "runs": result.n,
            "inside_percent": _percent(result.share),
            "true_share_percent": f"{_percent(result.low)} to {_percent(result.high)}",
            "above_percent": _percent(result.above),
        }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"


def judge_forecasts(settings: Settings) -> list[ForecastVerdict]:
    """A verdict for every measure: first on all chains together, then on each chain."""
    verdicts: list[ForecastVerdict] = []
    for measure in MEASURES:
        by_chain = positions(settings, measure)
        every = [position for of_chain in by_chain.values() for position in of_chain]
        verdicts.append(ForecastVerdict(ALL_CHAINS, measure, judge_positions(every)))
        verdicts += [
            ForecastVerdict(chain, measure, judge_positions(of_chain))
            for chain, of_chain in sorted(by_chain.items())
        ]
    return verdicts


def positions(settings: Settings, measure: str) -> dict[str, list[float]]:
    """Where actual values stood in their forecasts, by chain, newest first."""
    statement = _POSITIONS.format(measure=measure)
    rows = query(settings, statement, [settings.tenant, settings.environment, NEWEST])
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["chain"], []).append(row["position"])
    return found


def newest_forecasts(settings: Settings, most: int) -> list[dict[str, Any]]:
    """The newest runs that succeeded and had an interval, oldest first; times in milliseconds."""
    rows = query(
        settings,
        "SELECT chain, elapsed_low_ms AS low, elapsed_middle_ms AS middle, "
        "elapsed_high_ms AS high, actual_elapsed_ms AS actual FROM chain_forecasts "
        "WHERE tenant = ? AND environment = ? AND outcome = 'succeeded' "
        "AND elapsed_position IS NOT NULL ORDER BY run_started_at DESC LIMIT ?",
        [settings.tenant, settings.environment, most],
    )
    return rows[::-1]
