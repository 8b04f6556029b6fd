"""The catalogue as an asset: importing YAML, what is in it, and a sensor that watches the files."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import dagster as dg

from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.yaml_source import state_of_files
from tool_catalog_pipelines.orchestration.executor import chain_executor
from tool_catalog_pipelines.orchestration.plots import bars, table
from tool_catalog_pipelines.orchestration.resources import CatalogResource
from tool_catalog_pipelines.orchestration.typed import AssetJob, asset_job
from tool_catalog_pipelines.settings import Settings, load_settings

OWNER = "team:operations"
TOOLS = dg.AssetKey(["catalog", "tools"])


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


@dg.asset_check(asset=TOOLS, description="Every tool has exactly one latest version.")
def every_tool_has_one_latest_version(catalog: CatalogResource) -> dg.AssetCheckResult:
    """Count versions in the channel `latest` by tool."""
    with catalog.open() as (opened, _):
        snapshot = opened.store.snapshot()
    keys = {(tool.header.tenant, *tool.header.key) for tool in snapshot.tools}
    counts = Counter(
        (tool.header.tenant, *tool.header.key)
        for tool in snapshot.tools
        if "latest" in tool.channels
    )
    wrong = sorted(key for key in keys if counts[key] != 1)
    return dg.AssetCheckResult(passed=not wrong, metadata={"tools": len(keys), "wrong": str(wrong)})


def definitions(settings: Settings) -> dg.Definitions:
    """Asset, checks, import job, and the sensor that starts it when a file changed."""
    job = asset_job("catalog_import", ("catalog",), "Import the YAML folder", chain_executor)
    return dg.Definitions(
        assets=[tools],
        asset_checks=[every_tool_has_one_latest_version],
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
