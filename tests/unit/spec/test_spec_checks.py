"""What the rules across fields allow: nothing that is right is refused."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_chain, make_input, make_output, make_tool_spec
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.spec.chain import ForeachSpec, ScheduleSpec
from tool_catalog_pipelines.spec.check_steps import check_schedule
from tool_catalog_pipelines.spec.checks import check_chain, check_experiment, check_tool
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.notes import Notes, name_hint
from tool_catalog_pipelines.spec.reader import read_document

NOWHERE = read_document("a: 1", "f.yaml")


def tool_messages(**pattern: Any) -> list[str]:
    return [p.message for p in check_tool(make_tool_spec(**pattern), NOWHERE)]


def command(*argv: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "command", "argv": argv, "output": {"parser": "lines"}, **more}


@pytest.mark.parametrize(
    "cron",
    ["0 6 * * *", "*/5 * * * *", "0 0 1,15 * mon-fri", "0-30/10 8-18 * JAN,jul 0", "59 23 31 12 7",
     "0\t6  *  * *", "5/15 * * * *"],
)  # fmt: skip
def test_cron_expressions_that_are_right(cron: str) -> None:
    notes = Notes(NOWHERE)
    check_schedule(ScheduleSpec(cron=cron), ("schedule",), notes)
    assert notes.problems == []


@pytest.mark.parametrize(
    "cron",
    ["", "* * * *", "* * * * * *", "*/0 * * * *", "60 * * * *", "* * 0 * *", "* * * 13 *",
     "* * * * fri-mon", "a * * * *", "1- * * * *", "1,,2 * * * *", "\u0665 * * * *"],
)  # fmt: skip
def test_cron_expressions_that_are_wrong(cron: str) -> None:
    notes = Notes(NOWHERE)
    check_schedule(ScheduleSpec(cron=cron), ("schedule",), notes)
    assert len(notes.problems) == 1


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_schedule_is_right_or_has_problems(cron: str, timezone: str) -> None:
    notes = Notes(NOWHERE)
    check_schedule(ScheduleSpec(cron=cron, timezone=timezone), ("schedule",), notes)
    assert all(problem.hint for problem in notes.problems)


def test_braces_and_placeholders_that_are_right() -> None:
    binding = command(
        "awk",
        "{{ print ${column} }}",
        "{{}}",
        {"if": "path", "then": ["--", "{path}"], "else": ["-"]},
        stdin="{path}",
        cwd="/",
        env={"COLUMN": "{column}"},
    )
    inputs = [make_input("path"), make_input("column", "integer")]
    assert tool_messages(binding=binding, required_inputs=inputs) == []


@pytest.mark.parametrize("name", ["df", "git-log", "git_log"])
def test_parsers_of_jc_by_both_spellings(name: str) -> None:
    output = {"parser": "jc", "name": name}
    assert tool_messages(binding=command("x", output=output)) == []


def test_streaming_parsers_of_jc_are_refused() -> None:
    output = {"parser": "jc", "name": "ls-s"}
    assert tool_messages(binding=command("x", output=output)) == ["jc has no parser 'ls-s'"]


def test_paths_of_variables_may_use_quotes_and_filters() -> None:
    variables = {
        "a": {"unit": "count", "default": 1, "before": "$.inputs['size']"},
        "b": {"unit": "count", "default": 1, "measured": "$.output.result[0].size"},
        "c": {"unit": "count", "default": 1, "measured": {"count": "$.output.result[?(@.x > 1)]"}},
        "d": {"unit": "count", "default": 1, "measured": "$.inputs.size"},
    }
    found = tool_messages(
        variables=variables,
        time_estimate_ms="a + b * log2(c + 1) + d",
        required_inputs=[make_input("size", "integer")],
        expected_outputs=[make_output("result", "array")],
        binding=command("x", output={"parser": "lines", "as": "result"}),
    )
    assert found == []


def test_a_required_input_with_a_default_may_be_missing_in_examples() -> None:
    inputs = [make_input("path", default="/")]
    assert tool_messages(required_inputs=inputs, examples=[{"name": "plain"}]) == []


def test_schemas_may_be_any_json_schema() -> None:
    schema = {
        "type": "array",
        "items": {"$ref": "#/$defs/row"},
        "$defs": {"row": {"type": "object", "required": ["size"]}},
    }
    outputs = [make_output("result", "array", schema=schema)]
    assert tool_messages(expected_outputs=outputs) == []


def test_steps_that_are_right() -> None:
    loaded = make_chain(
        """
        inputs:
          limit: {type: integer, default: 5, range: [1, 10], description: How many}
          name: {type: string, default: null, allowed_values: [a, b], description: Which}
        steps:
          a: {tool: "linux/df@1.0.0"}
          b:
            foreach: {in: "$.a.rows[?(@.size > {inputs.limit})]", as: row}
            when: "count_items($.a.rows) > 0 and $.inputs.limit > 1"
            tool: df@stable
            with: {size: "{row.size}", all: [{from: a, path: "$.rows[*].x"}], text: "{not a path}"}
            retry: {attempts: 3, first_s: 60, max_s: 60}
        schedule: {cron: "0 6 * * *", timezone: America/Argentina/Buenos_Aires}
        """
    )
    assert check_chain(loaded.spec, loaded.document) == []


def test_a_bare_tool_name_is_a_reference() -> None:
    spec = ExperimentSpec(
        experiment="x", description="x", tool="df", version_a="1.0.0", version_b="1.1.0"
    )
    assert check_experiment(spec, NOWHERE) == []


@given(st.text(max_size=60))
def test_any_condition_path_and_tool_is_right_or_a_problem(text: str) -> None:
    loaded = make_chain("steps: {a: {tool: linux/df, foreach: {in: $.a}}}")
    foreach = ForeachSpec.model_validate({"in": text})
    changed = {"when": text, "tool": text, "foreach": foreach}
    step = loaded.spec.steps["a"].model_copy(update=changed)
    spec = loaded.spec.model_copy(update={"steps": {"a": step}})
    assert all(problem.hint for problem in check_chain(spec, loaded.document))


@given(st.text(max_size=60))
def test_any_estimate_and_argument_is_right_or_a_problem(text: str) -> None:
    spec = make_tool_spec(
        time_estimate_ms=text,
        variables={"n": {"unit": "count", "default": 1, "before": text, "measured": text}},
        optional_inputs=[make_input("a", validation=text, default="x")],
        binding=command("x", text, output={"parser": "regex", "pattern": text}),
    )
    assert all(problem.hint for problem in check_tool(spec, NOWHERE))


def test_a_class_of_posix_in_a_regular_expression_is_a_problem() -> None:
    (message,) = tool_messages(optional_inputs=[make_input("a", validation="[[:space:]]")])
    assert "Possible nested set" in message


def test_hints_name_what_is_near_and_what_there_is() -> None:
    assert name_hint("Disk", ["disk", "memory"]) == "did you mean 'disk'? known: disk, memory"
    assert name_hint("xyz", ["disk"], "inputs") == "inputs: disk"
    assert name_hint("xyz", []) == ""
    assert name_hint("x", [f"name{n}" for n in range(100)]).endswith(", ...")


def test_a_shell_reads_only_the_text_after_its_switch() -> None:
    inputs = [{"name": "path", "type": "string", "description": "x"}]
    safe = command("/bin/bash", "-c", 'ls "$1"', "bash", "{path}")
    assert tool_messages(required_inputs=inputs, binding=safe) == []
    unsafe = command("/bin/bash", "-c", "ls {path}")
    (message,) = tool_messages(required_inputs=inputs, binding=unsafe)
    assert "part of a program that a shell reads" in message


def test_secrets_are_no_placeholders() -> None:
    call = {"kind": "http", "method": "GET", "url": "https://example.test/", "headers": {}}
    call["headers"] = {"Authorization": "Bearer ${secret:api-key}"}
    assert tool_messages(binding=call) == []
