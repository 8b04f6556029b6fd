"""Every shipped tool runs here with its own examples, and its output is what it promises.

Tools that no machine of ours can run are listed in tests/exempt_tools/, with the reason. Programs
come from the Debian packages listed in tests/debian_packages/.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.yaml_source import snapshot_from_yaml
from tool_catalog_pipelines.execution.requirements import missing_here
from tool_catalog_pipelines.execution.trials.case import cases_of
from tool_catalog_pipelines.execution.trials.runner import run_cases
from tool_catalog_pipelines.settings import CHECKOUT

TESTS = Path(__file__).parents[1]
MAX_EXEMPT = 25
LOCAL_PLATFORMS = ("linux", "network", "scheduler")


def exempt() -> dict[str, str]:
    """Tool -> why it is not run."""
    found: dict[str, str] = {}
    for path in sorted((TESTS / "exempt_tools").glob("*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return found


EXEMPT = exempt()
TOOLS = snapshot_from_yaml(CHECKOUT / "catalog_yaml").tools


def name_of(tool: CatalogTool) -> str:
    return tool.label.partition("@")[0]


def test_the_exempt_tools_exist_and_are_few() -> None:
    names = {name_of(tool) for tool in TOOLS}
    assert set(EXEMPT) <= names
    assert all(len(reason) > 10 for reason in EXEMPT.values())
    counted = [name for name in EXEMPT if name.startswith(LOCAL_PLATFORMS)]
    assert len(counted) <= MAX_EXEMPT


def test_there_are_tools_for_every_platform() -> None:
    found = Counter(name.partition("/")[0] for name in {name_of(tool) for tool in TOOLS})
    wanted = {"linux": 90, "windows": 45, "network": 30, "scheduler": 12}
    for platform, least in wanted.items():
        assert found[platform] >= least, platform
    others = ("custom", "database", "cloud", "container", "kubernetes", "monitoring")
    assert sum(found[platform] for platform in others) >= 30


def test_every_tool_says_what_choosing_it_needs() -> None:
    for tool in TOOLS:
        assert tool.spec.capabilities, tool.label
        for capability in tool.document()["capabilities"].values():
            for pattern in capability["patterns"].values():
                missing = {"policy", "preference_match", "examples", "binding"} - set(pattern)
                assert missing <= {"policy"}, (tool.label, missing)


def test_no_two_tools_share_a_description() -> None:
    seen: dict[str, str] = {}
    for tool in TOOLS:
        other = seen.setdefault(tool.spec.description, name_of(tool))
        assert other == name_of(tool), tool.label


def test_every_example_runs_and_gives_what_it_promises() -> None:
    cases = [
        case
        for tool in TOOLS
        if name_of(tool) not in EXEMPT
        for case in cases_of(tool.spec, [need.name for need in missing_here(tool.spec)])
    ]
    results = list(run_cases(cases, side_by_side=2))
    failed = [f"{one.tool} {one.name}: {one.message}" for one in results if one.ending == "failed"]
    assert failed == []
    lacking = sorted({one.message for one in results if "lacks" in one.message})
    if lacking and os.environ.get("CI") != "true":
        pytest.skip("; ".join(lacking))
    assert lacking == []
    assert {result.tool for result in results if result.ending == "passed"} >= _executed(TOOLS)


def _executed(tools: tuple[CatalogTool, ...]) -> set[str]:
    """Local tools that change nothing but what they are told: each must have passed something."""
    return {
        tool.label
        for tool in tools
        if tool.spec.platform in LOCAL_PLATFORMS
        and name_of(tool) not in EXEMPT
        and any(
            pattern.effects != "system" and getattr(pattern.binding, "target", None) is None
            for capability in tool.spec.capabilities.values()
            for pattern in capability.patterns.values()
        )
    }
