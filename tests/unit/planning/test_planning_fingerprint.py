"""The fingerprint: the same for the same meaning, another for any other meaning."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml
from factories import make_chain, make_input, make_snapshot, make_tool
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.plan import Plan

SNAPSHOT = make_snapshot(
    make_tool(channels=("latest", "stable")),
    make_tool("linux/take", optional_inputs=[make_input("value", "object")]),
)
CHAIN: dict[str, Any] = {
    "chain": "t",
    "version": "1.0.0",
    "description": "A chain",
    "inputs": {
        "x": {"type": "array", "description": "X", "default": [1]},
        "y": {"type": "string", "description": "Y"},
    },
    "steps": {
        "a": {"tool": "echo"},
        "b": {"tool": "echo"},
        "c": {
            "tool": "take",
            "description": "Takes",
            "foreach": {"in": "$.inputs.x", "as": "one", "max": 5},
            "with": {"value": {"first": {"from": "a", "default": 1}, "second": "{one}"}},
            "when": "exists($.b.result)",
            "needs": ["a", "b"],
            "timeout_s": 5,
            "retry": {"attempts": 2},
        },
    },
    "outputs": {"o": {"from": "c", "path": "$.items"}},
    "schedule": {"cron": "0 6 * * *"},
    "tags": {"team": "t"},
}

Change = Callable[[dict[str, Any]], object]


def plan_of(chain: dict[str, Any]) -> Plan:
    return build_plan(make_chain(yaml.safe_dump(chain, sort_keys=False)), SNAPSHOT)


def changed(change: Change) -> dict[str, Any]:
    chain = deepcopy(CHAIN)
    change(chain)
    return chain


MEANINGS: dict[str, Change] = {
    "version": lambda c: c.update(version="1.0.1"),
    "input default": lambda c: c["inputs"]["x"].update(default=[2]),
    "input is required": lambda c: c["inputs"]["x"].pop("default"),
    "input type": lambda c: c["inputs"]["y"].update(type="integer"),
    "tool channel": lambda c: c["steps"]["a"].update(tool="echo@stable"),
    "tool version": lambda c: c["steps"]["a"].update(tool="echo@1.0.0"),
    "argument": lambda c: c["steps"]["c"]["with"]["value"].update(second="{one} "),
    "reference default": lambda c: c["steps"]["c"]["with"]["value"]["first"].update(default=None),
    "reference without default": lambda c: c["steps"]["c"]["with"]["value"]["first"].pop("default"),
    "list length": lambda c: c["steps"]["c"]["foreach"].update(max=6),
    "condition": lambda c: c["steps"]["c"].update(when="exists($.b.other)"),
    "no condition": lambda c: c["steps"]["c"].pop("when"),
    "order": lambda c: c["steps"]["b"].update(needs=["a"]),
    "timeout": lambda c: c["steps"]["c"].update(timeout_s=6),
    "retry": lambda c: c["steps"]["c"]["retry"].update(attempts=3),
    "on error": lambda c: c["steps"]["c"].update(on_error="continue"),
    "output": lambda c: c["outputs"]["o"].update(path="$.failed"),
    "schedule": lambda c: c["schedule"].update(enabled=True),
    "tags": lambda c: c["tags"].update(team="u"),
    "parallel": lambda c: c.update(parallel=2),
    "step name": lambda c: (
        c["steps"].update(d=c["steps"].pop("c"), e={"tool": "echo"})
        or c["outputs"]["o"].update({"from": "d"})
    ),
}


@pytest.mark.parametrize("change", MEANINGS.values(), ids=MEANINGS.keys())
def test_any_change_of_meaning_changes_it(change: Change):
    assert plan_of(changed(change)).fingerprint != plan_of(CHAIN).fingerprint


SPELLINGS: dict[str, Change] = {
    "description of the chain": lambda c: c.update(description="Another"),
    "description of an input": lambda c: c["inputs"]["x"].update(description="Another"),
    "description of a step": lambda c: c["steps"]["c"].update(description="Another"),
    "default written out": lambda c: c["steps"]["a"].update(on_error="fail"),
    "platform written out": lambda c: c["steps"]["a"].update(tool="linux/Echo"),
    "order of needs": lambda c: c["steps"]["c"].update(needs=["b", "a"]),
    "needs that data implies": lambda c: c["steps"]["c"].pop("needs"),
    "path written out": lambda c: c["steps"]["c"]["with"]["value"]["first"].update(path="$"),
}


@pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_spelling_does_not_change_it(change: Change):
    assert plan_of(changed(change)).fingerprint == plan_of(CHAIN).fingerprint


def shuffled(draw: st.DrawFn, value: Any) -> Any:
    """The value with the keys of all its mappings in some other order."""
    if isinstance(value, dict):
        return {key: shuffled(draw, value[key]) for key in draw(st.permutations(list(value)))}
    return value


@given(st.composite(lambda draw: shuffled(draw, CHAIN))())
def test_the_order_of_keys_does_not_change_it(chain: dict[str, Any]):
    assert plan_of(chain).fingerprint == plan_of(CHAIN).fingerprint


def test_the_catalogue_does_not_change_it_while_references_stay():
    newer = make_snapshot(
        make_tool(channels=("stable",)),
        make_tool("linux/echo@2.0.0", time_estimate_ms="99"),
        make_tool("linux/take", optional_inputs=[make_input("value", "object")]),
    )
    plan = build_plan(make_chain(yaml.safe_dump(CHAIN)), newer)
    assert plan.fingerprint == plan_of(CHAIN).fingerprint
