"""Running one step of a plan: condition, mapping, execution or transform, result.

Never raises for a failing tool: the result says what happened. Retries of a whole step are the
caller's (Dagster counts and delays them); retries of items are in foreach.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.execution.attempt import Attempt, Outcome, record_skipped, run_attempt
from tool_catalog_pipelines.execution.context import AttemptError, Services, UpstreamSkippedError
from tool_catalog_pipelines.execution.foreach import run_items
from tool_catalog_pipelines.execution.mapping import Scope, evaluate
from tool_catalog_pipelines.execution.result import StepError, StepResult
from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.planning.plan import PlanStep


def run_step(
    step: PlanStep,
    lock: RunLock,
    upstream: Mapping[str, StepResult],
    attempt: int,
    services: Services,
) -> StepResult:
    """Run one step; `attempt` counts from 1. Records a fact per execution."""
    scope = Scope(lock.inputs, upstream)
    reason = _why_not(step, scope)
    if reason is not None:
        return _skipped(step, lock, attempt, services, reason)
    try:
        if step.kind == "transform":
            return _transform(step, scope)
        if step.foreach is not None:
            return run_items(step, lock, scope, services)
        return _tool(step, lock, scope, attempt, services)
    except UpstreamSkippedError as skip:
        return _skipped(step, lock, attempt, services, str(skip))
    except AttemptError as error:
        return _refused(step, lock, attempt, services, error)


def _why_not(step: PlanStep, scope: Scope) -> str | None:
    """Why the step does not run, or None if it does; unknown counts as false."""
    if step.when is None:
        return None
    verdict = parse_condition(step.when).evaluate(scope.document())
    return None if verdict.lets_step_run else verdict.because


def _tool(
    step: PlanStep, lock: RunLock, scope: Scope, number: int, services: Services
) -> StepResult:
    arguments = {name: evaluate(value, scope) for name, value in step.arguments.items()}
    attempt = Attempt(step, lock, lock.steps[step.id], number, services)
    return _result(step, run_attempt(attempt, arguments))


def _result(step: PlanStep, outcome: Outcome) -> StepResult:
    fact = outcome.fact
    return StepResult(
        step=step.id,
        status=fact.status,
        output=outcome.output,
        error=_step_error(outcome.error, fact.error_message) if outcome.error else None,
        executions=(fact,),
        tool_label=f"{fact.platform}/{fact.tool_name}@{fact.tool_version}",
    )


def _step_error(error: AttemptError, message: str | None) -> StepError:
    position = str(error.position) if error.position else None
    return StepError(error.kind, message or str(error), error.is_transient, position)


def _transform(step: PlanStep, scope: Scope) -> StepResult:
    try:
        output: dict[str, Any] = {
            name: evaluate(value, scope) for name, value in step.arguments.items()
        }
    except AttemptError as error:
        return StepResult(step.id, "failed", None, _step_error(error, None))
    return StepResult(step.id, "success", output)


def _refused(
    step: PlanStep, lock: RunLock, number: int, services: Services, error: AttemptError
) -> StepResult:
    """A step whose arguments could not be made is a failed execution and leaves its fact."""
    if step.kind == "transform":
        return StepResult(step.id, "failed", None, _step_error(error, None))
    attempt = Attempt(step, lock, lock.steps[step.id], number, services)
    return _result(step, run_attempt(attempt, {}, refused=error))


def _skipped(
    step: PlanStep, lock: RunLock, number: int, services: Services, reason: str
) -> StepResult:
    facts = ()
    if step.kind == "tool":
        facts = (record_skipped(Attempt(step, lock, lock.steps[step.id], number, services)),)
    return StepResult(step.id, "skipped", None, executions=facts, reason=reason)
