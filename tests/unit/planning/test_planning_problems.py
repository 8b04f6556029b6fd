"""Chains with faults: each is told with its place and what to do, and all at once."""

from __future__ import annotations

import pytest
from factories import (
    make_chain,
    make_input,
    make_output,
    make_pattern,
    make_snapshot,
    make_tool,
)

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.planning.build import build_plan

SNAPSHOT = make_snapshot(
    make_tool(),
    make_tool("windows/twice"),
    make_tool("linux/twice"),
    make_tool("linux/off", tool={"enabled": False}),
    make_tool("linux/gone", channels=(), tool={"status": "disabled"}),
    make_tool("linux/listed", binding=None),
    make_tool("linux/many", capabilities={"read": {"a": make_pattern(), "b": make_pattern()}}),
    make_tool(
        "linux/find",
        required_inputs=[make_input("path", validation="^/"), make_input("kind", default="file")],
        optional_inputs=[
            make_input("depth", "integer", range=[0, 10]),
            make_input("order", allowed_values=["name", "size"]),
        ],
        expected_outputs=[make_output("paths", "array")],
    ),
)


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(InvalidInputError) as caught:
        build_plan(make_chain(text), SNAPSHOT)
    return list(caught.value.problems)


# Lines and columns count inside `steps:`, whose first line is line 2 of the file.
CASES = {
    "unknown tool": (
        "a: {tool: linux/ecko}",
        "2:13: there is no tool linux/ecko (did you mean linux/echo?)",
    ),
    "tool on several platforms": (
        "a: {tool: twice}",
        "2:13: twice exists on several platforms (write linux/twice or windows/twice)",
    ),
    "unknown version": (
        "a: {tool: linux/echo@2.0.0}",
        "2:13: linux/echo@2.0.0 has no version or channel '2.0.0' (known: 1.0.0)",
    ),
    "disabled tool": (
        "a: {tool: off}",
        "2:13: linux/off@1.0.0 is disabled (enable it or use another tool)",
    ),
    "disabled tool without channel": (
        "a: {tool: gone}",
        "2:13: linux/gone@1.0.0 is disabled (enable it or use another tool)",
    ),
    "not executable": (
        "a: {tool: listed}",
        "2:13: linux/listed@1.0.0 use/run is not executable: the pattern has no binding "
        "(add a binding to the tool file, or use a pattern that has one)",
    ),
    "several patterns": (
        "a: {tool: many}",
        "2:13: linux/many@1.0.0 can be used in several ways: read/a, read/b "
        "(name one with `capability:` and `pattern:`)",
    ),
    "unknown pattern": (
        "a: {tool: many, pattern: c}",
        "2:28: linux/many@1.0.0 has no pattern 'c' (known: a, b)",
    ),
    "unknown capability": (
        "a: {tool: many, capability: reed}",
        "2:31: linux/many@1.0.0 has no capability 'reed' (did you mean 'read'? known: read)",
    ),
    "missing argument": (
        "a: {tool: find}",
        "2:3: step a: linux/find@1.0.0 needs the input 'path' (string) "
        "(add it under `with:` (The path))",
    ),
    "null for a required argument": (
        "a: {tool: find, with: {path: null}}",
        "2:19: step a: linux/find@1.0.0 needs the input 'path' (string) "
        "(add it under `with:` (The path))",
    ),
    "undeclared argument": (
        "a: {tool: find, with: {path: /, dept: 1}}",
        "2:35: linux/find@1.0.0 has no input 'dept' "
        "(did you mean 'depth'? known: path, kind, depth, order)",
    ),
    "argument of the wrong type": (
        'a: {tool: find, with: {path: /, depth: "1"}}',
        "2:42: depth must be a whole number, but is the text '1' (The depth)",
    ),
    "argument out of range": (
        "a: {tool: find, with: {path: /, depth: 11}}",
        "2:42: depth must be between 0 and 10, but is the number 11 (The depth)",
    ),
    "argument not allowed": (
        "a: {tool: find, with: {path: /, order: age}}",
        "2:42: order must be one of 'name', 'size', but is the text 'age' (The order)",
    ),
    "argument against its regular expression": (
        "a: {tool: find, with: {path: etc}}",
        "2:32: path must match the regular expression '^/', but is the text 'etc' (The path)",
    ),
    "unknown step": (
        "disks: {tool: echo}\n  b: {transform: {x: {from: disk}}}",
        "3:29: there is no step 'disk' (did you mean 'disks'? known: disks, b, inputs)",
    ),
    "reference to itself": (
        "a: {transform: {x: {from: a}}}",
        "2:29: step a refers to itself (refer to another step)",
    ),
    "undeclared input in a text": (
        'a: {transform: {x: "the {inputs.limti}"}}',
        "2:22: the chain declares no input 'limti' (did you mean 'limit'? known: limit)",
    ),
    "undeclared input in a path": (
        'a: {transform: {x: {from: inputs, path: "$.limit[?(@.a == {inputs.b})]"}}}',
        "2:43: the chain declares no input 'b' (known: limit)",
    ),
    "undeclared input by path": (
        "a: {transform: {x: {from: inputs, path: $.c}}}",
        "2:43: the chain declares no input 'c' (known: limit)",
    ),
    "placeholder without a name": (
        'a: {transform: {x: "{inputs}"}}',
        "2:22: {inputs} names no input (write {inputs.name})",
    ),
    "undeclared output field": (
        "a: {tool: find, with: {path: /}}\n  b: {transform: {x: {from: a, path: $.path}}}",
        "3:38: the output of step a has no field 'path' (did you mean 'paths'? known: paths)",
    ),
    "field that foreach does not give": (
        "a: {tool: echo, foreach: {in: $.inputs.limit}}\n"
        "  b: {transform: {x: {from: a, path: $.result}}}",
        "3:38: the output of step a has no field 'result' (known: failed, items, succeeded)",
    ),
    "field that a transform does not give": (
        "a: {transform: {one: 1}}\n  b: {tool: echo, foreach: {in: $.a.two}}",
        "3:33: the output of step a has no field 'two' (known: one)",
    ),
    "list from an unknown step": (
        "a: {tool: echo, foreach: {in: $.c.list}}",
        "2:33: there is no step 'c' (known: a, inputs)",
    ),
    "list from nowhere": (
        "a: {tool: echo, foreach: {in: '$[*]'}}",
        "2:33: $[*] does not say which step it reads (begin with $.step or $.inputs)",
    ),
    "placeholder in a list": (
        "a: {tool: echo, foreach: {in: '$.inputs.limit[{inputs.limit}]'}}",
        "2:33: {inputs.limit} is not filled in here "
        "(make the list in a transform step, and refer to that)",
    ),
    "condition on an unknown step": (
        "a: {tool: echo, when: $.disks.free > 1}",
        "2:25: there is no step 'disks' (known: a, inputs)",
    ),
    "condition on a bare input": (
        "a: {tool: echo, when: limit > 1}",
        "2:25: there is no step 'limit' (write $.inputs.limit)",
    ),
    "condition on an undeclared input": (
        "a: {tool: echo, when: $.inputs.limits > 1}",
        "2:25: the chain declares no input 'limits' (did you mean 'limit'? known: limit)",
    ),
    "item outside of a list": (
        'a: {transform: {x: "{item}"}}',
        "2:22: {item} means nothing here "
        "(only a step with 'foreach' has an item; write {{item}} for the text itself)",
    ),
    "item by another name": (
        "a: {tool: find, foreach: {in: $.inputs.limit, as: disk}, with: {path: '/{item}'}}",
        "2:73: {item} means nothing here "
        "(the item of this step is {disk}; write {{item}} for the text itself)",
    ),
    "step as a placeholder": (
        'a: {tool: echo}\n  b: {transform: {x: "{a.result}"}}',
        "3:22: {a.result} means nothing here (write {from: a, path: ...} to read the output "
        "of a step; write {{a.result}} for the text itself)",
    ),
    "mapping that is no reference": (
        "a: {tool: echo}\n  b: {transform: {x: {from: a, pth: $.x}}}",
        "3:32: unknown key 'pth' (did you mean 'path'? known keys: from, path, type, default)",
    ),
    "cycle": (
        "a: {tool: echo, needs: [c]}\n  b: {tool: echo, needs: [a]}\n"
        "  c: {transform: {x: {from: b}}}",
        "2:3: steps wait for each other: a -> b -> c -> a "
        "(a -> b means that b waits for a; remove one of the references or `needs`)",
    ),
    "unknown step in needs": (
        "ab: {tool: echo}\n  b: {tool: echo, needs: [ab, abc]}",
        "3:31: there is no step 'abc' (did you mean 'ab'? known: ab, b)",
    ),
    "step that needs itself": (
        "a: {tool: echo, needs: [a]}",
        "2:27: step a needs itself (remove it)",
    ),
    "step called inputs": (
        "inputs: {tool: echo}",
        "2:3: a step cannot be called inputs: the name means the inputs of the chain "
        "(choose another name)",
    ),
    "item called inputs": (
        "a: {tool: echo, foreach: {in: $.inputs.limit, as: inputs}}",
        "2:53: an item cannot be called inputs: the name means the inputs of the chain "
        "(choose another name)",
    ),
}


@pytest.mark.parametrize(("steps", "expected"), CASES.values(), ids=CASES.keys())
def test_a_fault_is_told_with_its_place_and_what_to_do(steps: str, expected: str):
    text = f"steps:\n  {steps}\ninputs: {{limit: {{type: array, description: L}}}}\n"
    assert [str(problem) for problem in problems_of(text)] == [f"chains/t.yaml:{expected}"]


def test_an_unknown_output_is_told():
    found = problems_of("steps: {a: {tool: echo}}\noutputs: {x: {from: b}}\n")
    assert [str(problem) for problem in found] == [
        "chains/t.yaml:2:21: there is no step 'b' (known: a, inputs)"
    ]


def test_an_output_has_no_item():
    found = problems_of('steps: {a: {tool: echo}}\noutputs: {x: {from: a, path: "$[{item}]"}}\n')
    assert [problem.code for problem in found] == ["placeholder"]


def test_all_faults_are_told_at_once_in_the_order_of_the_file():
    found = problems_of("""\
        steps:
          a: {tool: linux/ecko, with: {x: "{inputs.no}"}}
          b: {tool: find, with: {path: etc, depht: 1}, needs: [nobody]}
          c: {transform: {x: {from: nowhere}}, when: "$.nothing == 1"}
        outputs: {y: {from: d}}
    """)
    assert [(problem.code, problem.position.line) for problem in found if problem.position] == [
        ("unknown_tool", 2),
        ("unknown_input", 2),
        ("argument_value", 3),
        ("unknown_argument", 3),
        ("unknown_step", 3),
        ("unknown_step", 4),
        ("unknown_step", 4),
        ("unknown_step", 5),
    ]


def test_an_unknown_tool_hides_no_other_fault_and_makes_none():
    found = problems_of("""\
        steps:
          a: {tool: nothing, with: {any: 1}}
          b: {transform: {x: {from: a, path: $.any}}}
    """)
    assert [problem.code for problem in found] == ["unknown_tool"]


def test_a_level_may_hold_100_steps_and_no_more():
    def chain(width: int) -> str:
        return "steps:\n" + "".join(f"  s{n}: {{tool: echo}}\n" for n in range(width))

    assert len(build_plan(make_chain(chain(100)), SNAPSHOT).levels[0]) == 100
    (problem,) = problems_of(chain(101))
    assert problem.message == "level 1 has 101 steps side by side; at most 100 can"
    assert "foreach" in problem.hint
    assert str(problem.position) == "chains/t.yaml:102:3"


def test_a_line_may_hold_300_steps_and_no_more():
    def chain(depth: int) -> str:
        rest = (f"  s{n}: {{tool: echo, needs: [s{n - 1}]}}\n" for n in range(1, depth))
        return "steps:\n  s0: {tool: echo}\n" + "".join(rest)

    assert len(build_plan(make_chain(chain(300)), SNAPSHOT).levels) == 300
    (problem,) = problems_of(chain(301))
    assert problem.message == "301 steps wait for one another in a line; at most 300 can"
    assert problem.hint
