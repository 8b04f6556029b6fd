"""The run lock: which version and arm each step gets, the same for the whole run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from factories import make_chain, make_experiment, make_pattern, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import (
    LockedStep,
    RunIdentity,
    RunLock,
    item_arm,
    resolve_run_lock,
)
from tool_catalog_pipelines.selection.arms import assign_arm
from tool_catalog_pipelines.spec.experiment import ExperimentSpec

OLD = make_tool("linux/echo@1.0.0", tool_id=1, channels=("stable",))
NEW = make_tool("linux/echo@1.1.0", tool_id=2)
IDENTITY = RunIdentity("shared", "run-1", datetime(2026, 1, 1, tzinfo=UTC), "production", "ada")
STEP = "steps: {a: {tool: echo}}"
ITEMS = """
steps:
  list: {transform: {names: ["x", "y"]}}
  a: {foreach: {in: "$.list.names", as: name}, tool: echo}
"""


def catalogue(
    *experiments: ExperimentSpec, tools: Sequence[CatalogTool] = (OLD, NEW)
) -> CatalogSnapshot:
    return make_snapshot(*tools, experiments=experiments, revision=7)


def lock_of(snapshot: CatalogSnapshot, text: str = STEP, **identity: Any) -> RunLock:
    plan = build_plan(make_chain(text), catalogue())
    return resolve_run_lock(plan, snapshot, dataclasses.replace(IDENTITY, **identity), {"x": 1})


def test_every_tool_step_is_locked_to_what_its_reference_means_now():
    lock = lock_of(
        catalogue(),
        """
        steps:
          newest: {tool: echo}
          stable: {tool: echo@stable}
          pinned: {tool: echo@1.0.0}
          shaped: {transform: {x: 1}}
        """,
    )
    versions = {name: (step.version, step.tool_id) for name, step in lock.steps.items()}
    assert versions == {"newest": ("1.1.0", 2), "stable": ("1.0.0", 1), "pinned": ("1.0.0", 1)}
    assert (lock.chain, lock.inputs, lock.catalog_revision) == ("t", {"x": 1}, 7)
    assert {(step.experiment, step.arm) for step in lock.steps.values()} == {(None, None)}


@pytest.mark.parametrize("unit", ["run", "user"])
def test_all_steps_of_a_run_share_the_arm_of_their_unit(unit: str):
    snapshot = catalogue(make_experiment(unit=unit))
    text = "steps: {a: {tool: echo}, b: {tool: echo@latest}}"
    seen: set[str | None] = set()
    for number in range(40):
        changed = {"run_id" if unit == "run" else "user": f"unit-{number}"}
        lock = lock_of(snapshot, text, **changed)
        arm = assign_arm("faster_echo", f"unit-{number}", 0.5)
        assert {step.arm for step in lock.steps.values()} == {arm}
        assert {step.version for step in lock.steps.values()} == {
            "1.0.0" if arm == "a" else "1.1.0"
        }
        seen.add(arm)
    assert seen == {"a", "b"}


def test_items_draw_their_arms_one_by_one_and_always_the_same():
    step = lock_of(catalogue(make_experiment(unit="item")), ITEMS).steps["a"]
    assert step.by_item is not None
    assert (step.version, step.experiment, step.arm) == ("1.0.0", "faster_echo", None)
    for number in range(40):
        item = f"item-{number}"
        arm = item_arm(step.by_item, "run-1", "a", item)
        assert arm == assign_arm("faster_echo", f"run-1/a/{item}", 0.5)
        resolved = step.for_item("run-1", item)
        expected = ("1.0.0", 1) if arm == "a" else ("1.1.0", 2)
        assert (resolved.arm, resolved.version, resolved.tool_id) == (arm, *expected)
    assert {item_arm(step.by_item, "run-1", "a", str(n)) for n in range(40)} == {"a", "b"}


def test_the_split_of_an_item_experiment_is_honoured():
    snapshot = catalogue(make_experiment(unit="item", traffic_split=0.05))
    step = lock_of(snapshot, ITEMS).steps["a"]
    arms = [step.for_item("run-1", str(number)).arm for number in range(400)]
    assert 5 <= arms.count("b") <= 40


def test_a_step_without_items_takes_no_part_in_an_item_experiment():
    """Else it would run on the baseline, and nothing would say why."""
    newest = make_tool("linux/echo@1.2.0", tool_id=3)
    tools = (OLD, make_tool("linux/echo@1.1.0", tool_id=2, channels=()), newest)
    step = lock_of(catalogue(make_experiment(unit="item"), tools=tools)).steps["a"]
    assert (step.version, step.experiment, step.arm, step.by_item) == ("1.2.0", None, None, None)


def test_a_step_outside_of_an_item_experiment_is_the_same_for_every_item():
    step = lock_of(catalogue()).steps["a"]
    assert step.for_item("run-1", "any") == step


@pytest.mark.parametrize("at", ["1.0.0", "1.1.0", "stable"])
def test_a_step_that_asks_for_a_version_or_channel_is_not_exposed(at: str):
    lock = lock_of(catalogue(make_experiment()), f"steps: {{a: {{tool: echo@{at}}}}}")
    assert (lock.steps["a"].experiment, lock.steps["a"].arm) == (None, None)


@pytest.mark.parametrize(
    "experiment",
    [
        make_experiment(status="draft"),
        make_experiment(status="completed"),
        make_experiment(status="cancelled"),
        make_experiment(tool="linux/other"),
        make_experiment(tool="windows/echo"),
        make_experiment(target_environment="staging"),
        make_experiment(target_users=["bob"]),
    ],
)
def test_an_experiment_that_does_not_apply_exposes_nobody(experiment: ExperimentSpec):
    assert lock_of(catalogue(experiment)).steps["a"].experiment is None


def test_an_experiment_on_this_environment_and_user_applies():
    experiment = make_experiment(
        tool="Echo", target_environment="production", target_users=["ada", "bob"]
    )
    assert lock_of(catalogue(experiment)).steps["a"].experiment == "faster_echo"


def test_two_active_experiments_on_one_tool_are_refused():
    snapshot = catalogue(make_experiment("one"), make_experiment("two"))
    with pytest.raises(InvalidInputError, match="several active experiments: one, two") as caught:
        lock_of(snapshot)
    assert caught.value.problems[0].position is not None
    assert lock_of(snapshot, "steps: {a: {tool: echo@1.0.0}}").steps["a"].experiment is None


def test_an_arm_that_does_not_exist_is_not_found():
    with pytest.raises(NotFoundError, match=r"experiment faster_echo, arm b: .*'9\.0\.0'"):
        lock_of(catalogue(make_experiment(version_b="9.0.0")))


def test_a_version_that_lacks_the_pattern_is_refused_before_the_run():
    capabilities = {"use": {"walk": make_pattern()}}
    other = make_tool("linux/echo@1.1.0", capabilities=capabilities)
    with pytest.raises(InvalidInputError, match=r"1\.1\.0 has no executable pattern use/run"):
        lock_of(catalogue(tools=(OLD, other)))
    with pytest.raises(InvalidInputError, match=r"arm b: .* has no executable pattern"):
        unchanged = make_tool("linux/echo@1.0.0", tool_id=1)
        no_latest = make_tool("linux/echo@1.1.0", channels=(), capabilities=capabilities)
        lock_of(catalogue(make_experiment(), tools=(unchanged, no_latest)))


def test_all_steps_are_judged_before_the_run_is_refused():
    disabled = make_tool("linux/echo@1.1.0", tool={"enabled": False})
    text = "steps: {a: {tool: echo}, b: {tool: echo@stable}}"
    with pytest.raises(InvalidInputError) as caught:
        lock_of(make_snapshot(disabled), text)
    messages = [problem.message for problem in caught.value.problems]
    assert messages == [
        "step a: linux/echo@1.1.0 is disabled",
        "step b: linux/echo@stable has no version or channel 'stable'",
    ]
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("unit", ["run", "item"])
@pytest.mark.parametrize("is_continued", [False, True])
def test_a_lock_survives_its_way_through_json(unit: str, is_continued: bool):
    lock = lock_of(catalogue(make_experiment(unit=unit)), ITEMS)
    if is_continued:
        lock = lock.for_run(dataclasses.replace(IDENTITY, run_id="run-2"))
    document = json.loads(json.dumps(lock.to_json()))
    assert RunLock.from_json(document) == lock
    document["a_key_of_a_later_version"] = 1
    document["steps"]["a"]["another"] = 2
    assert RunLock.from_json(document) == lock


def test_a_run_that_continues_another_keeps_its_decisions():
    lock = lock_of(catalogue(make_experiment()))
    later = dataclasses.replace(IDENTITY, run_id="run-2")
    continued = lock.for_run(later)
    assert continued.identity == later
    assert continued.steps == lock.steps


def test_items_of_a_run_that_continues_another_keep_their_arms():
    first = lock_of(catalogue(make_experiment(unit="item")), ITEMS)
    kept = [first.steps["a"].for_item("run-1", str(number)).arm for number in range(60)]
    lock = first
    for run_id in ("run-2", "run-3"):
        lock = lock.for_run(dataclasses.replace(IDENTITY, run_id=run_id))
        step = RunLock.from_json(json.loads(json.dumps(lock.to_json()))).steps["a"]
        assert [step.for_item(run_id, str(number)).arm for number in range(60)] == kept
    drawn_anew = [assign_arm("faster_echo", f"run-2/a/{number}", 0.5) for number in range(60)]
    assert drawn_anew != kept, "this test could not fail"


def test_a_lock_stored_before_runs_were_kept_for_items_is_read():
    document = lock_of(catalogue(make_experiment(unit="item")), ITEMS).to_json()
    del document["steps"]["a"]["by_item"]["run_id"]
    step = (
        RunLock.from_json(document).for_run(dataclasses.replace(IDENTITY, run_id="r2")).steps["a"]
    )
    assert step.for_item("r2", "0").arm == assign_arm("faster_echo", "run-1/a/0", 0.5)


def test_a_locked_step_names_its_exact_version():
    step = LockedStep("a", 1, "linux", "Echo", "1.0.0")
    assert catalogue().resolve(step.ref) == OLD
