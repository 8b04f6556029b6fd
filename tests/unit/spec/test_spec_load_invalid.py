"""Every broken file in fixtures/catalog/invalid gives exactly the problems written beside it.

`...` in an expectation stands for wording that belongs to another part or to a library.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.load import load_chain, load_experiment, load_tool

FOLDER = Path(__file__).parents[2] / "fixtures" / "catalog" / "invalid"
LOADERS: dict[str, Callable[..., Any]] = {
    "syntax": load_chain,
    "tool": load_tool,
    "chain": load_chain,
    "experiment": load_experiment,
}
FILES = sorted(FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_broken_file_gives_its_expected_problems(path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        LOADERS[path.parent.name](path, path.name)
    expected = path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()
    found = str(caught.value).splitlines()
    assert len(found) == len(expected), found
    for line, wanted in zip(found, expected, strict=True):
        pattern = ".*".join(re.escape(part) for part in wanted.split("..."))
        assert re.fullmatch(pattern, line), (line, wanted)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_problem_has_a_place_and_a_hint(path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        LOADERS[path.parent.name](path, path.name)
    lines = path.read_text(encoding="utf-8").split("\n")
    for problem in caught.value.problems:
        assert problem.hint
        assert problem.position is not None
        assert problem.position.file == path.name
        assert 1 <= problem.position.line <= len(lines)
        assert 1 <= problem.position.column <= len(lines[problem.position.line - 1]) + 1


def test_every_expectation_has_its_file() -> None:
    assert {p.with_suffix(".yaml") for p in FOLDER.rglob("*.expected")} == set(FILES)
