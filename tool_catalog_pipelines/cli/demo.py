"""The demonstration: a chain on this machine's own data, a trial of two versions, the judgements.

Everything shown was measured in the runs it starts; where evidence is short it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.cli.chain_progress import print_step
from tool_catalog_pipelines.cli.demo_catalogue import summary, tools_here
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.orchestration.analytics import run_asset_job
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.orchestration.instance import open_instance
from tool_catalog_pipelines.orchestration.launch import ChainOutcome, run_chain
from tool_catalog_pipelines.settings import Settings

EXAMPLE = "host_health"
TRIAL = "folder_search_trial"


def run_demo(catalog: Catalog, settings: Settings, screen: Screen) -> None:
    """Run everything and print the summary.

    Raises:
        TerminalError: a run failed.
    """
    chains = find_chains(settings)
    screen.problems(chains.problems)
    assets: dict[str, Mapping[str, Any]] = {}
    with open_instance(settings) as instance:
        screen.say(f"- run the chain {EXAMPLE}")
        example = run_chain(chains.plan(EXAMPLE), {}, settings, instance, print_step(screen))
        _must_succeed(EXAMPLE, example)
        trial: ChainOutcome | None = None
        if _evidence(settings) is None:
            with screen.phase(f"run the chain {TRIAL}: two versions of linux/search_folder"):
                trial = run_chain(chains.plan(TRIAL), {}, settings, instance, lambda _: None)
            _must_succeed(TRIAL, trial)
        snapshot = catalog.seen()
        here = tools_here(snapshot, settings, screen)
        with screen.phase("load facts, compute marts, judge, recalibrate"):
            job = "analytics_job"
            run_asset_job("tool_catalog_pipelines.defs.jobs", job, instance, assets.__setitem__)
    screen.say("\nThe catalogue", "bold")
    for line in summary(snapshot, here):
        screen.say(f"  {line}")
    _summary(catalog, settings, screen, example, trial)


def _must_succeed(chain: str, outcome: ChainOutcome) -> None:
    if not outcome.succeeded:
        why = "; ".join(outcome.failures.values())
        raise TerminalError(f"the chain {chain} failed (run {outcome.run_id}): {why}")


def _evidence(settings: Settings) -> int | None:
    """Exposures that the trial's experiment has already, or None if there are too few."""
    if not settings.published_path.exists():
        return None
    rows = query(
        settings,
        "SELECT min(exposures) AS n, count(*) AS arms FROM experiment_arms "
        "WHERE experiment = 'folder_search'",
    )
    return int(rows[0]["n"]) if rows[0]["arms"] == 2 and rows[0]["n"] >= 100 else None


def _summary(
    catalog: Catalog,
    settings: Settings,
    screen: Screen,
    example: ChainOutcome,
    trial: ChainOutcome | None,
) -> None:
    screen.say("\nWhat ran", "bold")
    screen.say(f"  {EXAMPLE}: run {example.run_id}, {len(example.steps)} steps")
    if trial is not None:
        searched = trial.outputs.get("searched")
        screen.say(f"  {TRIAL}: run {trial.run_id}, {searched} searches")
    screen.say("\nWhat it found", "bold")
    for line in _findings(example):
        screen.say(f"  {line}")
    screen.say("\nWhat it cost", "bold")
    for line in _costs(settings, example.run_id):
        screen.say(f"  {line}")
    screen.say("\nWhat was learnt", "bold")
    for line in _learnt(catalog, settings):
        screen.say(f"  {line}")
    screen.say("\nWhere to look", "bold")
    screen.say(f"  report     {example.outputs.get('report_path')}")
    screen.say(f"  analysts   {settings.published_path} (DuckDB, open it read-only)")


def _findings(example: ChainOutcome) -> list[str]:
    outputs = {step: result.output for step, result in example.steps.items()}
    disks = sorted(
        outputs["disks"]["filesystems"], key=lambda d: d.get("use_percent") or 0, reverse=True
    )
    memory = next((m for m in outputs["memory"]["memory"] if m["type"] == "Mem"), None)
    lines = [f"fullest file system: {disks[0]['mounted_on']} at {disks[0]['use_percent']} %"]
    full = outputs["full"]["mounts"]
    lines.append(f"nearly full: {', '.join(full) or 'none'}")
    if memory is not None:
        share = memory["available"] / memory["total"]
        lines.append(f"memory available: {memory['available'] / 2**30:.1f} GiB ({share:.0%})")
    busiest = outputs["busiest"]["rows"]
    if busiest:
        command = Path(str(busiest[0]["command"]).split()[0]).name
        lines.append(f"largest process: {command} with {busiest[0]['rss_kib'] / 1024:.0f} MiB")
    lines.append(f"listening sockets: {len(outputs['sockets']['sockets'])}")
    return lines


def _costs(settings: Settings, run_id: str) -> list[str]:
    rows = query(
        settings,
        "SELECT count(*) AS n, sum(duration_ms) AS work_ms, sum(cpu_seconds) AS cpu, "
        "sum(estimate_ms) AS estimate_ms FROM executions WHERE run_id = ? AND status <> 'skipped'",
        [run_id],
    )
    row = rows[0]
    return [
        f"{row['n']} executions, {row['work_ms']:.0f} ms of work, "
        f"{row['cpu'] or 0:.2f} s of processor time",
        f"estimated before: {row['estimate_ms'] or 0:.0f} ms",
    ]


def _learnt(catalog: Catalog, settings: Settings) -> list[str]:
    from tool_catalog_pipelines.judgement.history import latest_judgements

    judged = latest_judgements(catalog.engine, settings)
    lines = [f"experiment {v.subject}: {v.text}" for v in judged.experiments]
    lines += [f"drift: {v.subject}: {v.text}" for v in judged.drifted]
    if judged.waiting:
        lines.append(f"drift: not enough data yet for {judged.waiting} other patterns")
    lines += [f"estimate: {v.subject}: {v.text}" for v in judged.estimates]
    return lines or ["nothing yet"]
