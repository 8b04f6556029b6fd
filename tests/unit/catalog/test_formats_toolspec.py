"""Executable tool specs: inputs, and which shell strings can be executed without a shell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from foreign_files import (
    FOREIGN,
    converted,
    converted_value,
    mutated,
    notes_of,
    pattern_of,
    tools_of,
)

from tool_catalog_pipelines.spec.binding import CommandBinding

WHOLE = json.loads((FOREIGN / "toolspec.json").read_text())


def with_template(template: str, **more: Any) -> Any:
    parameters = [
        {"name": "Host", "type": "string", "description": "h", "required": True},
        {"name": "loud", "type": "boolean", "description": "l", "default": False},
        {"name": "maybe", "type": "string", "description": "m"},
    ]
    tool = {"name": "t", "description": "d", "command_template": template, "parameters": parameters}
    (made,) = tools_of(converted_value({**tool, **more})).values()
    return made


def test_a_plain_template_becomes_argv() -> None:
    tool = tools_of(converted("toolspec.json"))["dns_lookup"]
    binding = pattern_of(tool).binding
    assert isinstance(binding, CommandBinding)
    assert binding.argv == ("dig", "+time={wait}", "{host}", "{kind}")
    assert (binding.max_output_bytes, tool.timeout_s, tool.platform) == (4096, 10, "multi-platform")


def test_parameters_become_inputs() -> None:
    pattern = pattern_of(tools_of(converted("toolspec.json"))["dns_lookup"])
    assert pattern.inputs["host"].validation == "^(?:[a-z0-9.-]+$)"
    assert pattern.inputs["kind"].allowed_values == ("A", "AAAA", "MX")
    assert pattern.inputs["wait"].range == (1, 9)
    assert [example.name for example in pattern.examples] == ["mail"]


def test_a_template_for_a_shell_is_kept_but_not_executed() -> None:
    result = converted("toolspec.json")
    tool = tools_of(result)["restart"]
    assert pattern_of(tool).binding is None
    assert tool.metadata["command_template"] == "systemctl restart {unit} && echo done"
    assert notes_of(result, "restart")["binding"] == "left out"
    assert pattern_of(tool).policy.required_permissions == ("admin",)


def test_secrets_are_masked() -> None:
    tool = tools_of(converted("toolspec.json"))["restart"]
    assert "hunter2" not in tool.model_dump_json()
    assert pattern_of(tool).examples[0].inputs["password"] == "***"
    assert all(
        "hunter2" not in str(line)
        for draft in converted("toolspec.json").drafts
        for line in draft.coerced
    )


@pytest.mark.parametrize(
    ("template", "argv"),
    [
        ("ping {Host}", ("ping", "{host}")),
        ("ping '{Host}'", ("ping", "{host}")),
        ('ping "to {Host}" -c 1', ("ping", "to {host}", "-c", "1")),
        ("curl --url={Host}", ("curl", "--url={host}")),
    ],
)
def test_templates_that_mean_the_same_without_a_shell(template: str, argv: tuple[str, ...]) -> None:
    binding = pattern_of(with_template(template)).binding
    assert isinstance(binding, CommandBinding)
    assert binding.argv == argv


@pytest.mark.parametrize(
    "template",
    [
        "a {Host} | b", "a {Host}; b", "a `b`", "a $(b)", "a $HOME", "a > b", "a < b", "a & b",
        "a *.txt", "a ~/b", "{Host} b", "X=1 a", "a {loud}", "a {maybe}", "a {unknown}",
        "a '{Host}", "a {{Host}}", "a \\{Host}", "a\nb", "", "  ", "a %PATH%", "a [bc]", "a #b",
        "a !b", "a ^b",
    ],
)  # fmt: skip
def test_templates_that_need_a_shell_have_no_binding(template: str) -> None:
    assert pattern_of(with_template(template)).binding is None


def test_a_single_tool_and_unknown_words() -> None:
    tool = with_template(
        "a", category="custom", platform="beos", version="two", timeout_seconds=-1, owner="me"
    )
    assert (tool.category, tool.platform, tool.version, tool.timeout_s) == (
        "automation",
        "multi-platform",
        "1.0.0",
        30,
    )
    assert tool.metadata["more"] == {"owner": "me"}


def test_mutated_files_give_drafts_or_problems() -> None:
    for seed in range(300):
        tools_of(converted_value(mutated(WHOLE, seed)))
