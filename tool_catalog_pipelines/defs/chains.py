"""Chains in the code location: one job per chain, one schedule per chain that has a cron line."""

from __future__ import annotations

import dagster as dg

from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.orchestration.compiler import compile_plan
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.settings import Settings


def definitions(settings: Settings) -> dg.Definitions:
    """Jobs and schedules of every chain that can run."""
    found = find_chains(settings)
    _report(found.problems)
    jobs = {plan.chain: compile_plan(plan) for plan in found.plans}
    return dg.Definitions(
        jobs=list(jobs.values()),
        schedules=[
            _schedule(plan, jobs[plan.chain]) for plan in found.plans if plan.schedule is not None
        ],
    )


def _schedule(plan: Plan, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    schedule = plan.schedule
    if schedule is None:
        raise ValueError(f"chain {plan.chain} has no schedule")
    running = dg.DefaultScheduleStatus.RUNNING
    stopped = dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=f"{plan.chain}_schedule",
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        default_status=running if schedule.enabled else stopped,
        description=f"Starts {plan.chain} with its default inputs",
    )


def _report(problems: tuple[Problem, ...]) -> None:
    """A broken chain must not take the location down; it is named in the log and by `doctor`."""
    logger = dg.get_dagster_logger("chains")
    for problem in problems:
        logger.warning("left out: %s", problem)
