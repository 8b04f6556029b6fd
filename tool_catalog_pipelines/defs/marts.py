"""Facts and marts as assets: loaded, computed and published in one refresh, checked apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from tool_catalog_pipelines.defs.contracts import facts_contract_problems
from tool_catalog_pipelines.judgement.chain_forecasts import compare_forecasts
from tool_catalog_pipelines.judgement.history import stored_facts
from tool_catalog_pipelines.judgement.marts import refresh_marts
from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.orchestration.ended_runs import ended_runs
from tool_catalog_pipelines.orchestration.plots import scatter, table
from tool_catalog_pipelines.orchestration.resources import CatalogResource
from tool_catalog_pipelines.orchestration.typed import asset_job
from tool_catalog_pipelines.settings import Settings, load_settings
from tool_catalog_pipelines.telemetry.partitions import ensure_partitions
from tool_catalog_pipelines.telemetry.spool import deliver_spool
from tool_catalog_pipelines.telemetry.spool_folder import spool_of
from tool_catalog_pipelines.telemetry.writer import FactWriter

OWNER = "team:analytics"
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2))
EXECUTIONS = dg.AssetKey(["telemetry", "executions"])
DAILY = dg.AssetKey(["marts", "daily_performance"])
HOURLY = dg.AssetKey(["marts", "hourly_performance"])
ARMS = dg.AssetKey(["marts", "experiment_arms"])
FORECASTS = dg.AssetKey(["marts", "forecast_calibration"])
MARTS_POOL = "marts"

_DESCRIPTIONS = {
    EXECUTIONS: "Every attempt of a step or item, loaded from PostgreSQL since the last refresh.",
    DAILY: "Performance per day, tool version and pattern, as mergeable statistics.",
    HOURLY: "Performance per hour, tool version and pattern, as mergeable statistics.",
    ARMS: "What each arm of each experiment did.",
    FORECASTS: "How often runs ended within the interval that was forecast for them, per chain.",
}


def _spec(key: dg.AssetKey) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=key,
        deps=[] if key == EXECUTIONS else [EXECUTIONS],
        group_name=key.path[0],
        owners=[OWNER],
        kinds={"duckdb", "postgres"} if key == EXECUTIONS else {"duckdb"},
        description=_DESCRIPTIONS[key],
        freshness_policy=FRESH,
    )


@dg.multi_asset(
    name="refresh_marts",
    specs=[_spec(key) for key in _DESCRIPTIONS],
    pool=MARTS_POOL,
    description="Loads new facts into DuckDB, computes the marts and publishes the file.",
)
def marts(catalog: CatalogResource) -> Iterator[dg.MaterializeResult[Any]]:
    """One refresh; DuckDB has one writer, which the pool and a lock in PostgreSQL ensure."""
    with catalog.open() as (opened, settings):
        spool = spool_of(opened.engine, settings.spool_dir)
        deliver_spool(spool, FactWriter(opened.engine).write)
        ensure_partitions(opened.engine)
        compare_forecasts(opened.engine, ended_runs(dg.AssetExecutionContext.get().instance))
        report = refresh_marts(settings, opened.database)
    for key in _DESCRIPTIONS:
        name = key.path[-1]
        metadata: dict[str, dg.MetadataValue | int | str] = {
            "dagster/row_count": report.rows[name],
            "preview": table(_preview(settings, name)),
        }
        if key == EXECUTIONS:
            metadata |= {
                "loaded": report.loaded_facts,
                "rebuilt": report.rebuilt or "no",
                "actual_against_estimate": _actual_against_estimate(settings),
            }
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def _preview(settings: Settings, name: str) -> list[dict[str, object]]:
    columns = {
        "executions": "started_at, step, item, tool_name, tool_version, status, duration_ms",
        "experiment_arms": "experiment, arm, tool_version, exposures, successes",
        "forecast_calibration": "*",
    }.get(name, "* EXCLUDE (sum_ms, sum_square_ms2)")
    order = "started_at DESC" if name == "executions" else "ALL"
    return query(settings, f"SELECT {columns} FROM {name} ORDER BY {order} LIMIT 15")  # noqa: S608 - constants


def _actual_against_estimate(settings: Settings) -> dg.MarkdownMetadataValue:
    rows = query(
        settings,
        "SELECT tool_name, estimate_ms, duration_ms FROM estimate_ratio "
        "WHERE estimate_ms > 0 ORDER BY started_at DESC LIMIT 2000",
    )
    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        series.setdefault(row["tool_name"], []).append((row["estimate_ms"], row["duration_ms"]))
    largest = sorted(series, key=lambda name: -len(series[name]))[:8]
    return scatter(
        {name: series[name] for name in largest},
        "estimate (ms)",
        "actual (ms)",
        "Actual time against the estimate",
    )


@dg.asset_check(asset=EXECUTIONS, description="Every fact meets the contract of the table.")
def executions_meet_their_contract() -> dg.AssetCheckResult:
    """Expectations of the Great Expectations suite in defs/contracts.py."""
    problems = facts_contract_problems(load_settings())
    return dg.AssetCheckResult(
        passed=not problems, metadata={"problems": "\n".join(problems) or "none"}
    )


@dg.asset_check(asset=EXECUTIONS, description="DuckDB holds as many facts as PostgreSQL.")
def no_fact_is_missing(catalog: CatalogResource) -> dg.AssetCheckResult:
    """Compare the numbers of rows; newer facts in PostgreSQL are no fault."""
    settings = load_settings()
    loaded = query(settings, "SELECT count(*) AS n FROM executions")[0]["n"]
    with catalog.open() as (opened, _):
        stored = stored_facts(opened.engine)
    return dg.AssetCheckResult(
        passed=loaded <= stored, metadata={"in_duckdb": loaded, "in_postgresql": stored}
    )


@dg.asset_check(asset=DAILY, description="The marts count every execution once.")
def daily_counts_add_up() -> dg.AssetCheckResult:
    """The sum over days equals the number of facts that are not skipped."""
    settings = load_settings()
    summed = query(settings, "SELECT coalesce(sum(executions), 0) AS n FROM daily_performance")
    counted = query(settings, "SELECT count(*) AS n FROM executions WHERE status <> 'skipped'")
    total, facts = int(summed[0]["n"]), int(counted[0]["n"])
    return dg.AssetCheckResult(passed=total == facts, metadata={"sum": total, "facts": facts})


@dg.asset_check(asset=HOURLY, description="The hourly marts count every execution once.")
def hourly_counts_add_up() -> dg.AssetCheckResult:
    """The sum over hours equals the sum over days."""
    settings = load_settings()
    hours = query(settings, "SELECT coalesce(sum(executions), 0) AS n FROM hourly_performance")
    days = query(settings, "SELECT coalesce(sum(executions), 0) AS n FROM daily_performance")
    return dg.AssetCheckResult(passed=hours[0]["n"] == days[0]["n"])


def definitions() -> dg.Definitions:
    """Assets and checks, and the job and schedule that refresh and judge."""
    job = asset_job(
        "analytics",
        ("telemetry", "marts", "judgement"),
        "Load facts, compute marts, judge experiments and drift, recalibrate",
        # One after another: their libraries are imported inside the assets, and libraries that
        # import each other in circles break when several threads import them at once.
        dg.in_process_executor,
    )
    return dg.Definitions(
        assets=[marts],
        asset_checks=[
            executions_meet_their_contract,
            no_fact_is_missing,
            daily_counts_add_up,
            hourly_counts_add_up,
        ],
        jobs=[job],
        schedules=[
            dg.ScheduleDefinition(
                name="analytics_hourly",
                job=job,
                cron_schedule="7 * * * *",
                execution_timezone="UTC",
                description="Keeps marts, verdicts and estimates at most an hour old",
            )
        ],
    )
