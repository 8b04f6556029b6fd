"""The private corners of Dagster that the chain executor needs, each behind a typed name.

Belongs here: access to names that Dagster marks private and to what it leaves untyped, one small
function each. Every one of them is guarded by tests/contract. Does not belong here: behaviour.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from dagster._core.definitions.executor_definition import (
    in_process_executor,
    multiprocess_executor,
)
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import IStepContext, StepExecutionContext
from dagster._core.execution.plan import execute_plan
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.base import Executor
from dagster._core.executor.init import InitExecutorContext
from dagster._core.log_manager import DagsterLogManager
from dagster_shared.error import SerializableErrorInfo


class _TriggerHook(Protocol):
    def __call__(
        self, step_context: StepExecutionContext, step_event_list: Sequence[DagsterEvent], /
    ) -> Iterator[DagsterEvent]: ...


def hook_events(
    step_context: StepExecutionContext, step_events: Sequence[DagsterEvent]
) -> Iterator[DagsterEvent]:
    """Run the hooks of a step that has ended; a failing hook becomes an event."""
    trigger = cast("_TriggerHook", vars(execute_plan)["_trigger_hook"])
    return trigger(step_context, step_events)


def take_over_python_logs(log: DagsterLogManager) -> list[logging.Logger]:
    """Stop `log` from adding itself to the managed Python loggers; returns these.

    Dagster adds the handler of a step to shared loggers while the step runs. With several steps in
    one process every record would be stored once per running step, under the wrong names.
    """
    managed = cast("Sequence[logging.Logger]", vars(log)["_managed_loggers"])
    vars(log)["_managed_loggers"] = []
    return list(managed)


class StepLoop:
    """An event loop of a step's own, made when an async op first asks for it.

    Dagster shares one loop per run, which cannot run in two threads at once.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_until_complete(self, awaitable: Coroutine[Any, Any, Any]) -> object:
        """Same as of asyncio's loop; the only method that Dagster calls on a step's loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(awaitable)

    def close(self) -> None:
        """Close the loop if it was ever made."""
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


def give_own_loop(step_context: StepExecutionContext) -> StepLoop:
    """Replace the run's shared event loop by one of the step's own."""
    loop = StepLoop()
    vars(step_context)["_event_loop"] = loop
    return loop


def missing_resources(step_context: StepExecutionContext) -> list[str]:
    """Resources that the step requires and the run did not initialise."""
    resources = cast("object", step_context.resources)
    return [key for key in step_context.required_resource_keys if not hasattr(resources, key)]


class PromptConcurrencyContext(InstanceConcurrencyContext):
    """Pool slots of a run, asked for again as soon as a step of the same run frees one.

    Stock Dagster waits at least a second between two questions, so that ten steps of 50 ms in a
    pool of one slot would take ten seconds.
    """

    def free_step(self, step_key: str) -> None:
        """Free the slot of a step and let the waiting steps ask at once."""
        free = cast("Callable[[str], None]", super().free_step)
        held = step_key in cast("set[str]", self._claims)
        free(step_key)
        if held:
            asked_again_at = cast("dict[str, float]", self._pending_timeouts)
            asked_again_at.update(dict.fromkeys(asked_again_at, 0.0))


def make_stock_executor(kind: str, context: InitExecutorContext) -> Executor:
    """The in-process or multiprocess executor of Dagster, from its part of our configuration."""
    definition = {"in_process": in_process_executor, "multiprocess": multiprocess_executor}[kind]
    config = cast("Mapping[str, object]", context.executor_config[kind])
    create = definition.executor_creation_fn
    if create is None:
        raise NotImplementedError(f"Dagster's executor {kind!r} cannot be created")
    return create(context._replace(executor_config=config))


def seconds_until_ready(active: ActiveExecution) -> float:
    """Seconds until a delayed retry is due; zero or less when nothing waits for a time."""
    return cast("Callable[[], float]", active.sleep_interval)()


def retry_mode(config: Mapping[str, Any]) -> RetryMode:
    """The retry mode of an executor's `retries` configuration."""
    read = cast("Callable[[Mapping[str, Any]], RetryMode | None]", RetryMode.from_config)
    return read(config) or RetryMode.ENABLED


def step_failure(
    step_context: IStepContext, error: SerializableErrorInfo, source: ErrorSource | None = None
) -> DagsterEvent:
    """Log and return the failure of a step that could not report it itself."""
    make = cast(
        "Callable[[IStepContext, StepFailureData], DagsterEvent]",
        vars(DagsterEvent)["step_failure_event"].__func__,
    )
    data = StepFailureData(error=error, user_failure_data=None, error_source=source)
    return make(step_context, data)
