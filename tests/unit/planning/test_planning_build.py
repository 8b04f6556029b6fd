"""Chains without fault become plans that say exactly what was written."""

from __future__ import annotations

from pathlib import Path

from factories import host_health_tools, make_chain, make_input, make_snapshot, make_tool

from tool_catalog_pipelines.errors import Position
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.plan import (
    Constant,
    ListOf,
    MappingOf,
    Plan,
    Reference,
    Template,
)
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.load import load_chain

HOST_HEALTH = Path(__file__).parents[2] / "fixtures" / "chains" / "host_health.yaml"
ANY_INPUT = make_tool("linux/take", optional_inputs=[make_input("value", "object")])


def plan_of(text: str) -> Plan:
    return build_plan(make_chain(text), make_snapshot(make_tool(), ANY_INPUT))


def test_the_example_chain_plans():
    plan = build_plan(load_chain(HOST_HEALTH), make_snapshot(*host_health_tools()))
    assert plan.levels == (("disks", "memory", "processes"), ("full",), ("largest",), ("report",))
    assert plan.step("report").data_from == ("disks", "memory", "processes", "largest")
    assert plan.step("disks").pattern == "list_filesystems"
    assert plan.step("report").tool == ToolRef("render_report", "custom", "stable")
    assert plan.content["chain"] == "host_health"


def test_the_platform_is_filled_in_and_the_version_stays_as_written():
    plan = plan_of("steps: {a: {tool: Echo}, b: {tool: echo@1.0.0}, c: {tool: echo@latest}}")
    assert [str(step.tool) for step in plan.steps] == [
        "linux/echo",
        "linux/echo@1.0.0",
        "linux/echo@latest",
    ]


def test_the_only_pattern_is_the_default_and_a_name_chooses_among_several():
    tool = make_tool(
        "linux/many",
        capabilities={
            "one": {"run": {"description": "x", "binding": ANY_INPUT_BINDING}},
            "two": {"walk": {"description": "x", "binding": ANY_INPUT_BINDING}},
        },
    )
    chain = make_chain("steps: {a: {tool: many, pattern: walk}, b: {tool: many, capability: one}}")
    plan = build_plan(chain, make_snapshot(tool))
    assert [(step.capability, step.pattern) for step in plan.steps] == [
        ("two", "walk"),
        ("one", "run"),
    ]


ANY_INPUT_BINDING = {"kind": "python", "function": "noop"}


def test_every_kind_of_value_keeps_its_kind():
    plan = plan_of("""
        inputs: {x: {type: string, description: X}}
        steps:
          a: {tool: echo}
          b:
            transform:
              constant: {list: [1, two, {three: null}]}
              escaped: "%{{size}}"
              template: "size {inputs.x}"
              mixed: {text: "{inputs.x}", fixed: 1}
              listed: ["{inputs.x}", {from: a, path: $.out, type: integer, default: null}]
    """)
    arguments = plan.step("b").arguments
    assert arguments["constant"] == Constant({"list": [1, "two", {"three": None}]})
    assert arguments["escaped"] == Constant("%{size}")
    assert arguments["template"] == Template("size {inputs.x}", Position("chains/t.yaml", 9, 17))
    match arguments["mixed"], arguments["listed"]:
        case MappingOf({"text": Template(), "fixed": Constant(1)}), ListOf((Template(), ref)):
            assert isinstance(ref, Reference)
            assert (ref.step, ref.path, ref.type) == ("a", "$.out", "integer")
            assert (ref.has_default, ref.default) == (True, None)
        case other:
            raise AssertionError(other)


def test_data_follows_from_arguments_lists_and_conditions_and_needs_add_order_only():
    plan = plan_of("""
        steps:
          a: {tool: echo}
          b: {tool: echo}
          c: {tool: echo}
          d: {tool: echo}
          e:
            tool: take
            with: {value: {deep: [{from: a}]}}
            foreach: {in: $.b.list}
            when: exists($.c.result)
            needs: [d, a, d]
    """)
    step = plan.step("e")
    assert step.data_from == ("a", "b", "c")
    assert step.needs == ("d", "a")
    assert step.upstream == ("a", "b", "c", "d")


def test_inputs_are_no_dependency():
    plan = plan_of("""
        inputs: {x: {type: array, description: X}}
        steps:
          a: {tool: take, foreach: {in: $.inputs.x, as: one}, with: {value: "{one.name}"}}
          b: {transform: {y: {from: inputs, path: "$.x[0]"}}, when: "exists($.inputs.x)"}
    """)
    assert plan.levels == (("a", "b"),)


def test_steps_come_in_an_order_in_which_they_can_run():
    plan = plan_of("steps: {z: {tool: echo, needs: [m]}, m: {tool: echo}, a: {tool: echo}}")
    assert [step.id for step in plan.steps] == ["m", "z", "a"]
    assert plan.levels == (("m", "a"), ("z",))


def test_fields_that_are_not_declared_are_not_judged():
    plan = plan_of("""
        steps:
          a: {tool: echo}
          b: {transform: {x: {from: a, path: $.anything.at.all}}}
        outputs: {y: {from: b, path: $.x}}
    """)
    assert plan.outputs["y"].step == "b"
