"""What an op does: check the plan, run the step, turn its result into Dagster's terms.

Failures become `dg.Failure`, further attempts `dg.RetryRequested`. What a step does is in
execution/step.py; how its result is shown is in orchestration/presentation.py. No postponed
annotations here: Dagster looks at the type of the context when an op is defined.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import dagster as dg

from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.execution.retry import delay_s, may_retry, retry_of
from tool_catalog_pipelines.execution.step import run_step
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.orchestration.chain_run import ChainRun
from tool_catalog_pipelines.orchestration.presentation import failure_text, step_metadata
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.spec.chain import RetrySpec

Compute = Callable[[dg.OpExecutionContext, Mapping[str, Any]], Iterator[dg.Output[StepResult]]]


def make_compute(plan: Plan, step: PlanStep) -> Compute:
    """The compute function of one step's op."""

    def compute(
        context: dg.OpExecutionContext, inputs: Mapping[str, Any]
    ) -> Iterator[dg.Output[StepResult]]:
        _check_fingerprint(plan, context.run.tags)
        run = cast("ChainRun", context.resources.chain_run)
        upstream = {name: cast("StepResult", inputs[name]) for name in step.data_from}
        attempt = context.retry_number + 1
        result = run_step(step, run.lock, upstream, attempt, run.services)
        metadata = step_metadata(step, result)
        if result.error is not None and step.on_error == "fail":
            _raise_failure(step, result, attempt, metadata, run)
        yield dg.Output(result, naming.RESULT, metadata=metadata)

    return compute


def _check_fingerprint(plan: Plan, tags: Mapping[str, str]) -> None:
    """A process that recompiled the job from an edited chain must not go on with another plan."""
    started_with = tags.get(naming.TAG_FINGERPRINT, plan.fingerprint)
    if started_with != plan.fingerprint:
        raise dg.Failure(
            f"the chain {plan.chain} was changed while this run was going on "
            f"(plan {started_with[:12]} when it started, {plan.fingerprint[:12]} now); "
            "start a new run",
            allow_retries=False,
        )


def _raise_failure(
    step: PlanStep, result: StepResult, attempt: int, metadata: Mapping[str, Any], run: ChainRun
) -> None:
    # Items of a foreach step are tried again one by one inside the step, not the step as a whole.
    if step.foreach is None and step.kind == "tool":
        retry = retry_of(step, run.lock.steps[step.id], run.services)
        if _may_retry(retry, result, attempt):
            raise dg.RetryRequested(
                max_retries=retry.attempts - 1, seconds_to_wait=delay_s(retry, attempt)
            ) from dg.Failure(failure_text(step, result))
    raise dg.Failure(failure_text(step, result), metadata=metadata, allow_retries=False)


def _may_retry(retry: RetrySpec, result: StepResult, attempt: int) -> bool:
    if result.error is None:
        return False
    return may_retry(retry, result.status, result.error.is_transient, attempt)
