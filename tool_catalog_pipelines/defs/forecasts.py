"""Whether forecasts of chains come true, as an asset: the predictor itself is judged."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from tool_catalog_pipelines.defs.marts import FORECASTS, OWNER
from tool_catalog_pipelines.judgement.forecast_calibration import (
    judge_forecasts,
    newest_forecasts,
    positions,
)
from tool_catalog_pipelines.orchestration.plots import histogram, intervals, table
from tool_catalog_pipelines.settings import load_settings

CALIBRATION = dg.AssetKey(["judgement", "forecast_calibration"])
RUNS_SHOWN = 100


@dg.asset(
    key=CALIBRATION,
    deps=[FORECASTS],
    group_name="judgement",
    owners=[OWNER],
    kinds={"duckdb"},
    description="How often runs end within the interval that was forecast for them.",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2)),
    check_specs=[
        dg.AssetCheckSpec(
            "intervals_hold_what_they_claim",
            asset=CALIBRATION,
            description="About 80 % of all runs end within their 80 % interval; a warning only.",
        )
    ],
)
def forecast_calibration():
    """Judge the forecasts of every chain."""
    # No return type: Dagster takes the declared one for the only output, and checks are outputs.
    settings = load_settings()
    verdicts = judge_forecasts(settings)
    rows = [verdict.as_row() for verdict in verdicts]
    newest = newest_forecasts(settings, RUNS_SHOWN)
    elapsed = [one for of_chain in positions(settings, "elapsed").values() for one in of_chain]
    overall = next(verdict for verdict in verdicts if verdict.measure == "elapsed").result
    return dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(
                check_name="intervals_hold_what_they_claim",
                # One verdict only: of many, some are off by chance.
                passed=overall.state not in ("overconfident", "too_wide"),
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"state": overall.state, "verdict": overall.reason},
            )
        ],
        metadata={
            "dagster/row_count": len(rows),
            "share_inside": "none yet" if overall.share is None else round(overall.share, 3),
            "verdict": overall.reason,
            "verdicts": table(rows),
            "forecast_and_actual": intervals(
                [(row["low"], row["high"]) for row in newest],
                [row["actual"] for row in newest],
                "time from start to end (ms)",
                "What was forecast for the newest runs, and what they took",
            ),
            "positions": histogram(
                elapsed,
                (0.0, 1.0),
                "place of the actual time in its forecast (0.5 is the middle)",
                "Even: right; peaks at both ends: too narrow; leaning right: runs are slower",
            ),
        },
    )


def definitions() -> dg.Definitions:
    """The asset with its check."""
    return dg.Definitions(assets=[forecast_calibration])
