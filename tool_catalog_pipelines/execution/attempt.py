"""One attempt of one step or item: check, execute, measure, record the fact.

An attempt always leaves exactly one fact, also when it is refused, fails or is interrupted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogTool, Estimate
from tool_catalog_pipelines.errors import NotFoundError, ToolCatalogError
from tool_catalog_pipelines.execution.binding import Usage, execute_binding
from tool_catalog_pipelines.execution.context import AttemptError, Services, no_secrets
from tool_catalog_pipelines.execution.inputs import checked_inputs, redacted
from tool_catalog_pipelines.execution.measures import (
    Estimated,
    cost_units,
    estimated,
    variables_before,
    variables_measured,
)
from tool_catalog_pipelines.execution.parsing import check_output
from tool_catalog_pipelines.execution.policy import check_policy, time_limit_s
from tool_catalog_pipelines.execution.python_functions import FunctionContext
from tool_catalog_pipelines.execution.requirements import check_startable
from tool_catalog_pipelines.execution.secrets import UsedSecrets
from tool_catalog_pipelines.facts import NO_ITEM, Execution, Status
from tool_catalog_pipelines.planning.lock import LockedStep, RunLock
from tool_catalog_pipelines.planning.plan import PlanStep
from tool_catalog_pipelines.spec.tool import PatternSpec

MESSAGE_LIMIT = 2000
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|/[^\s:,;]+|0x[0-9a-fA-F]+|\b[0-9a-f]{8,}\b|\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt is about."""

    step: PlanStep
    lock: RunLock
    locked: LockedStep
    number: int
    services: Services
    item: str = NO_ITEM


@dataclass(slots=True)
class _Measured:
    """What is known about an attempt while it goes on."""

    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    before: Mapping[str, float] = field(default_factory=dict[str, float])
    after: Mapping[str, float] = field(default_factory=dict[str, float])
    estimate: Estimated = field(default_factory=lambda: Estimated(None, None))
    usage: Usage = field(default_factory=Usage)
    secrets: UsedSecrets = field(default_factory=lambda: UsedSecrets(no_secrets))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: its fact, its output, and the error if it failed."""

    fact: Execution
    output: Any
    error: AttemptError | None


def run_attempt(
    attempt: Attempt, arguments: Mapping[str, Any], refused: AttemptError | None = None
) -> Outcome:
    """Run one attempt and record its fact; `refused` is why it cannot even be tried.

    Anything that is no AttemptError (an interrupt, a defect of ours) is recorded as cancelled or
    failed and raised again.
    """
    measured = _Measured(secrets=UsedSecrets(attempt.services.secrets))
    started_at, clock = datetime.now(UTC), time.perf_counter()
    status: Status = "success"
    output: Any = None
    error: AttemptError | None = None
    try:
        status, output = _execute(attempt, arguments, measured, refused)
    except AttemptError as failure:
        status, error = failure.status, failure
    except ToolCatalogError as failure:
        status, error = "failed", AttemptError(type(failure).__name__, str(failure))
    except BaseException as interruption:
        status = "failed" if isinstance(interruption, Exception) else "cancelled"
        failure = AttemptError("Interrupted", f"ended by {type(interruption).__name__}")
        _record(attempt, measured, status, failure, started_at, clock)
        raise
    fact = _record(attempt, measured, status, error, started_at, clock)
    return Outcome(fact, output, error)


def record_skipped(attempt: Attempt) -> Execution:
    """The fact of a step that was not executed."""
    return _record(attempt, _Measured(), "skipped", None, datetime.now(UTC), time.perf_counter())


def signature(kind: str, message: str) -> str:
    """A short stable text for grouping errors: what varies from run to run is masked."""
    return f"{kind}: {_VARYING.sub('*', message)}"[:200]


def _execute(
    attempt: Attempt,
    arguments: Mapping[str, Any],
    measured: _Measured,
    refused: AttemptError | None,
) -> tuple[Status, Any]:
    if refused is not None:
        raise refused
    tool = _tool(attempt)
    check_startable(tool, attempt.lock.identity.environment)
    pattern = tool.spec.pattern(attempt.step.capability, attempt.step.pattern)
    if pattern.binding is None:
        raise AttemptError("BindingError", f"{tool.label} is not executable: it has no binding")
    measured.inputs = checked_inputs(pattern, arguments, attempt.step.position)
    measured.before = variables_before(pattern, measured.inputs)
    estimate = tool.estimates.get((attempt.step.capability, attempt.step.pattern))
    measured.estimate = estimated(estimate, measured.before)
    check_policy(pattern.policy, attempt.lock.identity.environment, measured.estimate)
    status, output = execute_binding(
        pattern.binding,
        measured.inputs,
        _function_context(attempt),
        time_limit_s(attempt.step.timeout_s, pattern.policy, tool.spec.timeout_s),
        measured.usage,
        measured.secrets,
    )
    if status == "success":
        check_output(pattern.expected_outputs, output)
    measured.after = variables_measured(pattern, measured.inputs, output)
    return status, output


def _tool(attempt: Attempt) -> CatalogTool:
    return attempt.services.snapshot().resolve(attempt.locked.ref)


def _function_context(attempt: Attempt) -> FunctionContext:
    return FunctionContext(
        work_dir=attempt.services.work_dir,
        reports_dir=attempt.services.reports_dir,
        run_id=attempt.lock.identity.run_id,
        chain=attempt.lock.chain,
        step=attempt.step.id if attempt.item == NO_ITEM else f"{attempt.step.id}-{attempt.item}",
    )


def _record(
    attempt: Attempt,
    measured: _Measured,
    status: Status,
    error: AttemptError | None,
    started_at: datetime,
    clock: float,
) -> Execution:
    finished_at, duration_ms = datetime.now(UTC), (time.perf_counter() - clock) * 1000
    estimate, pattern = _estimate_and_pattern(attempt)
    usage = measured.usage
    price = pattern.price if pattern is not None and status != "skipped" else None
    fact = Execution(
        **_identity(attempt),
        **_error_fields(error, measured.inputs),
        status=status,
        started_at=started_at,
        finished_at=finished_at,
        duration_ms=duration_ms,
        estimate_ms=measured.estimate.time_ms,
        estimate_cost_units=measured.estimate.cost_units,
        estimate_basis=estimate.basis if estimate else "unknown",
        estimate_revision=estimate.revision if estimate else None,
        cost_units=cost_units(price, usage.cpu_seconds, usage.output_bytes),
        variables_before=dict(measured.before),
        variables_measured=dict(measured.after),
        exit_code=usage.exit_code,
        cpu_seconds=usage.cpu_seconds,
        peak_memory_bytes=usage.peak_memory_bytes,
        output_bytes=usage.output_bytes,
    )
    attempt.services.record(fact)
    return fact


def _identity(attempt: Attempt) -> dict[str, Any]:
    """The fields that say which attempt of what this is."""
    identity, locked, step = attempt.lock.identity, attempt.locked, attempt.step
    return {
        "tenant": identity.tenant,
        "run_id": identity.run_id,
        "run_started_at": identity.run_started_at,
        "chain": attempt.lock.chain,
        "chain_version": attempt.lock.chain_version,
        "fingerprint": attempt.lock.fingerprint,
        "step": step.id,
        "item": attempt.item,
        "attempt": attempt.number,
        "platform": locked.platform,
        "tool_name": locked.tool_name,
        "tool_version": locked.version,
        "tool_id": locked.tool_id,
        "capability": step.capability,
        "pattern": step.pattern,
        "environment": identity.environment,
        "user": identity.user,
        "host": attempt.services.host,
        "experiment": locked.experiment,
        "arm": locked.arm,
    }


def _error_fields(error: AttemptError | None, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if error is None:
        return {}
    message = redacted(str(error), inputs)[:MESSAGE_LIMIT]
    return {
        "error_type": error.kind,
        "error_message": message,
        "error_signature": signature(error.kind, message),
    }


def _estimate_and_pattern(attempt: Attempt) -> tuple[Estimate | None, PatternSpec | None]:
    """Both as the catalogue has them now; None where the tool is gone, so that a fact is kept."""
    try:
        tool = _tool(attempt)
        key = (attempt.step.capability, attempt.step.pattern)
        return tool.estimates.get(key), tool.spec.pattern(*key)
    except (NotFoundError, KeyError):
        return None, None
