"""Steps in threads: start one, hand its events over, end it.

Belongs here: what happens inside the thread of a step. Which step runs when, and what follows from
an event, is decided in orchestration/thread_run.py.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass

from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanExecutionContext, StepExecutionContext
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step

from tool_catalog_pipelines.execution.cancellation import CANCELLATION
from tool_catalog_pipelines.orchestration.dagster_private import (
    give_own_loop,
    hook_events,
    take_over_python_logs,
)

_STEP_LOG: ContextVar[logging.Handler | None] = ContextVar("step_log", default=None)


@dataclass(frozen=True, slots=True)
class StepMessage:
    """What the thread of a step tells the main loop.

    Attributes:
        step_key: the step.
        events: events since the last message, in order; they are in the event log already.
        is_end: the thread is done with the step.
        error: what escaped from the step, beyond the failure events that Dagster made of it.
    """

    step_key: str
    events: tuple[DagsterEvent, ...]
    is_end: bool = False
    error: BaseException | None = None


class StepThreads:
    """The running steps of one run, one thread each.

    The threads are daemons and not those of a pool: a pool is joined when Python exits, so one
    step that ignores its cancellation would keep the run worker alive for ever.
    """

    def __init__(self, cancellation: threading.Event) -> None:
        self._cancellation = cancellation
        self._messages: queue.SimpleQueue[StepMessage] = queue.SimpleQueue()
        self._running: set[str] = set()

    @property
    def running(self) -> frozenset[str]:
        """Keys of the steps whose threads have not reported their end."""
        return frozenset(self._running)

    def start(self, step_context: StepExecutionContext) -> None:
        """Run the step in a thread whose context carries the run's cancellation event."""
        key = step_context.step.key
        context = copy_context()
        context.run(CANCELLATION.set, self._cancellation)
        thread = threading.Thread(
            target=context.run, args=(self._run, step_context), name=f"step {key}", daemon=True
        )
        self._running.add(key)
        thread.start()

    def next_message(self, timeout_s: float) -> StepMessage | None:
        """The next message of any step, or None when none came in time."""
        try:
            message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if message.is_end:
            self._running.discard(message.step_key)
        return message

    def abandon(self) -> None:
        """Forget the steps that did not end; nothing of theirs is waited for any more."""
        self._running.clear()

    def _run(self, step_context: StepExecutionContext) -> None:
        key = step_context.step.key
        last: list[DagsterEvent] = []
        error: BaseException | None = None
        try:
            self._tell(key, step_context, last)
        except BaseException as escaped:  # the main loop decides; nothing may be lost in a thread
            error = escaped
        self._messages.put(StepMessage(key, tuple(last), is_end=True, error=error))

    def _tell(self, key: str, step_context: StepExecutionContext, last: list[DagsterEvent]) -> None:
        """Hand over the events; a wish to be run again goes to `last`, for the thread's end.

        Otherwise the next attempt could start while this one still has to report its end.
        """
        loop = give_own_loop(step_context)
        take_over_python_logs(step_context.log)
        _STEP_LOG.set(step_context.log.handlers[0])
        events: list[DagsterEvent] = []
        try:
            for event in dagster_event_sequence_for_step(step_context):
                events.append(event)
                if event.is_step_up_for_retry:
                    last.append(event)
                else:
                    self._messages.put(StepMessage(key, (event,)))
            for event in hook_events(step_context, events):
                self._messages.put(StepMessage(key, (event,)))
        finally:
            loop.close()


class _StepLogRouter(logging.Handler):
    """Gives a record of a managed Python logger to the step in whose thread it was made."""

    def __init__(self, run_handler: logging.Handler) -> None:
        super().__init__()
        self._run_handler = run_handler
        self._main_thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over to the step's handler; a helper thread of a step logs for the run."""
        handler = _STEP_LOG.get()
        if handler is None and record.thread != self._main_thread:
            handler = self._run_handler
        if handler is not None:
            handler.handle(record)


@contextmanager
def routed_python_logs(context: PlanExecutionContext) -> Generator[None]:
    """Within it, records of managed Python loggers reach exactly the step that made them."""
    router = _StepLogRouter(context.log.handlers[0])
    managed = take_over_python_logs(context.log.with_tags())
    for logger in managed:
        logger.addHandler(router)
    try:
        yield
    finally:
        for logger in managed:
            logger.removeHandler(router)
