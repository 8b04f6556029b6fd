"""The six legacy shapes: what is taken, what is changed on the way, and that it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.catalog.formats.draft import Converted
from tool_catalog_pipelines.catalog.formats.registry import recognise
from tool_catalog_pipelines.catalog.formats.validation import spec_of_draft
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import CHECKOUT
from tool_catalog_pipelines.spec.load import read_file, yaml_files
from tool_catalog_pipelines.spec.reader import Document
from tool_catalog_pipelines.spec.tool import PatternSpec, ToolSpec

FOLDER = Path(__file__).resolve().parents[2] / "fixtures/foreign/legacy"
FORMATS = {
    "full": "legacy-full",
    "list": "legacy-full",
    "wrapper": "legacy-wrapper",
    "flat": "legacy-flat",
    "registry": "legacy-registry",
    "registry_shell": "legacy-registry",
    "api": "legacy-api",
}


def converted(name: str) -> Converted:
    document = read_file(FOLDER / f"{name}.yaml", f"{name}.yaml")
    known = recognise(document)
    assert known is not None
    assert known.name == FORMATS[name]
    return known.convert(document)


def spec(name: str) -> ToolSpec:
    found = converted(name)
    assert found.problems == ()
    (draft,) = found.drafts
    return spec_of_draft(draft)


def only_pattern(tool: ToolSpec) -> PatternSpec:
    (pattern,) = [p for c in tool.capabilities.values() for p in c.patterns.values()]
    return pattern


def said(name: str) -> dict[str, tuple[str, str]]:
    (draft,) = converted(name).drafts
    return {line.field: (line.given, line.became) for line in draft.coerced}


def test_a_full_file_keeps_what_it_says() -> None:
    tool = spec("full")
    pattern = tool.pattern("look", "in_files")
    assert (tool.tool_name, tool.version, tool.category) == ("Log_Finder", "1.0", "system")
    assert pattern.time_estimate_ms == "200 + 0.5 * file_size_kb"
    assert pattern.variables["file_size_kb"].unit == "KiB"
    assert pattern.cost_estimate == "1"
    assert (pattern.scope, pattern.completeness) == ("single_item", "complete")
    assert (pattern.policy.max_execution_time_s, pattern.policy.production_safe) == (60, True)
    assert [spec.name for spec in pattern.required_inputs] == ["pattern"]
    assert pattern.inputs["limit"].default == 5
    assert pattern.inputs["deep"].default is False
    assert pattern.inputs["ratio"].type == "number"
    assert pattern.inputs["pattern"].examples == ("Error",)
    assert pattern.expected_outputs[0].name == "lines_found"
    assert pattern.effects == "read"
    assert pattern.binding is None, "no binding is invented"
    assert tool.dependencies[0].type == "package"
    assert [example.name for example in pattern.examples] == ["plain"]
    assert pattern.examples[0].inputs == {"pattern": "Exit", "limit": 3}


def test_keys_of_its_own_go_to_the_metadata() -> None:
    metadata = spec("full").metadata
    assert metadata["tags"] == ["logs", "search"]
    assert metadata["author"] == "ops"
    imported = metadata["imported"]
    assert imported["execution_location"] == "worker"
    assert imported["defaults"] == {"freshness": "a minute old", "protocol": "ssh"}
    assert imported["patterns"] == {"look/in_files": {"api_parameters": {"retries": 2}}}
    assert imported["examples"][0]["expected_time_ms"] == 300


def test_every_value_that_was_changed_is_reported() -> None:
    lines = said("full")
    field = "capabilities.look.patterns.in_files"
    assert lines["category"] == ("text-search", "system")
    assert lines[f"{field}.scope"] == ("single", "single_item")
    assert lines[f"{field}.policy.production_safe"] == ("true", "true")
    assert lines[f"{field}.inputs.0.default"] == ("false", "false")
    assert lines[f"{field}.inputs.1.default"] == ("high", "left out")
    assert lines["dependencies.0"] == ("program", "package")
    assert lines["metadata.tags"] == ("3 tags", "2 tags")
    (draft,) = converted("full").drafts
    assert all(line.position is None or line.position.line > 1 for line in draft.coerced)


def test_no_secret_survives() -> None:
    (draft,) = converted("full").drafts
    assert "hunter2" not in str(draft)
    assert "***" in str(draft.document["metadata"])


def test_a_list_of_capabilities_and_what_cannot_be_read() -> None:
    pattern = spec("list").pattern("reading", "once")
    assert pattern.time_estimate_ms is None, "unknown, not invented"
    assert pattern.cost_estimate == "2"
    assert pattern.effects == "system"
    assert pattern.required_inputs[0].name == "meter_id"
    assert said("list")["capabilities.reading.patterns.once.time_estimate_ms"][1] == "unknown"


def test_the_short_shapes() -> None:
    wrapper = spec("wrapper")
    pattern = wrapper.pattern("stopping", "by_id")
    assert [s.name for s in pattern.required_inputs] == ["host"]
    assert [s.name for s in pattern.optional_inputs] == ["force"]
    assert pattern.policy.requires_approval
    assert pattern.policy.max_execution_time_s == 60
    flat = spec("flat")
    assert only_pattern(flat).policy.required_permissions == ("admin",)
    assert only_pattern(flat).effects == "system"
    assert flat.metadata["imported"]["execution_method"] == "powershell"
    api = spec("api")
    assert list(api.capabilities) == ["list_ports", "set_port"]
    assert (api.platform, api.category) == ("network", "network")
    assert api.metadata["imported"]["metadata"] == {"estimated_time_seconds": 2}


def test_only_a_plain_command_line_becomes_executable() -> None:
    plain = only_pattern(spec("registry")).binding
    assert plain is not None
    assert plain.argv == ("docker", "images", "--all")
    assert spec("registry").platform == "container"
    shell = spec("registry_shell")
    assert only_pattern(shell).binding is None
    assert shell.metadata["imported"]["meta"]["cmd"] == "grep -r {{text}} . | head"


def test_our_own_files_are_not_taken_for_legacy_files() -> None:
    for path in yaml_files(CHECKOUT / "catalog_yaml"):
        assert recognise(read_file(path)) is None, path


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_broken_files_give_drafts_or_problems_and_never_an_exception(name: str, data: Any) -> None:
    value = dict(read_file(FOLDER / f"{name}.yaml").value)
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(value, data)
    document = Document("mutated.yaml", value, {})
    known = recognise(document)
    if known is None:
        return
    for draft in known.convert(document).drafts:
        try:
            spec_of_draft(draft)
        except InvalidInputError as error:
            assert error.problems


def mutate(value: Any, data: Any) -> None:
    """Replace, remove or add something at a random place."""
    place: Any = value
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            place[key] = data.draw(VALUES)
            return
        place = inner
