"""Commands that misbehave: each gives a clear failed result and exactly one fact per attempt."""

from __future__ import annotations

import threading
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from factories import make_chain, make_input, make_snapshot, make_tool
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.execution.cancellation import CANCELLATION
from tool_catalog_pipelines.execution.command import render_argv
from tool_catalog_pipelines.execution.context import Services
from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.execution.step import run_step
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunIdentity, resolve_run_lock
from tool_catalog_pipelines.spec.binding import CommandBinding

IDENTITY = RunIdentity("shared", "run-1", datetime(2026, 1, 1, tzinfo=UTC), "production", "tester")


@dataclass
class Bench:
    """Runs the steps of a small chain of one tool one after another, keeping the facts."""

    folder: Path
    facts: list[Execution] = field(default_factory=list[Execution])

    def run(self, binding: dict[str, Any], chain: str, **pattern: Any) -> dict[str, StepResult]:
        """Results by step of a chain that uses `linux/echo` with this binding."""
        snapshot = make_snapshot(make_tool(binding=binding, **pattern))
        plan = build_plan(make_chain(chain), snapshot)
        lock = resolve_run_lock(plan, snapshot, IDENTITY, {})
        services = Services(
            lambda: snapshot, self.facts.append, self.folder, self.folder / "reports", "here"
        )
        results: dict[str, StepResult] = {}
        for level in plan.levels:
            for step in level:
                results[step] = run_step(plan.step(step), lock, results, 1, services)
        return results

    def one(self, binding: dict[str, Any], chain: str = "", **pattern: Any) -> StepResult:
        """The result of a chain of one step, which must leave exactly one fact."""
        result = self.run(binding, chain or "steps: {s: {tool: linux/echo}}", **pattern)["s"]
        assert len(self.facts) == 1
        assert self.facts[0].status == result.status
        return result


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A fresh bench."""
    return Bench(tmp_path)


def command(*argv: Any, parser: str = "lines", **more: Any) -> dict[str, Any]:
    """A command binding."""
    return {
        "kind": "command",
        "argv": list(argv),
        "output": {"parser": parser, "as": "out"},
        **more,
    }


def test_success_measures_time_processor_and_memory(bench: Bench) -> None:
    result = bench.one(command("printf", "a\\nb\\n"))
    assert result.output == {"out": ["a", "b"]}
    (fact,) = bench.facts
    assert fact.duration_ms > 0
    assert fact.cpu_seconds is not None
    assert fact.peak_memory_bytes
    assert fact.output_bytes == 4
    assert fact.estimate_ms == 10


def test_missing_program_is_named(bench: Bench) -> None:
    result = bench.one(command("no-such-program-here"))
    assert result.status == "failed"
    assert result.error is not None
    assert "no-such-program-here is not installed" in result.error.message


def test_exit_codes_become_no_result_and_failure(tmp_path: Path) -> None:
    codes = {"success": [0], "no_result": [1]}
    assert Bench(tmp_path).one(command("false", exit_codes=codes)).status == "no_result"
    failed = Bench(tmp_path).one(command("sh", "-c", "echo broken >&2; exit 7", exit_codes=codes))
    assert failed.error is not None
    assert "exit code 7: broken" in failed.error.message


def test_time_limit_ends_the_whole_group(bench: Bench) -> None:
    script = "sleep 300 & echo $! > pid; wait"
    binding = command("sh", "-c", script, cwd=str(bench.folder))
    result = bench.one(binding, "steps: {s: {tool: linux/echo, timeout_s: 0.5}}")
    assert result.status == "timeout"
    assert result.error is not None
    assert "0.5 s" in result.error.message
    child = int((bench.folder / "pid").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_grandchild_that_holds_the_pipe_does_not_hang(bench: Bench) -> None:
    result = bench.one(command("sh", "-c", "sleep 300 & echo done"))
    assert result.output == {"out": ["done"]}


def test_killed_command_names_the_signal(bench: Bench) -> None:
    result = bench.one(command("sh", "-c", "kill -9 $$"))
    assert result.error is not None
    assert "signal 9 (SIGKILL)" in result.error.message


def test_flood_is_capped_and_spilled(bench: Bench) -> None:
    binding = command("head", "-c", "3000000", "/dev/zero", max_output_bytes=1000)
    result = bench.one(binding)
    assert result.status == "failed"
    assert result.error is not None
    assert "more than 1000 bytes" in result.error.message
    (spilled,) = bench.folder.rglob("*.stdout")
    assert spilled.stat().st_size == 3_000_000
    assert str(spilled) in result.error.message


def test_invalid_utf8_names_the_byte(bench: Bench) -> None:
    result = bench.one(command("printf", "ok\\377"))
    assert result.error is not None
    assert "offset 2" in result.error.message


def test_json_that_is_none_is_a_failure(bench: Bench) -> None:
    result = bench.one(command("echo", "{not json", parser="json"))
    assert result.error is not None
    assert result.error.type == "OutputError"


def test_output_that_breaks_its_schema_names_the_place(bench: Bench) -> None:
    outputs = [
        {
            "name": "out",
            "type": "array",
            "schema": {"type": "array", "items": {"type": "string", "maxLength": 2}},
        }
    ]
    result = bench.one(command("printf", "ab\\nabc\\n"), expected_outputs=outputs)
    assert result.error is not None
    assert "out[1]" in result.error.message


def test_mapping_that_matches_nothing_names_the_line_of_the_chain(bench: Bench) -> None:
    chain = """
        steps:
          a: {tool: linux/echo}
          b:
            tool: linux/echo
            with:
              text: {from: a, path: "$.out[7]"}
        """
    binding = command("echo", "{text}")
    results = bench.run(binding, chain, optional_inputs=[make_input("text")])
    assert results["b"].status == "failed"
    assert results["b"].error is not None
    assert results["b"].error.position is not None
    assert results["b"].error.position.startswith("chains/t.yaml:")
    assert "matches nothing" in results["b"].error.message
    assert [fact.status for fact in bench.facts] == ["success", "failed"]


def test_condition_skips_and_those_who_need_it_too(bench: Bench) -> None:
    chain = """
        steps:
          a: {tool: linux/echo, when: "1 > 2"}
          b: {tool: linux/echo, with: {text: {from: a, path: "$.out[0]"}}}
          c: {tool: linux/echo, with: {text: {from: a, path: "$.out[0]", default: instead}}}
        """
    binding = command("echo", "{text}")
    results = bench.run(binding, chain, optional_inputs=[make_input("text")])
    assert {name: result.status for name, result in results.items()} == {
        "a": "skipped",
        "b": "skipped",
        "c": "success",
    }
    assert results["a"].reason
    assert results["c"].output == {"out": ["instead"]}
    assert sorted(fact.status for fact in bench.facts) == ["skipped", "skipped", "success"]


@pytest.mark.parametrize(("on_error", "status"), [("fail", "failed"), ("continue", "success")])
def test_items_fail_one_by_one(bench: Bench, on_error: str, status: str) -> None:
    chain = f"""
        steps:
          all: {{transform: {{names: ["0", "1", "0"]}}}}
          s:
            foreach: {{in: "$.all.names", as: code}}
            tool: linux/echo
            with: {{code: "{{code}}"}}
            retry: {{attempts: 2, on: [any], first_s: 0}}
            on_error: {on_error}
        """
    binding = command("sh", "-c", "exit $0", "{code}", exit_codes={"success": [0]})
    result = bench.run(binding, chain, required_inputs=[make_input("code")])["s"]
    assert result.status == status
    assert (result.output["succeeded"], result.output["failed"]) == (2, 1)
    assert result.output["items"][1] is None
    keys = sorted((fact.item, fact.attempt, fact.status) for fact in bench.facts)
    assert keys == [
        ("0", 1, "success"),
        ("1", 1, "failed"),
        ("1", 2, "failed"),
        ("2", 1, "success"),
    ]


def test_cancelling_the_run_ends_the_command(bench: Bench) -> None:
    event = threading.Event()
    context = copy_context()
    context.run(CANCELLATION.set, event)
    threading.Timer(0.3, event.set).start()
    result = context.run(bench.one, command("sleep", "300"))
    assert result.status == "cancelled"


def test_secret_inputs_do_not_reach_errors_or_facts(bench: Bench) -> None:
    chain = "steps: {s: {tool: linux/echo, with: {password: hush-hush}}}"
    binding = command("sh", "-c", "echo $0 >&2; exit 3", "{password}")
    result = bench.one(binding, chain, required_inputs=[make_input("password")])
    assert "hush" not in str(result)
    assert "***" in str(bench.facts[0].error_message)


def test_policy_refuses_with_the_reason(bench: Bench) -> None:
    policy = {"requires_approval": True, "allowed_environments": ["staging"]}
    result = bench.one(command("echo"), policy=policy)
    assert result.error is not None
    assert result.error.type == "PolicyViolation"
    assert "staging" in result.error.message


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0"), max_size=30), max_size=5))
def test_values_stay_inside_their_argument(values: list[str]) -> None:
    binding = CommandBinding.model_validate(
        command("tool", "--one={text}", "{many}", {"if": "text", "then": ["{text}"]})
    )
    text = values[0] if values else ""
    argv = render_argv(binding, {"text": text, "many": values})
    assert argv == ["tool", f"--one={text}", *values, *([text] if text else [])]
