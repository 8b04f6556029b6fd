"""Points for what helps people to choose and to trust a tool."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_tool_spec

from tool_catalog_pipelines.spec.quality import quality_of

BEST: dict[str, Any] = {
    "binding": {"kind": "command", "argv": ["x"], "output": {"parser": "text", "as": "said"}},
    "variables": {"n": {"unit": "count", "default": 1, "measured": {"count": "$.output.said"}}},
    "time_estimate_ms": "2 * n",
    "cost_estimate": "1",
    "expected_outputs": [{"name": "said", "type": "string", "schema": {"type": "string"}}],
    "typical_use_cases": ["always"],
    "examples": [{"name": "one", "expect": {"output": {"said": "x"}}}],
}
TOOL: dict[str, Any] = {
    "description": "Says something that everybody has to hear at least once",
    "owner": "ops",
    "metadata": {"documentation_url": "https://example.test", "tags": ["a", "b", "c"]},
}


def test_a_complete_tool_has_all_points() -> None:
    quality = quality_of(make_tool_spec(tool=TOOL, **BEST))
    assert (quality.points, quality.gaps) == (100, ())


@pytest.mark.parametrize(
    ("points", "pattern", "tool"),
    [
        (80, {"binding": None}, {}),
        (80, {"examples": []}, {}),
        (80, {"time_estimate_ms": None}, {}),
        (90, {"time_estimate_ms": "5"}, {}),
        (85, {"expected_outputs": [], "examples": [{"name": "one"}]}, {}),
        (95, {"examples": [{"name": "one"}]}, {}),
        (90, {}, {"description": "short"}),
        (98, {}, {"owner": None}),
        (92, {}, {"metadata": {}}),
    ],
)
def test_what_is_missing_costs_its_points(
    points: int, pattern: dict[str, Any], tool: dict[str, Any]
) -> None:
    quality = quality_of(make_tool_spec(tool={**TOOL, **tool}, **{**BEST, **pattern}))
    assert quality.points == points
    assert sum(gap.points for gap in quality.gaps) == 100 - points
    assert [gap.points for gap in quality.gaps] == sorted(g.points for g in quality.gaps)[::-1]


def test_patterns_count_by_their_share() -> None:
    patterns = {"use": {"one": {"description": "x", **BEST}, "two": {"description": "x"}}}
    whole = quality_of(make_tool_spec(tool=TOOL, capabilities=patterns))
    assert 50 < whole.points < 75
