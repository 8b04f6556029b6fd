"""What a tool needs before it is started, and how often it is tried again by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from factories import make_chain, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.execution.context import AttemptError, Services
from tool_catalog_pipelines.execution.policy import time_limit_s
from tool_catalog_pipelines.execution.requirements import check_startable, missing_here
from tool_catalog_pipelines.execution.retry import retry_of
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import LockedStep
from tool_catalog_pipelines.spec.tool import PolicySpec


def refused(tool: CatalogTool, environment: str = "production") -> AttemptError:
    with pytest.raises(AttemptError) as caught:
        check_startable(tool, environment)
    return caught.value


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"enabled": False}, "linux/echo@1.0.0 is disabled"),
        ({"status": "disabled"}, "linux/echo@1.0.0 is disabled"),
        ({"status": "draft"}, "linux/echo@1.0.0 is draft"),
    ],
)
def test_a_tool_that_is_not_enabled_is_refused(state: dict[str, Any], said: str) -> None:
    error = refused(make_tool(tool=state))
    assert error.kind == "ToolDisabled"
    assert said in str(error)


def test_a_tool_of_another_environment_is_refused() -> None:
    tool = make_tool(tool={"environments": ["staging"]})
    assert "is for staging, not for production" in str(refused(tool))
    check_startable(tool, "staging")


def test_a_required_dependency_that_is_missing_is_named(tmp_path: Path) -> None:
    dependencies = [
        {"name": "no-such-program", "type": "binary"},
        {"name": "no-such-either", "type": "binary", "required": False},
        {"name": str(tmp_path / "gone"), "type": "filesystem"},
        {"name": str(tmp_path), "type": "filesystem"},
        {"name": "sh", "type": "binary"},
        {"name": "anything", "type": "service"},
    ]
    tool = make_tool(tool={"dependencies": dependencies})
    assert [need.name for need in missing_here(tool.spec)] == [
        "no-such-program",
        str(tmp_path / "gone"),
    ]
    error = refused(tool)
    assert error.kind == "DependencyMissing"
    assert "binary no-such-program" in str(error)


def test_what_runs_elsewhere_needs_nothing_here() -> None:
    binding = {"kind": "command", "target": "far", "argv": ["x"], "output": {"parser": "none"}}
    dependencies = [{"name": "no-such-program", "type": "binary"}]
    tool = make_tool(tool={"dependencies": dependencies}, binding=binding)
    assert missing_here(tool.spec) == ()
    with pytest.raises(InvalidInputError, match="over the connection far"):
        build_plan(make_chain("steps: {s: {tool: linux/echo}}"), make_snapshot(tool))


@pytest.mark.parametrize(
    ("step", "tool", "pattern", "attempts"),
    [
        ("", {}, {}, 4),
        ("", {"retries": 0}, {}, 1),
        ("", {}, {"effects": "system"}, 1),
        (", retry: {attempts: 2}", {"retries": 9}, {"effects": "system"}, 2),
    ],
    ids=["by default", "as the tool says", "never a change", "as the step says"],
)
def test_how_often_a_step_is_tried(
    step: str, tool: dict[str, Any], pattern: dict[str, Any], attempts: int
) -> None:
    snapshot = make_snapshot(make_tool(tool=tool, **pattern))
    plan = build_plan(make_chain(f"steps: {{a: {{tool: linux/echo{step}}}}}"), snapshot)
    services = Services(lambda: snapshot, lambda _: None, Path(), Path(), "here")
    locked = LockedStep("a", None, "linux", "echo", "1.0.0")
    retry = retry_of(plan.steps[0], locked, services)
    assert retry.attempts == attempts
    assert retry.on == ("transient",)


def test_the_stricter_time_limit_holds_and_else_the_tools() -> None:
    strict = PolicySpec(max_execution_time_s=5)
    assert time_limit_s(10, strict, 30) == 5
    assert time_limit_s(2, strict, 30) == 2
    assert time_limit_s(None, PolicySpec(), 45) == 45
