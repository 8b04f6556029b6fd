"""Advice: what is allowed but worse, said with its place and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_tool_spec

from tool_catalog_pipelines.errors import Position
from tool_catalog_pipelines.spec.advice import advice_on
from tool_catalog_pipelines.spec.reader import read_document

NOWHERE = read_document("{}", "tool.yaml")
COMMAND = {"kind": "command", "argv": ["true"], "output": {"parser": "none"}}
GOOD: dict[str, Any] = {
    "binding": COMMAND,
    "variables": {"n": {"unit": "count", "default": 1}},
    "time_estimate_ms": "2 * n",
    "typical_use_cases": ["always"],
    "examples": [{"name": "one"}],
}
TOOL: dict[str, Any] = {
    "description": "Says nothing and succeeds",
    "metadata": {"documentation_url": "https://example.test"},
    "dependencies": [{"name": "true", "type": "binary"}],
}


def codes(pattern: dict[str, Any], tool: dict[str, Any]) -> list[str]:
    spec = make_tool_spec(tool={**TOOL, **tool}, **{**GOOD, **pattern})
    advice = advice_on(spec, NOWHERE)
    assert all(problem.hint and isinstance(problem.position, Position) for problem in advice)
    return [problem.code for problem in advice]


def test_a_good_tool_gets_none() -> None:
    assert codes({}, {}) == []


@pytest.mark.parametrize(
    ("code", "pattern", "tool"),
    [
        ("description", {}, {"description": "short"}),
        ("documentation", {}, {"metadata": {}}),
        ("successor", {}, {"status": "deprecated"}),
        ("binding", {"binding": None}, {}),
        ("examples", {"examples": []}, {}),
        ("use_cases", {"typical_use_cases": []}, {}),
        ("dependency", {}, {"dependencies": []}),
        ("estimate", {"time_estimate_ms": None, "cost_estimate": "n"}, {}),
        ("constant", {"time_estimate_ms": "5", "cost_estimate": "n"}, {}),
        ("unused", {"time_estimate_ms": "5", "variables": {"m": {"unit": "x", "default": 1}}},
         {"metadata": {**TOOL["metadata"], "constant_estimate": "it does nothing"}}),
        ("auth", {"binding": {**COMMAND, "env": {"TOKEN": "${secret:token}"}}}, {}),
    ],
)  # fmt: skip
def test_each_piece_of_advice(code: str, pattern: dict[str, Any], tool: dict[str, Any]) -> None:
    assert codes(pattern, tool) == [code]


def test_a_secret_of_a_tool_that_says_so_is_fine() -> None:
    binding = {**COMMAND, "env": {"TOKEN": "${secret:token}"}}
    assert codes({"binding": binding}, {"requires_auth": True}) == []
