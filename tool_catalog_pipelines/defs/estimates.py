"""Drift verdicts and recalibrated estimates as assets: the end of the loop, and its beginning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg

from tool_catalog_pipelines.defs.marts import EXECUTIONS, OWNER
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.judgement.drift import judge_drift
from tool_catalog_pipelines.judgement.recalibration import recalibrate_all
from tool_catalog_pipelines.orchestration.plots import bars, table
from tool_catalog_pipelines.orchestration.resources import CatalogResource

FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2))
DRIFT = dg.AssetKey(["judgement", "drift_verdicts"])
ESTIMATES = dg.AssetKey(["judgement", "recalibrated_estimates"])


@dg.asset(
    key=DRIFT,
    deps=[EXECUTIONS],
    group_name="judgement",
    owners=[OWNER],
    kinds={"postgres", "duckdb"},
    description="Whether tools still take the time that their estimates say.",
    freshness_policy=FRESH,
    check_specs=[
        dg.AssetCheckSpec(
            "no_tool_has_drifted",
            asset=DRIFT,
            description="No tool takes another time than its estimate; a warning only.",
        )
    ],
)
def drift_verdicts(catalog: CatalogResource):
    """Judge every pattern that has executions."""
    # No return type: Dagster takes the declared one for the only output, and checks are outputs.
    with catalog.open() as (opened, settings):
        verdicts = judge_drift(settings, opened.engine)
    rows = sorted((v.as_row() for v in verdicts), key=lambda row: row["state"])
    drifted = [v.subject.label for v in verdicts if v.result.state == "drifted"]
    ratios = {v.subject.label: v.result.ratio for v in verdicts if v.result.ratio is not None}
    return dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(
                check_name="no_tool_has_drifted",
                passed=not drifted,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"drifted": "\n".join(drifted) or "none"},
            )
        ],
        metadata={
            "dagster/row_count": len(rows),
            "verdicts": table(rows),
            "actual_to_estimate": bars(
                ratios, "actual time / estimate", "How far off the estimates are"
            ),
        },
    )


@dg.asset(
    key=ESTIMATES,
    deps=[DRIFT, EXECUTIONS],
    group_name="judgement",
    owners=[OWNER],
    kinds={"postgres"},
    description="Estimates fitted again where that predicts better, with their evidence.",
    freshness_policy=FRESH,
)
def recalibrated_estimates(catalog: CatalogResource) -> dg.MaterializeResult[Any]:
    """Publish better estimates into the catalogue."""
    with catalog.open() as (opened, settings):
        outcomes = recalibrate_all(settings, opened)
    rows = [outcome.as_row() for outcome in outcomes]
    errors = {
        f"{o.subject.label} {when}": 100 * error
        for o in outcomes
        if o.revision is not None
        for when, error in (("before", o.found.error_before), ("after", o.found.error_after))
        if error is not None
    }
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "published": sum(outcome.revision is not None for outcome in outcomes),
            "outcomes": table(rows),
            "held_out_error": bars(
                errors, "median error on held-out executions (%)", "What recalibration changed"
            ),
        }
    )


@dg.asset_check(asset=ESTIMATES, description="Every current estimate can be evaluated.")
def current_estimates_parse(catalog: CatalogResource) -> dg.AssetCheckResult:
    """Parse every expression of the catalogue."""
    with catalog.open() as (opened, _):
        snapshot = opened.store.snapshot()
    broken: list[str] = []
    for tool in snapshot.tools:
        for estimate in tool.estimates.values():
            for text in filter(None, (estimate.time_ms, estimate.cost_units)):
                try:
                    parse_estimate(text)
                except ExpressionError as error:
                    broken.append(f"{tool.label}: {text}: {error}")
    return dg.AssetCheckResult(passed=not broken, metadata={"broken": "\n".join(broken) or "none"})


def definitions() -> dg.Definitions:
    """The assets and their checks."""
    return dg.Definitions(
        assets=[drift_verdicts, recalibrated_estimates],
        asset_checks=[current_estimates_parse],
    )
