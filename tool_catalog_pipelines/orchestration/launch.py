"""Running a chain in this process, as `tool-catalog chain run` and the demonstration do.

The run is an ordinary Dagster run: same job, same storage, visible in the UI while it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import build_reconstructable_job
from dagster._core.execution.api import execute_run_iterator

from tool_catalog_pipelines.execution.mapping import evaluate_reference
from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.orchestration.compiler import compile_plan
from tool_catalog_pipelines.orchestration.dead_runs import process_tags
from tool_catalog_pipelines.orchestration.outputs import read_result
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class StepNews:
    """What a person wants to hear while a chain runs: a step ended, or will be tried again."""

    step: str
    status: str
    note: str


@dataclass(frozen=True, slots=True)
class ChainOutcome:
    """How one run of a chain ended."""

    run_id: str
    succeeded: bool
    steps: Mapping[str, StepResult]
    outputs: Mapping[str, Any]
    failures: Mapping[str, str]
    """Why steps failed, by step id; the empty id is the run itself."""


def rebuild_job(chain: str) -> dg.JobDefinition:
    """The job of a chain, compiled from disk; what Dagster calls in every process of a run."""
    return compile_plan(find_chains(load_settings()).plan(chain))


def run_chain(
    plan: Plan,
    inputs: Mapping[str, Any],
    settings: Settings,
    instance: dg.DagsterInstance,
    on_news: Callable[[StepNews], None],
) -> ChainOutcome:
    """Run a chain to its end and report each step while it goes on."""
    job = build_reconstructable_job(__name__, rebuild_job.__name__, (plan.chain,))
    definition = job.get_definition()
    run = instance.create_run_for_job(
        job_def=definition,
        run_config={"inputs": dict(inputs), "log_level": "CRITICAL"},
        tags={
            **definition.run_tags,
            naming.TAG_USER: settings.actor,
            **process_tags(settings.host),
        },
    )
    failures: dict[str, str] = {}
    for event in execute_run_iterator(job, run, instance):
        news = _news(event)
        if news is not None:
            on_news(news)
        if event.is_failure:
            failures[event.step_key or ""] = _failure(event)
    final = instance.get_run_by_id(run.run_id)
    succeeded = final is not None and final.status == dg.DagsterRunStatus.SUCCESS
    return _outcome(plan, run.run_id, succeeded, failures, settings)


def _news(event: dg.DagsterEvent) -> StepNews | None:
    step = event.step_key or ""
    if event.event_type == dg.DagsterEventType.STEP_OUTPUT:
        values = {
            key.removeprefix(f"{naming.PREFIX}/"): str(value.value)
            for key, value in (event.step_output_data.metadata or {}).items()
        }
        note = values.get("error") or values.get("reason") or values.get("estimate", "")
        return StepNews(step, values.get("status", ""), note)
    if event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY:
        return StepNews(step, "retry", _failure_of_retry(event))
    if event.event_type == dg.DagsterEventType.STEP_FAILURE:
        return StepNews(step, "failed", _failure(event))
    return None


def _failure_of_retry(event: dg.DagsterEvent) -> str:
    error = event.step_retry_data.error
    return error.message.strip() if error else ""


def _failure(event: dg.DagsterEvent) -> str:
    if event.is_step_failure:
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return data.user_failure_data.description
        return data.error_display_string
    return event.message or ""


def _outcome(
    plan: Plan, run_id: str, succeeded: bool, failures: Mapping[str, str], settings: Settings
) -> ChainOutcome:
    results = {step.id: read_result(settings.outputs_dir, run_id, step.id) for step in plan.steps}
    steps = {step: result for step, result in results.items() if result is not None}
    outputs = {
        name: evaluate_reference(reference, {step: r.output for step, r in steps.items()})
        for name, reference in plan.outputs.items()
        if succeeded
    }
    return ChainOutcome(run_id, succeeded, steps, outputs, failures)
