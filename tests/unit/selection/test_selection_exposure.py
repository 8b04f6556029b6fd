"""`select` under an experiment: tools compete by latest, the chosen one gives the arm's version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from factories import make_experiment, make_pattern, make_snapshot, make_tool

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError
from tool_catalog_pipelines.selection.arms import assign_arm
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.choice import Choice, select
from tool_catalog_pipelines.selection.explanation import choice_as_json
from tool_catalog_pipelines.selection.exposed_choice import exposed
from tool_catalog_pipelines.selection.exposure import (
    active_experiment,
    experiment_named,
    exposure_of,
)
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.sentences import choice_as_text
from tool_catalog_pipelines.spec.experiment import ExperimentSpec

USE = ("use",)
OLD = make_tool("linux/echo@1.0.0", channels=("stable",), time_estimate_ms="40")
NEW = make_tool("linux/echo@1.1.0", channels=(), time_estimate_ms="20 + 0 * N")
LATEST = make_tool("linux/echo@1.2.0", time_estimate_ms="30")
UNITS = [f"unit-{number}" for number in range(40)]


def index_of(
    *experiments: ExperimentSpec, tools: tuple[CatalogTool, ...] = (OLD, NEW, LATEST)
) -> CandidateIndex:
    return CandidateIndex(make_snapshot(*tools, experiments=experiments))


def choose(need: Need, index: CandidateIndex) -> Choice:
    return exposed(select(need, index), index)


def answer(index: CandidateIndex, **need: Any) -> dict[str, Any]:
    return choice_as_json(choose(Need(USE, **need), index))


@pytest.mark.parametrize("kind", ["user", "run", "item"])
def test_the_unit_draws_the_version_with_its_estimates(kind: str) -> None:
    index = index_of(make_experiment(unit=kind))
    seen: set[str] = set()
    for name in UNITS:
        unit = f"{name}/s/0" if kind == "item" else name
        found = answer(index, **{"user" if kind == "user" else "unit": unit})
        arm = assign_arm("faster_echo", unit, 0.5)
        assert found["experiment"] == {
            "name": "faster_echo",
            "arm": arm,
            "unit_kind": kind,
            "unit": unit,
            "version_a": "1.0.0",
            "version_b": "1.1.0",
            "exposed": True,
            "reason": None,
        }
        assert found["version"] == {"a": "1.0.0", "b": "1.1.0"}[arm]
        assert found["estimates"]["time_ms"]["value"] == {"a": 40, "b": 20}[arm]
        seen.add(arm)
    assert seen == {"a", "b"}


@pytest.mark.parametrize(("kind", "unit"), [("run", "r/s/0"), ("item", "r"), ("item", "a/b/c/d")])
def test_a_unit_of_another_kind_takes_no_part(kind: str, unit: str) -> None:
    found = answer(index_of(make_experiment(unit=kind)), unit=unit)["experiment"]
    assert (found["exposed"], found["arm"]) == (False, None)
    assert found["reason"].startswith(f"{unit!r} is no {kind}; give ")


def test_the_split_of_the_experiment_is_honoured() -> None:
    index = index_of(make_experiment(unit="user", traffic_split=0.9))
    versions = [answer(index, user=unit)["version"] for unit in UNITS]
    assert [v == "1.1.0" for v in versions] == [
        assign_arm("faster_echo", unit, 0.9) == "b" for unit in UNITS
    ]
    assert versions.count("1.1.0") > versions.count("1.0.0") > 0


def test_the_variables_of_the_request_count_in_the_arms_version() -> None:
    variables = {"N": {"unit": "count", "default": 10}}
    new = make_tool("linux/echo@1.1.0", channels=(), time_estimate_ms="5 * N", variables=variables)
    index = index_of(make_experiment(unit="user"), tools=(OLD, new, LATEST))
    (in_b,) = [u for u in UNITS if assign_arm("faster_echo", u, 0.5) == "b"][:1]
    found = answer(index, user=in_b, variables={"N": 7})
    assert found["estimates"]["time_ms"]["value"] == 35
    assert found["estimates"]["variables"]["N"]["source"] == "given"
    assert answer(index, user=in_b)["estimates"]["time_ms"]["value"] == 50


def test_which_tool_is_chosen_does_not_depend_on_the_arm() -> None:
    """Arm b is far worse than the other tool; with its own figures it would lose."""
    slow = make_tool("linux/echo@1.1.0", channels=(), time_estimate_ms="50000")
    other = make_tool("linux/other@1.0.0", time_estimate_ms="100")
    index = index_of(make_experiment(unit="user"), tools=(OLD, slow, LATEST, other))
    found = [answer(index, mode="fast", user=unit) for unit in UNITS]
    assert {one["tool"] for one in found} == {"linux/echo"}
    assert {one["version"] for one in found} == {"1.0.0", "1.1.0"}
    assert len({one["score"] for one in found}) == 1
    assert {one["hints"]["sla_class"] for one in found} == {"interactive", "background"}
    ranked = {one["explanation"]["ranking"][0]["version"] for one in found}
    assert ranked == {"1.2.0"}


@pytest.mark.parametrize(
    ("experiment", "need", "reason"),
    [
        ({"unit": "run"}, {}, "its unit is the run; give the id of the run with --unit"),
        ({"unit": "item"}, {"unit": ""}, "give run/step/item with --unit"),
        ({"unit": "user"}, {}, "give the user with --user"),
        ({"unit": "user"}, {"unit": "run-1"}, "give the user with --user"),
        ({"target_environment": "staging"}, {"unit": "r"}, "in production take no part"),
        ({"target_users": ["ann"]}, {"unit": "r", "user": "ben"}, "runs of ben in production"),
        ({"version_b": "9.0.0"}, {"unit": "r"}, "arm b: linux/echo@9.0.0 has no version"),
    ],
)
def test_a_unit_that_takes_no_part_gets_latest_and_the_reason(
    experiment: dict[str, Any], need: dict[str, Any], reason: str
) -> None:
    found = answer(index_of(make_experiment(**experiment)), **need)
    assert found["version"] == "1.2.0"
    assert found["estimates"]["time_ms"]["value"] == 30
    assert (found["experiment"]["exposed"], found["experiment"]["arm"]) == (False, None)
    assert reason in found["experiment"]["reason"]


@pytest.mark.parametrize(
    ("arm_b", "reason"),
    [
        ({"tool": {"enabled": False}}, "arm b: linux/echo@1.1.0 is disabled"),
        ({"tool": {"status": "draft"}}, "arm b: linux/echo@1.1.0 is disabled"),
        ({"capabilities": {"use": {"walk": make_pattern()}}}, "1.1.0 has no pattern use/run"),
        ({"capabilities": {"other": {"run": make_pattern()}}}, "1.1.0 has no pattern use/run"),
        ({"binding": None}, "arm b: linux/echo@1.1.0 run cannot be executed here"),
        ({"policy": {"production_safe": False}}, "run: it is not marked as safe in production"),
        ({"policy": {"max_cost": 0.5}}, "run: the cost 1 is above 0.5, the pattern's own max_cost"),
        ({"time_estimate_ms": "900"}, "run: the time 900 ms is above the limit 500 ms"),
    ],
)
def test_units_take_part_only_where_either_arm_could_serve_them(
    arm_b: dict[str, Any], reason: str
) -> None:
    """Leaving out the units of one arm only would bias the split."""
    new = make_tool("linux/echo@1.1.0", channels=(), **arm_b)
    index = index_of(make_experiment(unit="user"), tools=(OLD, new, LATEST))
    for unit in UNITS[:12]:
        found = answer(index, user=unit, max_time_ms=500)
        assert (found["version"], found["experiment"]["exposed"]) == ("1.2.0", False)
        assert reason in found["experiment"]["reason"]


def test_a_soft_rule_of_the_arms_version_says_how_it_is_executed() -> None:
    new = make_tool("linux/echo@1.1.0", channels=(), policy={"requires_approval": True})
    index = index_of(make_experiment(unit="user"), tools=(OLD, new, LATEST))
    modes = {one["version"]: one["hints"]["execution_mode"]
             for one in (answer(index, user=unit) for unit in UNITS)}  # fmt: skip
    assert modes == {"1.0.0": "immediate", "1.1.0": "approval_required"}


@pytest.mark.parametrize("status", ["draft", "completed", "cancelled"])
def test_only_active_experiments_on_the_chosen_tool_count(status: Any) -> None:
    other = make_experiment("other", tool="linux/cat")
    found = answer(index_of(make_experiment(status=status), other), unit="r")
    assert (found["version"], found["experiment"]) == ("1.2.0", None)


def test_the_environment_of_the_need_decides() -> None:
    index = index_of(make_experiment(unit="user", target_environment="staging"))
    assert answer(index, user="ann", environment="staging")["experiment"]["exposed"]
    assert not answer(index, user="ann")["experiment"]["exposed"]


def test_two_active_experiments_are_refused_as_in_a_run() -> None:
    index = index_of(make_experiment("one"), make_experiment("two", tool="Echo"))
    with pytest.raises(
        InvalidInputError, match="linux/echo has several active experiments: one, two"
    ):
        choose(Need(USE, unit="r"), index)


def told(choice: Choice) -> str:
    """The text without its line breaks."""
    return " ".join(choice_as_text(choice, is_long=False).split())


def test_the_text_says_in_a_sentence_which_version_and_why() -> None:
    index = index_of(make_experiment(unit="user"))
    text = told(choose(Need(USE, user="ann"), index))
    assert text.startswith("Use linux/echo 1.1.0, pattern run")
    assert (
        "version 1.1.0 because the experiment faster_echo compares 1.0.0 (a) with 1.1.0 (b) and "
        "the user ann is in arm b; the tool was chosen by the figures of 1.2.0, the latest version"
    ) in text
    without = told(choose(Need(USE), index))
    assert "faster_echo compares 1.0.0 with 1.1.0, but not here: its unit is the user" in without
    assert "; you get 1.2.0, the latest version" in without


def test_the_step_to_write_into_a_chain_takes_part_in_the_experiment() -> None:
    index = index_of(make_experiment(unit="user"))
    assert "{tool: linux/echo, capability" in told(choose(Need(USE, user="ann"), index))
    assert "{tool: linux/echo@1.2.0, capability" in told(choose(Need(USE), index_of()))


def test_the_document_is_json_and_a_choice_without_experiment_says_so() -> None:
    found = answer(index_of(make_experiment(unit="user")), user="ann")
    assert json.loads(json.dumps(found)) == found
    assert answer(index_of())["experiment"] is None


def test_a_tenants_own_experiment_holds_before_a_shared_one() -> None:
    own = make_experiment("own", unit="user", version_a="1.1.0", version_b="1.2.0")
    shared = make_experiment("shared", unit="user")
    snapshot = replace(
        make_snapshot(OLD, NEW, LATEST, experiments=(shared,)),
        own_experiments=(("acme", own),),
    )
    for tenant, name in (("acme", "own"), ("shared", "shared")):
        index = CandidateIndex(replace(snapshot, tenant=tenant))
        assert answer(index, user="ann")["experiment"]["name"] == name


def test_an_experiment_is_found_by_name_and_near_names_are_told() -> None:
    snapshot = make_snapshot(experiments=(make_experiment(), make_experiment("other")))
    assert experiment_named("other", snapshot).experiment == "other"
    with pytest.raises(NotFoundError) as caught:
        experiment_named("Fastr_echo", snapshot)
    assert caught.value.problems[0].hint == "near: faster_echo"
    with pytest.raises(NotFoundError) as caught:
        experiment_named("zzz", snapshot)
    assert caught.value.problems[0].hint == "known: faster_echo, other"


def test_the_arm_of_a_unit_that_takes_no_part_is_known_but_not_given() -> None:
    exposure = exposure_of(make_experiment(status="draft"), "production", "ann", "r")
    assert exposure.arm == assign_arm("faster_echo", "r", 0.5)
    assert exposure.version in ("1.0.0", "1.1.0")
    assert "draft" in exposure.reason
    assert exposure.to_json()["arm"] is None


@pytest.mark.parametrize("name", ["echo", "Echo", "linux/echo", "linux/ECHO"])
def test_an_experiment_is_on_its_tool_however_it_is_written(name: str) -> None:
    snapshot = make_snapshot(OLD, NEW, LATEST, experiments=(make_experiment(tool=name),))
    assert active_experiment(LATEST, snapshot) is not None
    assert active_experiment(make_tool("linux/echo2"), snapshot) is None
    windows = active_experiment(make_tool("windows/echo"), snapshot)
    assert (windows is None) == ("/" in name)
