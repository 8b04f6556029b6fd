"""Loading files: valid ones become specs, versions stay as written, hashes are stable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from factories import make_chain, make_tool_spec

from tool_catalog_pipelines.errors import InvalidInputError, Position
from tool_catalog_pipelines.spec.load import (
    canonical_json,
    content_hash,
    load_chain,
    load_experiment,
    load_tool,
    yaml_files,
)

VALID = Path(__file__).parents[2] / "fixtures" / "catalog" / "valid"
TOOL = """\
tool_name: demo
platform: linux
version: {version}
category: system
description: A demo
capabilities:
  use:
    description: Its use
    patterns:
      run: {{description: The only way, {pattern}}}
"""


def write_tool(folder: Path, pattern: str = "time_estimate_ms: 5", version: str = "1.0.0") -> Path:
    path = folder / "demo.yaml"
    path.write_text(TOOL.format(version=version, pattern=pattern), encoding="utf-8")
    return path


def first_problem(path: Path) -> str:
    with pytest.raises(InvalidInputError) as caught:
        load_tool(path, "demo.yaml")
    return str(caught.value.problems[0])


def test_the_example_tool_is_loaded() -> None:
    loaded = load_tool(VALID / "df.yaml", "tools/df.yaml")
    pattern = loaded.spec.pattern("disk_usage", "list_filesystems")
    assert loaded.spec.key == ("linux", "df")
    assert pattern.variables["num_filesystems"].range == (0, 100000)
    assert loaded.document.position(("version",)) == Position("tools/df.yaml", 4, 10)
    assert loaded.path == VALID / "df.yaml"


def test_the_example_chain_is_loaded() -> None:
    spec = load_chain(VALID / "host_health.yaml").spec
    assert list(spec.steps) == ["disks", "memory", "processes", "full", "largest", "report"]
    assert spec.steps["largest"].retry.on == ("transient",)
    assert spec.inputs["threshold_percent"].default == 80


def test_the_example_experiment_is_loaded() -> None:
    assert load_experiment(VALID / "folder_search.yaml").spec.unit == "item"


def test_a_pattern_without_binding_is_fine(tmp_path: Path) -> None:
    spec = load_tool(write_tool(tmp_path)).spec
    assert spec.pattern("use", "run").binding is None
    assert spec.pattern("use", "run").time_estimate_ms == "5"


@pytest.mark.parametrize("version", ["1.0", "1.10", "2", "1.2.3", "1.0.0-rc.1"])
def test_a_version_stays_as_it_was_written(tmp_path: Path, version: str) -> None:
    assert load_tool(write_tool(tmp_path, version=version)).spec.version == version


def test_versions_of_dependencies_stay_too(tmp_path: Path) -> None:
    path = write_tool(tmp_path)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("dependencies: [{name: git, type: binary, version: 2.40}]\n")
    assert load_tool(path).spec.dependencies[0].version == "2.40"


def test_a_registered_function_is_accepted_and_another_is_not(tmp_path: Path) -> None:
    load_tool(write_tool(tmp_path, "binding: {kind: python, function: noop}"))
    problem = first_problem(write_tool(tmp_path, "binding: {kind: python, function: nop}"))
    assert (
        "demo.yaml:10:74: no Python function 'nop' is registered (did you mean 'noop'?" in problem
    )


def test_names_of_python_fields_are_no_keys_of_files(tmp_path: Path) -> None:
    outputs = "expected_outputs: [{name: a, type: array, schema_: {}}]"
    problem = first_problem(write_tool(tmp_path, outputs))
    assert "unknown key 'schema_' (did you mean 'schema'?" in problem


def test_an_estimate_that_explodes_is_a_problem_and_ends(tmp_path: Path) -> None:
    problem = first_problem(write_tool(tmp_path, 'time_estimate_ms: "9 ** 9 ** 9 ** 9"'))
    assert "'time_estimate_ms'" in problem


def test_a_whole_number_too_large_for_any_machine_is_accepted_or_a_problem(tmp_path: Path) -> None:
    path = write_tool(tmp_path, "policy: {max_cost: 1" + "0" * 290 + "}")
    assert load_tool(path).spec.pattern("use", "run").policy.max_cost == pytest.approx(1e290)


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml"])
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    problem = first_problem(tmp_path / name)
    assert problem.startswith("demo.yaml:1:1: ")


def test_a_named_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a file" in first_problem(tmp_path / "pipe.yaml")


def test_files_are_shown_by_their_path_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("- x", encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        load_tool(path)
    assert caught.value.problems[0].position == Position(str(path), 1, 1)


def test_yaml_files_are_found_below_a_folder_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/z.yml", "a/A.YAML", "note.txt", ".hidden.yaml", ".git/c.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a: 1", encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in yaml_files(tmp_path)]
    assert found == ["a/A.YAML", "a/z.yml", "b.yaml"]
    assert yaml_files(tmp_path / "missing") == ()


def test_the_hash_depends_on_what_a_spec_says_only() -> None:
    plain, again = make_tool_spec(), make_tool_spec(tool={"status": "active", "metadata": {}})
    assert content_hash(plain) == content_hash(again)
    assert len(content_hash(plain)) == 64
    assert content_hash(plain) != content_hash(make_tool_spec(time_estimate_ms="11"))


def test_the_hash_does_not_depend_on_layout(tmp_path: Path) -> None:
    one = load_tool(write_tool(tmp_path)).spec
    text = (tmp_path / "demo.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    (tmp_path / "other.yaml").write_text(
        "# reordered\n" + "\n".join([*lines[1:5], lines[0], *lines[5:]]), encoding="utf-8"
    )
    assert content_hash(load_tool(tmp_path / "other.yaml").spec) == content_hash(one)


def test_a_null_default_of_a_chain_input_counts() -> None:
    steps = "\nsteps: {a: {tool: linux/echo}}"
    without = make_chain("inputs: {x: {type: array, description: x}}" + steps).spec
    with_null = make_chain("inputs: {x: {type: array, description: x, default: null}}" + steps).spec
    assert content_hash(without) != content_hash(with_null)


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "ä"}) == '{"a":"\\u00e4","b":[1,2.5,null]}'
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))
