"""Materialising the analytics assets in this process, as the command line does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import build_reconstructable_job
from dagster._core.execution.api import execute_run_iterator

from tool_catalog_pipelines.errors import TerminalError


def run_asset_job(
    module: str,
    function: str,
    instance: dg.DagsterInstance,
    on_asset: Callable[[str, Mapping[str, Any]], None],
) -> str:
    """Run the asset job that a function of a module builds; returns the run id.

    Raises:
        TerminalError: the run failed; names the first failure.
    """
    job = build_reconstructable_job(module, function)
    run = instance.create_run_for_job(
        job_def=job.get_definition(),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    failure = ""
    for event in execute_run_iterator(job, run, instance):
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            metadata = {name: value.value for name, value in materialization.metadata.items()}
            on_asset(materialization.asset_key.to_user_string(), metadata)
        if event.is_failure and not failure:
            failure = _why(event)
    if failure:
        raise TerminalError(f"the analytics run {run.run_id} failed: {failure}")
    return run.run_id


def _why(event: dg.DagsterEvent) -> str:
    if event.is_step_failure:
        return f"{event.step_key}: {event.step_failure_data.error_display_string}"
    return event.message or "unknown"
