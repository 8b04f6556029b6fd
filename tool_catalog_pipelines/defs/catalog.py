"""The catalogue as assets: importing YAML, what is in it, and a sensor that watches the files.

Does not belong here: what must be true of it (catalog_checks.py), changing it (manage.py).
"""

# Annotations stay types here: Dagster does not read a `context` whose type is a text.

from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import dagster as dg

from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.search.embedding import find_embedder
from tool_catalog_pipelines.catalog.search.index import refresh_index
from tool_catalog_pipelines.catalog.summary import CatalogueSummary, ChangeSummary, summary_of
from tool_catalog_pipelines.catalog.yaml_source import state_of_files
from tool_catalog_pipelines.defs.forms import CatalogueThresholds
from tool_catalog_pipelines.orchestration.changing import latest_metadata
from tool_catalog_pipelines.orchestration.executor import chain_executor
from tool_catalog_pipelines.orchestration.launchpad import form_of_op
from tool_catalog_pipelines.orchestration.markdown import markdown_table
from tool_catalog_pipelines.orchestration.plots import bars, histogram, table
from tool_catalog_pipelines.orchestration.resources import CatalogResource
from tool_catalog_pipelines.orchestration.typed import AssetJob, asset_job
from tool_catalog_pipelines.settings import Settings, load_settings

OWNER = "team:operations"
TOOLS = dg.AssetKey(["catalog", "tools"])
CATALOGUE = dg.AssetKey(["catalog", "catalogue"])
CHECKS = "catalogue_checks"
"""Name of the op that looks at what must be true of the catalogue."""


@dg.asset(
    key=TOOLS,
    group_name="catalog",
    owners=[OWNER],
    kinds={"postgres", "yaml"},
    description="Every tool version with its estimates, imported from the YAML folder.",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=7)),
    check_specs=[
        dg.AssetCheckSpec(
            "all_files_are_valid",
            asset=TOOLS,
            description="Every file of the YAML folder can be imported.",
        )
    ],
)
def tools(catalog: CatalogResource):
    """Import the YAML folder and say what the catalogue holds."""
    # No return type: Dagster takes the declared one for the only output, and checks are outputs.
    with catalog.open() as (opened, _):
        report = import_catalog(opened)
        snapshot = opened.publish()
    latest = snapshot.latest
    by_category = Counter(tool.spec.category for tool in latest)
    rows = [
        {"tool": t.label, "category": t.spec.category, "description": t.spec.description}
        for t in sorted(latest, key=lambda t: t.label)
    ]
    problems = "\n".join(map(str, report.problems)) or "none"
    return dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(
                check_name="all_files_are_valid",
                passed=not report.refused,
                metadata={"problems": problems},
            )
        ],
        metadata={
            "dagster/row_count": len(latest),
            "versions": len(snapshot.tools),
            "imported": len(report.imported),
            "unchanged": len(report.unchanged),
            "refused": problems,
            "tools": table(rows),
            "by_category": bars(dict(by_category.most_common()), "tools", "Tools by category"),
        },
    )


@dg.asset(
    key=CATALOGUE,
    deps=[TOOLS],
    group_name="catalog",
    owners=[OWNER],
    kinds={"postgres"},
    description="What the catalogue holds, how good it is, and what changed since the last look.",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=7)),
)
def catalogue(
    context: dg.AssetExecutionContext, catalog: CatalogResource
) -> dg.MaterializeResult[Any]:
    """Count what is there, and read in the audit log what came since the last materialisation."""
    last = latest_metadata(context.instance, CATALOGUE)
    with catalog.open() as (opened, settings):
        refresh_index(opened.engine, find_embedder(settings.embedder))
        snapshot = opened.publish()
        after = last.get("revision") if last.get("catalogue_id") == snapshot.catalog_id else None
        changes = opened.store.changes(after, snapshot.revision)
    return dg.MaterializeResult(
        metadata={
            **_numbers(summary_of(snapshot)),
            **_changes(changes),
            "revision": snapshot.revision,
            "catalogue_id": snapshot.catalog_id,
        }
    )


def _numbers(summary: CatalogueSummary) -> dict[str, Any]:
    """Numbers, which Dagster draws over time, tables, and plots."""
    counts = {
        "by_platform": ("platform", summary.by_platform),
        "by_category": ("category", summary.by_category),
        "by_status": ("status", summary.by_status),
        "by_execution": ("executed", summary.by_execution),
    }
    tables = {
        name: table([{what: key, "tools": number} for key, number in counted.items()])
        for name, (what, counted) in counts.items()
    }
    points = [rated.points for rated in summary.ratings]
    return {
        "dagster/row_count": summary.tools,
        "versions": summary.versions,
        "executable_share": round(summary.executable_share or 0.0, 3),
        "mean_quality": round(summary.mean_quality or 0.0, 1),
        **tables,
        "worst_tools": table([asdict(rated) for rated in summary.worst]),
        "quality_plot": histogram(points, (0, 100), "points", "Tools by quality"),
        "platform_plot": bars(summary.by_platform, "tools", "Tools by platform"),
    }


def _changes(changes: ChangeSummary) -> dict[str, Any]:
    counted = [{"change": name, "times": times} for name, times in changes.by_action.items()]
    total = sum(changes.by_action.values())
    text = f"**{changes.revisions}**\n\n{markdown_table(changes.rows, total)}"
    return {
        "changed_since": changes.revisions,
        "changes": dg.MetadataValue.md(text),
        "changes_by_action": dg.MetadataValue.md(markdown_table(counted)),
    }


def definitions(settings: Settings) -> dg.Definitions:
    """Assets, import job, and the sensor that starts it when a file changed."""
    form = form_of_op("catalog_import", CHECKS, CatalogueThresholds)
    job = asset_job("catalog_import", ("catalog",), "Import the YAML folder", chain_executor, form)
    return dg.Definitions(
        assets=[tools, catalogue],
        jobs=[job],
        sensors=[_files_sensor(job, settings)],
    )


def _files_sensor(job: AssetJob, settings: Settings) -> dg.SensorDefinition:
    def files_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        state = state_of_files(load_settings().catalog_dir)
        if state == context.cursor:
            return dg.SensorResult(skip_reason="no file has changed")
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=state)], cursor=state)

    return dg.SensorDefinition(
        name="catalog_files_changed",
        job=job,
        evaluation_fn=files_changed,
        minimum_interval_seconds=60,
        description=f"Imports the catalogue when a file of {settings.catalog_dir.name}/ changed.",
    )
