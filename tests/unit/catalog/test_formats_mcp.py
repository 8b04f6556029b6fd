"""Tools of a Model Context Protocol server."""

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

WHOLE = json.loads((FOREIGN / "mcp.json").read_text())


def test_schemas_become_inputs_and_outputs() -> None:
    pattern = pattern_of(tools_of(converted("mcp.json"))["files-read"])
    assert [(spec.name, spec.type) for spec in pattern.required_inputs] == [("path", "string")]
    assert pattern.inputs["path"].validation == "^/"
    assert pattern.inputs["max_lines"].type == "integer"
    assert pattern.inputs["encoding"].default == "utf-8"
    assert [output.type for output in pattern.expected_outputs] == ["object"]
    assert pattern.binding is None


def test_hints_are_claims() -> None:
    result = converted("mcp.json")
    tools = tools_of(result)
    assert (pattern_of(tools["files-read"]).effects, tools["files-read"].retries) == ("read", 3)
    assert (pattern_of(tools["drop"]).effects, tools["drop"].retries) == ("system", 0)
    assert any("claim" in text for text in pattern_of(tools["files-read"]).limitations)
    assert notes_of(result, "files-read")["effects"] == "read"


def test_metadata_is_kept_without_secrets() -> None:
    metadata = tools_of(converted("mcp.json"))["files-read"].metadata
    assert metadata["title"] == "Read a file"
    assert metadata["_meta"] == {"team": "files", "api_token": "***"}


@pytest.mark.parametrize("shape", [WHOLE, WHOLE["result"], WHOLE["result"]["tools"]])
def test_every_shape_gives_the_same_tools(shape: Any) -> None:
    result = converted_value(shape)
    assert list(tools_of(result)) == ["files-read", "drop"]
    assert len(result.problems) == 1


def test_a_list_that_goes_on_is_said() -> None:
    result = converted_value({"tools": WHOLE["result"]["tools"][:1], "nextCursor": "abc"})
    assert "goes on" in result.problems[0].message


def test_inputs_that_are_no_mapping_are_refused() -> None:
    result = converted_value([{"name": "x", "inputSchema": {"type": "array"}}])
    assert result.drafts == ()
    assert "no mapping" in result.problems[0].message


def test_mutated_lists_give_drafts_or_problems() -> None:
    for seed in range(300):
        tools_of(converted_value(mutated(WHOLE, seed)))
