"""Verdicts on experiments as an asset."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from tool_catalog_pipelines.defs.marts import ARMS, OWNER
from tool_catalog_pipelines.judgement.experiments import judge_experiments
from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.orchestration.plots import scatter, table
from tool_catalog_pipelines.orchestration.resources import CatalogResource
from tool_catalog_pipelines.settings import Settings

VERDICTS = dg.AssetKey(["judgement", "experiment_verdicts"])


@dg.asset(
    key=VERDICTS,
    deps=[ARMS],
    group_name="judgement",
    owners=[OWNER],
    kinds={"postgres", "duckdb"},
    description="Which version of a tool is better, or how much evidence is still missing.",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2)),
    check_specs=[
        dg.AssetCheckSpec(
            "splits_are_as_planned",
            asset=VERDICTS,
            description="Units are split between the arms as planned (no SRM).",
        )
    ],
)
def experiment_verdicts(catalog: CatalogResource):
    """Judge every active experiment."""
    # No return type: Dagster takes the declared one for the only output, and checks are outputs.
    with catalog.open() as (opened, settings):
        verdicts = judge_experiments(settings, opened.engine)
    rows = [verdict.as_row() for verdict in verdicts]
    off = [verdict.result.reason for verdict in verdicts if verdict.result.state == "srm"]
    return dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(
                check_name="splits_are_as_planned",
                passed=not off,
                metadata={"off": "\n".join(off) or "none"},
            )
        ],
        metadata={
            "dagster/row_count": len(rows),
            "verdicts": table(rows),
            "time_by_arm": _time_by_arm(settings),
        },
    )


def _time_by_arm(settings: Settings) -> dg.MarkdownMetadataValue:
    """Time of each exposed execution against the estimate's variable or its order."""
    rows = query(
        settings,
        "SELECT experiment || ' ' || arm || ' ' || tool_version AS arm, "
        "greatest(estimate_ms, 1) AS estimate_ms, duration_ms "
        "FROM executions WHERE experiment IS NOT NULL AND status = 'success' LIMIT 3000",
    )
    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        series.setdefault(row["arm"], []).append((row["estimate_ms"], row["duration_ms"]))
    return scatter(
        series, "estimate (ms)", "actual (ms)", "Time of every exposed execution, by arm"
    )


def definitions() -> dg.Definitions:
    """The asset with its check."""
    return dg.Definitions(assets=[experiment_verdicts])
