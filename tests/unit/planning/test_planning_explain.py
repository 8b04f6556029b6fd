"""A plan as text and as JSON, compared with the texts in tests/snapshots.

To accept an intended change: TOOL_CATALOG_UPDATE_SNAPSHOTS=1, then read the difference in git.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from factories import (
    CAPABILITY,
    PATTERN,
    host_health_tools,
    make_chain,
    make_experiment,
    make_input,
    make_snapshot,
    make_tool,
)

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.explain import plan_as_json, plan_as_text
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.spec.load import load_chain

TESTS = Path(__file__).parents[2]
HOST_HEALTH = load_chain(TESTS / "fixtures" / "chains" / "host_health.yaml", "host_health.yaml")
HEALTH_TOOLS = make_snapshot(*host_health_tools())

GOVERNED = make_snapshot(
    make_tool(channels=("stable",)),
    make_tool(
        "linux/echo@1.1.0",
        estimates={(CAPABILITY, PATTERN): Estimate("12.5", None, "recalibrated", runs=200)},
    ),
    make_tool(
        "linux/wipe",
        effects="system",
        time_estimate_ms="90000",
        required_inputs=[make_input("path")],
        optional_inputs=[make_input("force", "boolean", default=False)],
        policy={
            "requires_approval": True,
            "production_safe": False,
            "max_cost": 2.5,
            "max_N_immediate": 10,
            "requires_background_if": "n > 5",
            "max_execution_time_s": 90,
            "allowed_environments": ["staging"],
            "required_permissions": ["root", "sudo"],
        },
    ),
    experiments=[make_experiment(unit="user", traffic_split=0.2)],
)
CLEAN_UP = """
    chain: clean_up
    version: 2.0.0
    description: Removes what nobody needs
    inputs:
      folders: {type: array, description: What to remove}
      mode: {type: string, default: dry, allowed_values: [dry, wet], description: How}
    steps:
      ask: {tool: echo, description: Asks first}
      say: {tool: echo@stable}
      wipe:
        tool: wipe
        foreach: {in: $.inputs.folders, as: folder, max: 3, parallel: 2}
        when: $.inputs.mode == 'wet'
        needs: [ask]
        with: {path: "{folder}"}
        retry: {attempts: 3, on: [transient, timeout], backoff: constant, first_s: 2}
        on_error: continue
      tell:
        transform: {text: "was {inputs.mode}", lost: {from: wipe, path: $.failed, default: null}}
    outputs: {lost: {from: tell, path: $.lost, type: integer}}
    parallel: 1
"""


def assert_matches_snapshot(name: str, text: str) -> None:
    path = TESTS / "snapshots" / name
    if os.environ.get("TOOL_CATALOG_UPDATE_SNAPSHOTS") == "1":
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8"), f"differs from tests/snapshots/{name}"


def clean_up() -> Plan:
    return build_plan(make_chain(CLEAN_UP), GOVERNED)


def test_the_example_chain_reads_as_agreed():
    text = plan_as_text(build_plan(HOST_HEALTH, HEALTH_TOOLS), HEALTH_TOOLS)
    assert_matches_snapshot("plan_host_health.txt", text)


def test_a_chain_under_policies_and_an_experiment_reads_as_agreed():
    assert_matches_snapshot("plan_clean_up.txt", plan_as_text(clean_up(), GOVERNED))


def test_without_a_catalogue_the_text_holds_the_plan_alone():
    assert_matches_snapshot("plan_without_catalogue.txt", plan_as_text(clean_up(), None))


def test_the_json_form_is_stable():
    document = plan_as_json(clean_up(), GOVERNED)
    assert_matches_snapshot("plan_clean_up.json", json.dumps(document, indent=2, sort_keys=True))


def test_the_json_form_has_the_same_keys_without_a_catalogue():
    full, bare = plan_as_json(clean_up(), GOVERNED), plan_as_json(clean_up(), None)
    assert full.keys() == bare.keys()
    assert bare["forecast"] is None
    for with_catalogue, without in zip(full["steps"], bare["steps"], strict=True):
        assert with_catalogue.keys() == without.keys()
        assert without["now"] is None


def test_approval_is_a_note_and_no_hindrance():
    text = plan_as_text(clean_up(), GOVERNED)
    assert "step wipe: linux/wipe requires approval (effects: system)" in text


@pytest.mark.parametrize(
    ("later", "trouble"),
    [
        (make_snapshot(make_tool("linux/other")), "step hello: there is no tool linux/echo"),
        (
            make_snapshot(make_tool(tool={"enabled": False})),
            "step hello: linux/echo@1.0.0 is disabled",
        ),
        (
            make_snapshot(experiments=[make_experiment("one"), make_experiment("two")]),
            "step hello: linux/echo has several active experiments: one, two",
        ),
    ],
)
def test_a_plan_that_the_catalogue_left_behind_says_so(later: CatalogSnapshot, trouble: str):
    plan = build_plan(make_chain(), make_snapshot())
    assert f"Attention\n  {trouble}" in plan_as_text(plan, later)
    assert plan_as_json(plan, later)["steps"][0]["trouble"] == trouble
