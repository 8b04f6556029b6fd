"""The conversation about a new tool: whatever is typed, only a valid tool comes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.catalog.drafting.dialogue import Dialogue, proposal_of
from tool_catalog_pipelines.catalog.drafting.draft import problems_of
from tool_catalog_pipelines.catalog.drafting.known import FunctionFacts, Known, Parameter
from tool_catalog_pipelines.catalog.export import exported_text

KNOWN = Known(
    versions={("linux", "df"): "1.0.0"},
    functions={
        "top_rows": FunctionFacts(
            "The largest rows",
            (
                Parameter("rows", "array"),
                Parameter("by", "string"),
                Parameter("top", "integer", 10, is_required=False),
                Parameter("note", "string", None, is_required=False),
            ),
        )
    },
    parser_of=lambda program: (program, "array") if program == "df" else None,
)
RIGHT = {
    "tool_name": ["count_words", "df", "a.B-c", "9lives", "x" * 100],
    "platform": ["linux", "custom", "windows", ""],
    "version": ["1.0.1", "2.0", "0.1"],
    "category": ["system", ""],
    "description": ["Counts words", "é ü 漢字", "x" * 2000],
    "kind": ["command", "http", "python", ""],
    "argv": [
        "wc -w -- {file}",
        "df -k",
        "grep {text} '{{x}}' {text}",
        '["ls", {"if": "all", "then": ["-a"]}, "{path}"]',
        "sleep {seconds} --count={count}",
    ],
    "target": ["", "-"],
    "method": ["get", "POST", ""],
    "url": ["{base_url}/x/{id}", "https://example.test/{id}"],
    "query": ["limit={limit} format=json", "", "-"],
    "headers": ["Accept=application/json 'Authorization=Bearer ${secret:name}'", "-"],
    "body": ['{"title": "{title}", "n": [1, "{n}"]}', "null", "[]", "-"],
    "function": ["top_rows"],
    "outputs": ["rows=array total=integer", "x=string"],
    "parser": ["lines", "text", "json", "jc df", "regex (?P<a>.+)", "none", ""],
    "output_name": ["rows", "", "result"],
    "output_type": ["array", "object", ""],
    "use_cases": ["one; two", "how much"],
    "variables": ["n=5", "n=2 count:$.output.rows[*]", "a=1 $.inputs.x; b=2 unit:MB", "-", ""],
    "time_estimate_ms": ["5", "1 + 2 * n", "", "a * b"],
    "constant_estimate": ["It is always small", "-"],
    "effects": ["read", "system"],
    "example.inputs": ["", "file=x", "rows=[] by=n", "file={scratch}/a.txt"],
    "example.files": ["", "a.txt='one\\ntwo'", "../a=1"],
    "documentation_url": ["https://example.test/doc", "-"],
    "tags": ["a, b, c", "-"],
}
OF_INPUTS = [
    "string",
    "integer",
    "array",
    "boolean",
    "5",
    "-x",
    "1 10",
    "10 1",
    "^/",
    "[a",
    "-",
    "",
]
ODD = [
    "?", "'", "{", "}", "{}", "[", "[[]]", '["a", 5]', "=", "a=", "=b", ";", "\\", "\x00", "\ud800",
    "null", '{"a": NaN}', "1e999", "${secret:x}", "(" * 200, "$.", "a" * 5000, "| > *", "5 5 5",
    "__import__('os')", "--token=abc", "n=1 count:$", "jc", "regex (", "regex (?P<a>", "-", "<",
]  # fmt: skip
ANY_LINE = st.one_of(st.sampled_from(ODD), st.text(max_size=30))


def typed(data: st.DataObject, key: str) -> str:
    """A line that is often right for the question."""
    if data.draw(st.integers(0, 3)) == 0:
        return data.draw(ANY_LINE)
    return data.draw(st.sampled_from(RIGHT.get(key, OF_INPUTS)))


def answered(dialogue: Dialogue, lines: dict[str, str]) -> Dialogue:
    """Answer by key, else by Enter, to the end."""
    while (question := dialogue.question) is not None:
        problem = dialogue.give(lines.get(question.key, ""))
        assert problem is None, f"{question.key}: {problem}"
    return dialogue


COMMAND = {
    "tool_name": "count_words",
    "description": "Counts the words of a file",
    "argv": "wc -w -- {file}",
    "use_cases": "how long is a text",
    "effects": "read",
}


@given(st.data())
def test_no_line_crashes_and_no_accepted_answer_makes_the_tool_wrong(data: st.DataObject) -> None:
    dialogue = Dialogue(KNOWN)
    for _ in range(60):
        question = dialogue.question
        if question is None:
            break
        if data.draw(st.integers(0, 9)) == 0:
            dialogue.back()
        else:
            before = dict(dialogue.answers)
            problem = dialogue.give(typed(data, question.key))
            assert (problem is None) == (question.key in dialogue.answers)
            assert problem is None or (dialogue.answers == before and problem.message)
        assert problems_of(dialogue.now) == ()
        assert json.loads(json.dumps(dialogue.answers)) == dialogue.answers
    if dialogue.question is None:
        assert exported_text(dialogue.spec)


@given(st.data())
def test_going_back_and_resuming_lead_to_the_same_tool(data: st.DataObject) -> None:
    dialogue = Dialogue(KNOWN)
    while (question := dialogue.question) is not None:
        for _ in range(20):
            if dialogue.give(typed(data, question.key)) is None:
                break
        else:
            return
    spec = dialogue.spec
    for _ in range(data.draw(st.integers(1, len(dialogue.answers)))):
        assert dialogue.back()
    stopped = json.loads(json.dumps([dialogue.answers, dialogue.remembered]))
    resumed = Dialogue(KNOWN)
    resumed.restore(*stopped)
    assert resumed.answers == dialogue.answers
    assert answered(resumed, {}).spec == spec


@given(st.data())
def test_what_is_proposed_can_be_typed_as_shown(data: st.DataObject) -> None:
    dialogue = Dialogue(KNOWN)
    for _ in range(40):
        question = dialogue.question
        if question is None:
            return
        proposal = proposal_of(question, dialogue.now)
        if proposal is not None and (shown := question.show(proposal)):
            assert question.read(shown, dialogue.now) == proposal, question.key
        dialogue.give(typed(data, question.key))


def test_only_what_is_needed_is_asked() -> None:
    dialogue = answered(Dialogue(KNOWN), COMMAND)
    assert "version" not in dialogue.answers
    assert "method" not in dialogue.answers
    assert dialogue.spec.key == ("linux", "count_words")
    assert [need.name for need in dialogue.spec.dependencies] == ["wc"]
    (pattern,) = dialogue.spec.patterns
    assert list(pattern.inputs) == ["file"]
    assert pattern.examples[0].inputs == {"file": "{scratch}/example.txt"}


def test_tool_without_inputs_has_an_example_too() -> None:
    dialogue = answered(Dialogue(KNOWN), COMMAND | {"argv": "df -k"})
    (pattern,) = dialogue.spec.patterns
    assert pattern.binding is not None
    assert pattern.binding.model_dump()["output"]["name"] == "df"
    assert len(pattern.examples) == 1


def test_input_with_a_default_or_a_condition_is_optional() -> None:
    argv = '["ls", {"if": "all", "then": ["-a"]}, "{path}", "{other}"]'
    lines = COMMAND | {"argv": argv, "inputs.all.type": "boolean", "inputs.path.default": "/tmp"}
    (pattern,) = answered(Dialogue(KNOWN), lines).spec.patterns
    assert [one.name for one in pattern.required_inputs] == ["other"]
    assert [one.name for one in pattern.optional_inputs] == ["all", "path"]


def test_existing_tool_asks_for_a_higher_version() -> None:
    dialogue = Dialogue(KNOWN)
    for line in ("DF", "linux"):
        assert dialogue.give(line) is None
    question = dialogue.question
    assert question is not None
    assert "linux/DF is in the catalogue already, as version 1.0.0" in question.text
    assert dialogue.give("") is not None
    assert dialogue.give("1.0.0") is not None
    assert dialogue.give("1.0.1") is None


def test_changed_command_keeps_what_still_fits() -> None:
    dialogue = Dialogue(KNOWN)
    lines = COMMAND | {"inputs.file.description": "The text"}
    while (question := dialogue.question) is not None and question.key != "parser":
        assert dialogue.give(lines.get(question.key, "")) is None
    while question is not None and question.key != "argv":
        dialogue.back()
        question = dialogue.question
    assert dialogue.give("cat {file} {other}") is None
    (pattern,) = answered(
        dialogue, {key: COMMAND[key] for key in ("use_cases", "effects")}
    ).spec.patterns
    assert pattern.inputs["file"].description == "The text"
    assert "other" in pattern.inputs


def test_answer_that_is_not_right_any_more_is_asked_again() -> None:
    dialogue = answered(Dialogue(KNOWN), COMMAND)
    resumed = Dialogue(replace(KNOWN, versions={("linux", "count_words"): "1.0.0"}))
    resumed.restore(dialogue.answers, {})
    question = resumed.question
    assert question is not None
    assert question.key == "version"
    assert resumed.remembered["description"] == COMMAND["description"]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("argv", "curl --password=hush {url}"),
        ("argv", "a | b"),
        ("argv", "a $(b)"),
        ("argv", "a > b"),
        ("argv", "ls *.txt"),
        ("argv", "sh -c {program}"),
        ("argv", "{program} x"),
    ],
)
def test_command_that_would_do_something_else_is_refused(key: str, line: str) -> None:
    dialogue = Dialogue(KNOWN)
    while (question := dialogue.question) is not None and question.key != key:
        assert dialogue.give(COMMAND.get(question.key, "")) is None
    assert dialogue.give(line) is not None


@pytest.mark.parametrize("line", ["grep '|' {f}", r"find . -exec ls \;", "a 'b*'", 'a "x y"'])
def test_quoted_marks_are_plain_text(line: str) -> None:
    dialogue = Dialogue(KNOWN)
    while (question := dialogue.question) is not None and question.key != "argv":
        assert dialogue.give(COMMAND.get(question.key, "")) is None
    assert dialogue.give(line) is None
