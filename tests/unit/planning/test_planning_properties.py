"""Any chain without cycles plans, in an order that its references allow."""

from __future__ import annotations

import json
from typing import Any

import yaml
from factories import make_chain, make_input, make_snapshot, make_tool
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.explain import plan_as_json, plan_as_text

SNAPSHOT = make_snapshot(make_tool("linux/take", optional_inputs=[make_input("value", "object")]))
LINKS = ("argument", "needs", "when", "foreach", "transform")


def _step(links: dict[str, str]) -> dict[str, Any]:
    """A step that waits for each of `links`, in the way given."""
    by_kind = {kind: [name for name, how in links.items() if how == kind] for kind in LINKS}
    needs = by_kind["needs"] + by_kind["foreach"][1:]
    step: dict[str, Any] = {"needs": needs}
    if by_kind["when"]:
        step["when"] = " and ".join(f"exists($.{name})" for name in by_kind["when"])
    values = {name: {"from": name} for name in by_kind["argument"] + by_kind["transform"]}
    if by_kind["transform"] and not by_kind["foreach"]:
        return {**step, "transform": values}
    if by_kind["foreach"]:
        step["foreach"] = {"in": f"$.{by_kind['foreach'][0]}"}
    return {**step, "tool": "take", "with": {"value": values}}


@st.composite
def linked(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    """Step -> what it waits for -> how; without cycles, in any order of steps."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 9)))]
    links: dict[str, dict[str, str]] = {}
    for at, name in enumerate(names):
        waits_for = draw(st.sets(st.sampled_from(names[:at]))) if at else set[str]()
        links[name] = {other: draw(st.sampled_from(LINKS)) for other in sorted(waits_for)}
    return {name: links[name] for name in draw(st.permutations(names))}


@given(linked())
def test_the_plan_keeps_every_link(links: dict[str, dict[str, str]]):
    text = yaml.safe_dump({"steps": {n: _step(of) for n, of in links.items()}}, sort_keys=False)
    plan = build_plan(make_chain(text), SNAPSHOT)

    place = {step.id: at for at, step in enumerate(plan.steps)}
    level = {step_id: at for at, group in enumerate(plan.levels) for step_id in group}
    assert sorted(place) == sorted(links) == sorted(level)
    for step in plan.steps:
        assert set(step.upstream) == set(links[step.id])
        assert all(place[other] < place[step.id] for other in step.upstream)
        assert level[step.id] == 1 + max((level[o] for o in step.upstream), default=-1)

    assert build_plan(make_chain(text), SNAPSHOT) == plan
    shown = plan_as_text(plan, SNAPSHOT)
    assert all(f"\n  {step_id}" in shown for step_id in links)
    assert json.loads(json.dumps(plan_as_json(plan, SNAPSHOT)))["fingerprint"] == plan.fingerprint
