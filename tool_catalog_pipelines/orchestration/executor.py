"""The executors a chain may run on: threads (ours, default), in-process and multiprocess.

Belongs here: executor definitions and their configuration. The loop of the threads executor is in
orchestration/thread_run.py. Why threads: DESIGN decision 12 and docs/adr/0002.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, cast

import dagster as dg
from dagster._core.definitions.executor_definition import (
    IN_PROC_CONFIG,
    MULTI_PROC_CONFIG,
    ExecutorRequirement,
    multiple_process_executor_requirements,
)
from dagster._core.errors import DagsterUserCodeExecutionError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode, get_retries_config
from dagster._core.execution.step_dependency_config import (
    StepDependencyConfig,
    get_step_dependency_config_field,
)
from dagster._core.execution.tags import get_tag_concurrency_limits_config
from dagster._core.executor.base import Executor
from dagster_shared.error import SerializableErrorInfo

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.orchestration.dagster_private import make_stock_executor, retry_mode
from tool_catalog_pipelines.orchestration.thread_run import (
    ThreadLimits,
    fail_first_steps,
    run_in_threads,
)

DEFAULT_MAX_CONCURRENT = 32
CANCEL_GRACE_S = 30.0

THREADS_CONFIG = dg.Field(
    {
        "max_concurrent": dg.Field(
            dg.Int,
            default_value=DEFAULT_MAX_CONCURRENT,
            description="Steps of one run that may run at the same time.",
        ),
        "cancel_grace_s": dg.Field(
            dg.Float,
            default_value=CANCEL_GRACE_S,
            description="Seconds that running steps may take to end when the run is terminated.",
        ),
        "tag_concurrency_limits": get_tag_concurrency_limits_config(),
        "retries": get_retries_config(),
        "step_dependency_config": get_step_dependency_config_field(),
    },
    description="Run steps as threads of the run's own process.",
)


class ThreadsExecutor(Executor):
    """Runs the steps of a run as threads of its process, with the resources made once."""

    def __init__(
        self, limits: ThreadLimits, retries: RetryMode, step_dependency_config: StepDependencyConfig
    ) -> None:
        self._limits = limits
        self._retries = retries
        self._step_dependency_config = step_dependency_config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build the executor from a configuration of `THREADS_CONFIG`.

        Raises:
            InvalidInputError: a limit is out of range.
        """
        max_concurrent: int = config["max_concurrent"]
        grace_s: float = config["cancel_grace_s"]
        if max_concurrent < 1 or grace_s < 0:
            raise InvalidInputError.one(
                f"executor: max_concurrent is {max_concurrent} and cancel_grace_s {grace_s:g}",
                "give at least 1 and at least 0",
            )
        limits = ThreadLimits(max_concurrent, config.get("tag_concurrency_limits") or (), grace_s)
        return cls(
            limits,
            retry_mode(config["retries"]),
            StepDependencyConfig.from_config(config.get("step_dependency_config")),
        )

    @property
    def retries(self) -> RetryMode:
        """Whether steps may be retried."""
        return self._retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """Whether a step waits for the end of the steps before it, or only for their outputs."""
        return self._step_dependency_config

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Execute the plan; yields every event of the run between its start and its end."""
        pid = os.getpid()
        keys = execution_plan.step_keys_to_execute
        yield DagsterEvent.engine_event(
            plan_context,
            f"Executing steps as threads (pid: {pid}, at most {self._limits.max_concurrent})",
            EngineEventData.in_process(pid, keys),
        )
        started = time.monotonic()
        yield from self._execute_steps(plan_context, execution_plan)
        yield DagsterEvent.engine_event(
            plan_context,
            f"Finished steps as threads (pid: {pid}) in {time.monotonic() - started:.2f} s",
            EngineEventData.in_process(pid, keys),
        )

    def _execute_steps(
        self, plan_context: PlanOrchestrationContext, plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        run = ExecuteRunWithPlanIterable(
            execution_plan=plan,
            iterator=self._iterate,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=self._retries,
                execution_plan=plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self._step_dependency_config,
            ),
        )
        init_error: SerializableErrorInfo | None = None
        try:
            for event in run:
                if event.is_resource_init_failure:
                    init_error = event.engine_event_data.error
                yield event
        except DagsterUserCodeExecutionError:
            if init_error is None:
                raise
            yield from fail_first_steps(plan_context, plan, self._retries, init_error)
            if plan_context.raise_on_error:
                raise

    def _iterate(
        self, job_context: PlanExecutionContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        return run_in_threads(job_context, execution_plan, self._limits)


@dg.executor(name="chain_threads", config_schema=THREADS_CONFIG)
def threads_executor(init_context: dg.InitExecutorContext) -> Executor:
    """Only threads: for jobs that never run otherwise."""
    return ThreadsExecutor.from_config(init_context.executor_config)


def _requirements(config: Mapping[str, object]) -> Sequence[ExecutorRequirement]:
    return multiple_process_executor_requirements() if "multiprocess" in config else ()


@dg.executor(
    name="chain_executor",
    config_schema=dg.Field(
        dg.Selector(
            {
                "threads": THREADS_CONFIG,
                "in_process": IN_PROC_CONFIG,
                "multiprocess": MULTI_PROC_CONFIG,
            }
        ),
        default_value={"threads": {}},
    ),
    requirements=_requirements,
)
def chain_executor(init_context: dg.InitExecutorContext) -> Executor:
    """Threads by default; `in_process` and `multiprocess` are Dagster's own, with their options."""
    kind, config = next(iter(init_context.executor_config.items()))
    if kind == "threads":
        return ThreadsExecutor.from_config(cast("Mapping[str, Any]", config))
    return make_stock_executor(kind, init_context)
