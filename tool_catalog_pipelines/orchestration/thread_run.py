"""The main loop of a run whose steps are threads of its process.

Belongs here: which step starts when, what an event changes, how a run is interrupted, and the
capture of compute logs, once per run. The thread of a step is in orchestration/thread_steps.py,
the executor definition in orchestration/executor.py.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from dagster._core.errors import DagsterExecutionInterruptedError, DagsterInvariantViolationError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from tool_catalog_pipelines.orchestration.dagster_private import (
    PromptConcurrencyContext,
    missing_resources,
    seconds_until_ready,
    step_failure,
)
from tool_catalog_pipelines.orchestration.thread_steps import (
    StepMessage,
    StepThreads,
    routed_python_logs,
)

POLL_S = 0.1
"""How long an interruption or a free pool slot may stay unnoticed."""

_STUCK_AFTER_POLLS = 50


@dataclass(frozen=True, slots=True)
class ThreadLimits:
    """Limits of one run.

    Attributes:
        max_concurrent: steps that run at the same time.
        tag_limits: Dagster's `tag_concurrency_limits`.
        grace_s: how long running steps may take to end after a cancellation.
    """

    max_concurrent: int
    tag_limits: Sequence[Mapping[str, Any]]
    grace_s: float


def run_in_threads(
    context: PlanExecutionContext, plan: ExecutionPlan, limits: ThreadLimits
) -> Iterator[DagsterEvent]:
    """Execute the plan; yields the events of all steps, those of one step in order."""
    with ExitStack() as stack:
        slots = stack.enter_context(PromptConcurrencyContext(context.instance, context.dagster_run))
        active = stack.enter_context(
            plan.start(
                retry_mode=context.retry_mode,
                max_concurrent=limits.max_concurrent,
                tag_concurrency_limits=[dict(limit) for limit in limits.tag_limits],
                instance_concurrency_context=slots,
                step_dependency_config=context.step_dependency_config,
            )
        )
        stack.enter_context(routed_python_logs(context))
        capture = stack.enter_context(ExitStack())
        yield from _start_capture(context, plan, capture)
        yield from ThreadRun(context, active, slots, limits).events()
        yield from _end_capture(context, capture)


def fail_first_steps(
    context: PlanOrchestrationContext,
    plan: ExecutionPlan,
    retries: RetryMode,
    error: SerializableErrorInfo,
) -> Iterator[DagsterEvent]:
    """Report the steps that could not start, because the run's resources failed, as failed.

    The resources are made once per run, so a retry policy of a step cannot help here; the steps
    after the first ones are given up as after any failure.
    """
    with plan.start(retry_mode=retries) as active:
        for step in active.get_steps_to_execute():
            event = step_failure(context.for_step(step), error)
            yield event
            active.handle_event(event)
        yield from active.plan_events_iterator(context)


class ThreadRun:
    """One run: the state machine of Dagster on one side, the threads on the other."""

    def __init__(
        self,
        context: PlanExecutionContext,
        active: ActiveExecution,
        slots: PromptConcurrencyContext,
        limits: ThreadLimits,
    ) -> None:
        self._context = context
        self._active = active
        self._slots = slots
        self._limits = limits
        self._cancellation = threading.Event()
        self._threads = StepThreads(self._cancellation)
        self._idle_polls = 0

    def events(self) -> Iterator[DagsterEvent]:
        """Run until every step has ended, been skipped or been given up.

        Raises:
            DagsterExecutionInterruptedError: the run was interrupted; no step runs any more, or
                those that do have been reported as failed.
        """
        try:
            yield from self._active.plan_events_iterator(self._context)
            while not self._active.is_complete or self._threads.running:
                if self._active.check_for_interrupts():
                    yield from self._interrupt()
                yield from self._start_ready()
                message = self._threads.next_message(self._wait_s())
                if message is None:
                    self._check_progress()
                else:
                    yield from self._take(message)
        except BaseException:
            self._stop_quietly()
            raise

    def _start_ready(self) -> Iterator[DagsterEvent]:
        free = self._limits.max_concurrent - len(self._threads.running)
        if free <= 0:
            return
        steps = self._active.get_steps_to_execute(limit=free)
        yield from self._active.concurrency_event_iterator(self._context)
        for step in steps:
            self._start(step)

    def _start(self, step: ExecutionStep) -> None:
        step_context = self._context.for_step(step, self._active.get_known_state())
        missing = missing_resources(step_context)
        if missing:
            raise DagsterInvariantViolationError(
                f"step {step.key} requires resources that were not initialised: {missing}"
            )
        self._idle_polls = 0
        self._threads.start(step_context)

    def _wait_s(self) -> float:
        """Until the next delayed retry, but never longer than a poll."""
        until_ready_s = seconds_until_ready(self._active)
        return min(until_ready_s, POLL_S) if until_ready_s > 0 else POLL_S

    def _take(self, message: StepMessage) -> Iterator[DagsterEvent]:
        for event in message.events:
            yield event
            self._active.handle_event(event)
        if not message.is_end:
            return
        if message.error is not None:
            raise message.error
        self._active.verify_complete(self._context, message.step_key)
        yield from self._active.plan_events_iterator(self._context)

    def _check_progress(self) -> None:
        """A run in which nothing runs, waits or can start would poll for ever: end it."""
        waits = seconds_until_ready(self._active) != 0 or self._slots.has_pending_claims()
        self._idle_polls = 0 if self._threads.running or waits else self._idle_polls + 1
        if self._idle_polls > _STUCK_AFTER_POLLS:
            raise DagsterInvariantViolationError(
                "no step of this run can start: a tag_concurrency_limit of the executor allows none"
            )

    def _interrupt(self) -> Iterator[DagsterEvent]:
        yield DagsterEvent.engine_event(
            self._context,
            "Chain executor: received termination signal, cancelling the running steps",
            EngineEventData.interrupted(sorted(self._threads.running)),
        )
        self._active.mark_interrupted()
        self._cancellation.set()
        deadline = time.monotonic() + self._limits.grace_s
        while self._threads.running and time.monotonic() < deadline:
            message = self._threads.next_message(POLL_S)
            for event in message.events if message else ():
                yield event
                self._active.handle_event(event)
        for key in sorted(self._threads.running):
            yield self._given_up(key)
        self._threads.abandon()
        raise DagsterExecutionInterruptedError("the run was interrupted; its steps were cancelled")

    def _given_up(self, key: str) -> DagsterEvent:
        step_context = self._context.for_step(self._active.get_step_by_key(key))
        message = f"the step did not end within {self._limits.grace_s:g} s of its cancellation"
        error = SerializableErrorInfo(message, [], DagsterExecutionInterruptedError.__name__)
        event = step_failure(step_context, error, ErrorSource.INTERRUPT)
        self._active.handle_event(event)
        return event

    def _stop_quietly(self) -> None:
        """An error leaves the loop: cancel what runs and wait for it, within the grace."""
        self._cancellation.set()
        deadline = time.monotonic() + self._limits.grace_s
        while self._threads.running and time.monotonic() < deadline:
            message = self._threads.next_message(POLL_S)
            for event in message.events if message else ():
                with suppress(Exception):  # it must not hide the error that is on its way
                    self._active.handle_event(event)


def _start_capture(
    context: PlanExecutionContext, plan: ExecutionPlan, capture: ExitStack
) -> Iterator[DagsterEvent]:
    """Capture stdout and stderr of the process once for all steps."""
    manager = context.instance.compute_log_manager
    log_key = manager.build_log_key_for_run(context.run_id, create_compute_log_file_key())
    step_keys = [step.key for step in plan.get_steps_to_execute_in_topo_order()]
    try:
        log_context = capture.enter_context(manager.capture_logs(log_key))
        yield DagsterEvent.capture_logs(context, step_keys, log_key, log_context)
    except Exception:
        yield _capture_error(context, "starting")


def _end_capture(context: PlanExecutionContext, capture: ExitStack) -> Iterator[DagsterEvent]:
    try:
        capture.close()
    except Exception:
        yield _capture_error(context, "ending")


def _capture_error(context: PlanExecutionContext, doing: str) -> DagsterEvent:
    return DagsterEvent.engine_event(
        context,
        f"Chain executor (pid {os.getpid()}): {doing} the capture of compute logs failed",
        EngineEventData(error=serializable_error_info_from_exc_info(sys.exc_info())),
    )
