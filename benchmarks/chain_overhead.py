"""What a step of a chain costs beyond the work of its tool, and how many steps run at once.

Compared in one run on one machine, repetition by repetition in turn:
- the floor: Dagster's in-process executor with its storage in memory;
- stock: the same executor on dagster-postgres;
- ours: a chain of no-op tools, compiled, with run lock, mapping, output files and facts, on the
  threads executor and our instance storage, on the same server as stock.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from benchmarks.catalogue_chains import (
    RUN_CONFIG,
    environment_of,
    facts,
    line_of_noops,
    parallel_waits,
)
from benchmarks.dagster_setup import Instances, open_instances
from benchmarks.results import Goal, Result
from tool_catalog_pipelines.settings import Settings

STEPS = 200
WAIT_S = 0.1
REPETITIONS = 5

RunConfig = Mapping[str, Any]
BuildJob = Callable[[int, Settings], tuple[dg.JobDefinition, RunConfig]]
"""Makes a job of so many no-op steps in a line, with its run configuration.

The settings name the database that holds Dagster's tables, for a job that also writes facts.
"""

QUIET: RunConfig = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def plain_chain(steps: int, executor: dg.ExecutorDefinition) -> dg.JobDefinition:
    """A line of plain ops that pass a number on."""

    @dg.op
    def first() -> int:
        return 1

    @dg.op
    def step(value: int) -> int:
        return value

    @dg.graph
    def chain() -> None:
        value: Any = first()
        for number in range(1, steps):
            value = step.alias(f"s{number}")(value)

    return chain.to_job(executor_def=executor, resource_defs={"io_manager": dg.mem_io_manager})


def run_seconds(
    job: dg.JobDefinition, instance: dg.DagsterInstance, run_config: RunConfig = QUIET
) -> float:
    """Run a job once, from its first event to its last.

    Raises:
        RuntimeError: the run failed, so its time means nothing.
    """
    run = instance.create_run_for_job(job, run_config=run_config)
    started = time.perf_counter()
    execute_run(InMemoryJob(job), run, instance)
    seconds = time.perf_counter() - started
    final = instance.get_run_by_id(run.run_id)
    if final is None or final.status != dg.DagsterRunStatus.SUCCESS:
        raise RuntimeError(f"the run of {job.name} failed")
    return seconds


def measure(build_ours: BuildJob = line_of_noops, repetitions: int = REPETITIONS) -> list[Result]:
    """Measure chains and parallel steps.

    Args:
        build_ours: makes the chain that is measured as ours; by default a chain of the product.
        repetitions: of every measurement; medians are reported.
    """
    with open_instances() as instances, environment_of(instances.settings):
        return [
            *_chain_results(instances, build_ours, repetitions),
            *_parallel_results(instances, repetitions),
        ]


def _chain_results(instances: Instances, build_ours: BuildJob, repetitions: int) -> list[Result]:
    stock_job = plain_chain(STEPS, dg.in_process_executor)
    our_job, our_config = build_ours(STEPS, instances.settings)
    contenders = {
        "floor": (stock_job, instances.in_memory, QUIET),
        "stock": (stock_job, instances.stock, QUIET),
        "ours": (our_job, instances.ours, our_config),
    }
    for contender in contenders.values():
        run_seconds(*contender)  # imports, tables, caches
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repetitions):
        for name, contender in contenders.items():
            seconds[name].append(run_seconds(*contender))
    per_step_ms = {name: statistics.median(each) / STEPS * 1000 for name, each in seconds.items()}
    floor, stock, ours = per_step_ms["floor"], per_step_ms["stock"], per_step_ms["ours"]
    return [
        Result("step: Dagster in memory (floor)", floor, "ms"),
        Result("step: dagster-postgres", stock, "ms", "floor", stock / floor),
        Result("step: ours", ours, "ms", "floor", ours / floor, Goal("ratio", 1.5)),
        Result("step: ours against stock", ours, "ms", "dagster-postgres", ours / stock),
    ]


def _parallel_results(instances: Instances, repetitions: int) -> list[Result]:
    job = parallel_waits(STEPS, WAIT_S, instances.settings)
    before = facts(instances.settings)
    times = [run_seconds(job, instances.ours, RUN_CONFIG) for _ in range(repetitions)]
    written = facts(instances.settings) - before
    seconds = statistics.median(times)
    one_by_one = STEPS * WAIT_S
    return [
        Result(
            f"{STEPS} parallel tools of {WAIT_S * 1000:.0f} ms: ours",
            seconds,
            "s",
            f"waiting one by one ({one_by_one:.0f} s)",
            seconds / one_by_one,
            Goal("value", 3.0),
        ),
        Result("facts missing after these runs", STEPS * repetitions - written, "facts"),
    ]
