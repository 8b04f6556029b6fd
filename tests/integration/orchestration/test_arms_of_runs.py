"""Runs in Dagster: the arm is drawn once, stored, and kept by whoever continues the run."""

from __future__ import annotations

import uuid
from typing import Any

import dagster as dg
import pytest
from factories import make_chain, make_experiment, make_tool_spec

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.orchestration.chain_run import open_chain_run
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.selection.arms import assign_arm

CHAIN = """
    steps:
      plain: {tool: linux/echo}
      list: {transform: {names: ["x", "y"]}}
      each: {foreach: {in: "$.list.names", as: name}, tool: linux/echo}
"""


@pytest.fixture
def plan(catalog: Catalog) -> Plan:
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.0.0"), "test")
    catalog.editor.save_tool(make_tool_spec("linux/echo@1.1.0", time_estimate_ms="2"), "test")
    return build_plan(make_chain(CHAIN), catalog.publish())


def lock_of(catalog: Catalog, plan: Plan, run: dg.DagsterRun) -> RunLock:
    """The lock as a process of the run gets it."""
    with open_chain_run(plan, {}, run, catalog.settings, print) as opened:
        return opened.lock


def make_run(parent: dg.DagsterRun | None = None, user: str = "ann") -> dg.DagsterRun:
    """A run, or one that executes another again."""
    above = parent.run_id if parent else None
    return dg.DagsterRun(
        job_name="t", run_id=str(uuid.uuid4()), tags={naming.TAG_USER: user},
        parent_run_id=above, root_run_id=above,
    )  # fmt: skip


def arms_of(lock: RunLock) -> list[Any]:
    each = lock.steps["each"]
    items = [each.for_item(lock.identity.run_id, str(number)) for number in range(40)]
    return [lock.steps["plain"].arm, *((item.arm, item.version) for item in items)]


@pytest.mark.parametrize("unit", ["run", "user", "item"])
def test_later_processes_and_runs_that_continue_it_keep_the_arms(
    catalog: Catalog, plan: Plan, unit: Any
) -> None:
    catalog.editor.save_experiment(make_experiment(unit=unit), "test")
    run = make_run()
    first = lock_of(catalog, plan, run)
    changed = make_experiment(unit=unit, traffic_split=0.02)
    for experiment in (changed, make_experiment(unit=unit, status="completed")):
        catalog.editor.save_experiment(experiment, "test")
        assert lock_of(catalog, plan, run) == first
        again = make_run(run, user="ben")
        assert arms_of(lock_of(catalog, plan, again)) == arms_of(first)
        assert arms_of(lock_of(catalog, plan, make_run(again))) == arms_of(first)
    assert arms_of(lock_of(catalog, plan, make_run())) != arms_of(first), "the experiment is over"


def test_the_user_of_a_run_is_the_one_in_its_tags(catalog: Catalog, plan: Plan) -> None:
    experiment = make_experiment(unit="user", target_users=["ann", "cid", "dee", "eve"])
    catalog.editor.save_experiment(experiment, "test")
    drawn = {user: lock_of(catalog, plan, make_run(user=user)).steps["plain"].arm
             for user in ("ann", "ben", "cid", "dee", "eve")}  # fmt: skip
    assert drawn == {
        user: None if user == "ben" else assign_arm("faster_echo", user, 0.5) for user in drawn
    }
    assert set(drawn.values()) == {"a", "b", None}
