"""The fact of every execution says the experiment and arm that it ran under."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import make_chain, make_experiment, make_input, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.execution.context import Services
from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.execution.step import run_step
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunIdentity, RunLock, resolve_run_lock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.selection.arms import assign_arm

VERSIONS = {"a": "1.0.0", "b": "1.1.0"}
IDENTITY = RunIdentity("shared", "run-1", datetime(2026, 1, 1, tzinfo=UTC), "production", "ada")
ITEMS = """
    steps:
      all: {transform: {codes: ["0", "1", "0", "0", "1", "0", "0", "1"]}}
      s:
        foreach: {in: "$.all.codes", as: code, parallel: 3}
        tool: echo
        with: {code: "{code}"}
        retry: {attempts: 2, on: [any], first_s: 0}
        on_error: continue
"""


def catalogue(*argv: str, **experiment: Any) -> CatalogSnapshot:
    """Both arms run the same command, so that only the version tells them apart."""
    binding = {
        "kind": "command",
        "argv": list(argv),
        "output": {"parser": "text", "as": "result"},
    }
    needs = {"required_inputs": [make_input("code")]} if "{code}" in argv else {}
    return make_snapshot(
        make_tool("linux/echo@1.0.0", channels=(), binding=binding, **needs),
        make_tool("linux/echo@1.1.0", binding=binding, **needs),
        experiments=(make_experiment(**experiment),),
    )


@dataclasses.dataclass
class Bench:
    """Runs the steps of a chain one after another, keeping the facts."""

    folder: Path
    snapshot: CatalogSnapshot
    facts: list[Execution] = dataclasses.field(default_factory=list[Execution])

    def plan(self, chain: str) -> Plan:
        return build_plan(make_chain(chain), self.snapshot)

    def lock(self, plan: Plan, **identity: Any) -> RunLock:
        return resolve_run_lock(plan, self.snapshot, dataclasses.replace(IDENTITY, **identity), {})

    def run(self, plan: Plan, lock: RunLock, attempt: int = 1) -> Mapping[str, StepResult]:
        services = Services(
            lambda: self.snapshot, self.facts.append, self.folder, self.folder / "r", "here"
        )
        results: dict[str, StepResult] = {}
        for step in (step for level in plan.levels for step in level):
            results[step] = run_step(plan.step(step), lock, results, attempt, services)
        return results

    def one(self, chain: str = "steps: {s: {tool: echo}}", **identity: Any) -> Execution:
        plan = self.plan(chain)
        self.run(plan, self.lock(plan, **identity))
        return self.facts[-1]


@pytest.mark.parametrize(
    ("argv", "step", "status"),
    [
        (("echo", "hello"), "{tool: echo}", "success"),
        (("false",), "{tool: echo}", "failed"),
        (("no-such-program-here",), "{tool: echo}", "failed"),
        (("sleep", "300"), "{tool: echo, timeout_s: 0.3}", "timeout"),
        (("echo", "{code}"), "{tool: echo, with: {code: {from: t, path: '$.x.none'}}}", "failed"),
        (("echo", "hello"), "{tool: echo, when: '1 > 2'}", "skipped"),
    ],
)
@pytest.mark.parametrize("unit", ["run", "user"])
def test_every_way_to_end_keeps_experiment_and_arm(
    tmp_path: Path, unit: str, argv: tuple[str, ...], step: str, status: str
) -> None:
    chain = f"steps: {{t: {{transform: {{x: {{y: 1}}}}}}, s: {step}}}"
    for number in (0, 1, 2, 3):
        bench = Bench(tmp_path, catalogue(*argv, unit=unit))
        named = f"unit-{number}"
        fact = bench.one(chain, **{"run_id" if unit == "run" else "user": named})
        arm = assign_arm("faster_echo", named, 0.5)
        assert (fact.status, fact.experiment, fact.arm) == (status, "faster_echo", arm)
        assert fact.tool_version == VERSIONS[arm]
    assert {assign_arm("faster_echo", f"unit-{n}", 0.5) for n in range(4)} == {"a", "b"}


@pytest.mark.parametrize("at", ["1.0.0", "1.1.0"])
def test_a_pinned_step_leaves_no_exposure(tmp_path: Path, at: str) -> None:
    fact = Bench(tmp_path, catalogue("true")).one(f"steps: {{s: {{tool: echo@{at}}}}}")
    assert (fact.tool_version, fact.experiment, fact.arm) == (at, None, None)


def test_retries_keep_the_arm_though_the_experiment_changes_meanwhile(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue("false"))
    plan = bench.plan("steps: {s: {tool: echo}}")
    lock = bench.lock(plan)
    for attempt, split in ((1, 0.5), (2, 0.01), (3, 0.99)):
        bench.snapshot = catalogue("false", traffic_split=split)
        bench.run(plan, lock, attempt)
    assert len({(fact.experiment, fact.arm, fact.tool_version) for fact in bench.facts}) == 1


def item_arms(facts: list[Execution]) -> dict[str, set[tuple[str | None, str | None, str]]]:
    found: dict[str, set[tuple[str | None, str | None, str]]] = {}
    for fact in facts:
        seen = (fact.experiment, fact.arm, fact.tool_version)
        found.setdefault(fact.item, set()).add(seen)
    return found


def test_every_item_and_its_retries_run_under_the_arm_that_the_item_draws(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue("sh", "-c", "exit $0", "{code}", unit="item"))
    plan = bench.plan(ITEMS)
    bench.run(plan, bench.lock(plan))
    arms = {str(n): assign_arm("faster_echo", f"run-1/s/{n}", 0.5) for n in range(8)}
    assert set(arms.values()) == {"a", "b"}
    assert item_arms(bench.facts) == {
        item: {("faster_echo", arm, VERSIONS[arm])} for item, arm in arms.items()
    }
    assert sorted(f.item for f in bench.facts if f.attempt == 2) == ["1", "4", "7"]


def test_items_that_are_executed_again_keep_their_arms(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue("sh", "-c", "exit $0", "{code}", unit="item"))
    plan = bench.plan(ITEMS)
    lock = bench.lock(plan)
    bench.run(plan, lock)
    before = item_arms(bench.facts)
    bench.facts.clear()
    bench.run(plan, lock.for_run(dataclasses.replace(IDENTITY, run_id="run-2")))
    assert {fact.run_id for fact in bench.facts} == {"run-2"}
    assert item_arms(bench.facts) == before


def test_a_list_that_cannot_be_made_has_an_experiment_and_no_arm(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue("echo", "{code}", unit="item"))
    fact = bench.one(ITEMS.replace("$.all.codes", "$.all.codes[*].none"))
    assert (fact.status, fact.item, fact.experiment, fact.arm) == (
        "failed",
        "",
        "faster_echo",
        None,
    )


def test_an_experiment_by_user_gives_all_items_one_arm(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue("echo", "{code}", unit="user"))
    plan = bench.plan(ITEMS)
    bench.run(plan, bench.lock(plan))
    assert {fact.arm for fact in bench.facts} == {assign_arm("faster_echo", "ada", 0.5)}


def test_every_process_locks_a_run_to_the_same_arm(tmp_path: Path) -> None:
    script = f"""
import json, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_exposure_in_facts import Bench, Path, catalogue
bench = Bench(Path("."), catalogue("true"))
plan = bench.plan("steps: {{s: {{tool: echo}}}}")
print(json.dumps([bench.lock(plan, run_id=f"r{{n}}").steps["s"].arm for n in range(30)]))
"""
    expected = [assign_arm("faster_echo", f"r{number}", 0.5) for number in range(30)]
    for seed in ("0", "77"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == expected
