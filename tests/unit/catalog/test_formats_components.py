"""Descriptions of community components."""

from __future__ import annotations

import json

from foreign_files import (
    FOREIGN,
    converted,
    converted_value,
    mutated,
    notes_of,
    pattern_of,
    tools_of,
)

WHOLE = json.loads((FOREIGN / "component" / "schema.json").read_text())


def test_attributes_become_inputs() -> None:
    tool = tools_of(converted("component/schema.json"))["RowCountCheck"]
    pattern = pattern_of(tool)
    assert [spec.name for spec in pattern.required_inputs] == ["asset_key"]
    assert pattern.inputs["asset_key"].description == "Asset key"
    assert pattern.inputs["minimum_rows"].default == 1
    assert pattern.inputs["token_env_var"].default == "API_TOKEN"
    assert pattern.inputs["mode"].allowed_values == ("fast", "exact")
    assert pattern.inputs["mode"].default is None
    assert pattern.binding is None


def test_what_it_is_stays_in_the_metadata() -> None:
    result = converted("component/schema.json")
    tool = tools_of(result)["RowCountCheck"]
    assert tool.metadata["kind"] == "dagster-component"
    assert tool.metadata["component_type"] == "some_templates.RowCountCheck"
    assert tool.metadata["x-dagster-io"] == {"outputs": {"type": "AssetCheckResult"}}
    assert notes_of(result, "RowCountCheck")["category"] == "automation"
    assert "hunter2" not in tool.model_dump_json()


def test_a_json_schema_with_a_title_is_read_too() -> None:
    schema = {"title": "My Part", "type": "object", "description": "d", "required": ["a"],
              "properties": {"a": {"type": "string", "description": "x"}}}  # fmt: skip
    (tool,) = tools_of(converted_value(schema, "parts/my/schema.json")).values()
    assert tool.tool_name == "My-Part"
    assert [spec.name for spec in pattern_of(tool).required_inputs] == ["a"]
    assert converted_value(schema, "other.json").drafts == ()


def test_mutated_files_give_drafts_or_problems() -> None:
    for seed in range(300):
        tools_of(converted_value(mutated(WHOLE, seed)))
