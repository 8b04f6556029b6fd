"""`validate` sees every file at once; the schemas agree with the readers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tool_catalog_pipelines.settings import CHECKOUT
from tool_catalog_pipelines.spec.json_schema import KINDS, json_schema
from tool_catalog_pipelines.spec.load import read_file, yaml_files

TOOL = """
tool_name: {name}
platform: linux
version: 1.0.0
category: system
description: A tool of this test
capabilities:
  use:
    description: Use
    patterns:
      run:
        description: Run
        time_estimate_ms: "{estimate}"
        binding: {{kind: command, argv: [echo], output: {{parser: text, as: result}}}}
"""
CHAIN = """
chain: together
version: 1.0.0
description: Uses tools of the same folder
steps:
  a: {tool: linux/first}
  b: {tool: linux/nowhere}
"""


@pytest.fixture
def validate(home: Path) -> Any:
    environment = {**os.environ, "TOOL_CATALOG_HOME": str(home / "state")}

    def run(*arguments: str) -> tuple[int, Any, str]:
        argv = [sys.executable, "-m", "tool_catalog_pipelines.cli.app", "validate", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        document = json.loads(done.stdout) if "--json" in arguments else done.stdout
        return done.returncode, document, done.stderr

    return run


def test_the_shipped_files_are_right(validate: Any) -> None:
    code, document, complained = validate(str(CHECKOUT / "catalog_yaml"), "--strict", "--json")
    assert code == 0, complained
    assert document["ok"]
    assert {file["kind"] for file in document["files"]} == {"tool", "chain", "experiment"}


def test_every_problem_of_every_file_is_said_at_once(validate: Any, home: Path) -> None:
    folder = home / "files"
    folder.mkdir()
    (folder / "first.yaml").write_text(TOOL.format(name="first", estimate="1"))
    (folder / "again.yaml").write_text(TOOL.format(name="first", estimate="2"))
    (folder / "wrong.yaml").write_text(TOOL.format(name="wrong", estimate="1 + x"))
    (folder / "chain.yaml").write_text(CHAIN)
    (folder / "other.yaml").write_text("hello: world\n")
    (folder / "broken.yaml").write_text("tool_name: [\n")
    code, document, _ = validate(str(folder), "--json")
    assert code == 2
    found = {
        file["file"]: [p["code"] for p in file["problems"] if p["severity"] == "error"]
        for file in document["files"]
    }
    assert found["again.yaml"] == []
    assert found["first.yaml"] == ["duplicate"]
    assert found["chain.yaml"] == ["unknown_tool"]
    assert found["other.yaml"] == ["kind"]
    assert found["broken.yaml"]
    assert found["wrong.yaml"]
    (wrong,) = [file for file in document["files"] if file["file"] == "chain.yaml"]
    assert wrong["problems"][0]["line"] == 7
    code, said, complained = validate(str(folder))
    assert code == 2
    assert "chain.yaml:7:" in complained
    assert "6 files" in said


def test_advice_is_refused_by_a_strict_check_only(validate: Any, home: Path) -> None:
    path = home / "tool.yaml"
    path.write_text(TOOL.format(name="first", estimate="1"))
    assert validate(str(path))[0] == 0
    code, document, _ = validate(str(path), "--strict", "--json")
    assert code == 2
    codes = {problem["code"] for problem in document["files"][0]["problems"]}
    assert codes >= {"examples", "use_cases", "constant", "dependency", "documentation"}


def test_a_path_that_does_not_exist_is_bad_input(validate: Any, home: Path) -> None:
    code, _, complained = validate(str(home / "nowhere"))
    assert code == 2
    assert "there is no file or folder" in complained


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_accepts_every_shipped_file_and_is_published(kind: str) -> None:
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    published = CHECKOUT / "docs/reference/schemas" / f"{kind}.schema.json"
    assert json.loads(published.read_text()) == schema, "run `make docs`"
    files = yaml_files(CHECKOUT / "catalog_yaml" / f"{kind}s")
    assert files
    validator = jsonschema.Draft202012Validator(schema)
    for path in files:
        document = read_file(path).value
        assert not list(validator.iter_errors(document)), path


def test_the_schema_finds_unknown_keys() -> None:
    validator = jsonschema.Draft202012Validator(json_schema("tool"))
    document = yaml.safe_load(TOOL.format(name="first", estimate="1"))
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "descripton": "x"})
    assert not validator.is_valid({**document, "platform": "linus"})
