"""Reading the catalogue from files: what is known already costs a glance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_catalog_pipelines.catalog.yaml_source import (
    FilesReader,
    key_at_a_glance,
    snapshot_from_yaml,
)
from tool_catalog_pipelines.settings import CHECKOUT

TOOLS = CHECKOUT / "catalog_yaml" / "tools"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    for name in ("df", "free"):
        text = (TOOLS / "linux" / f"{name}.yaml").read_text(encoding="utf-8")
        (tmp_path / "tools" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def names(folder: Path, *known: tuple[str, str]) -> list[str]:
    return [t.header.tool_name for t in snapshot_from_yaml(folder, frozenset(known)).tools]


def test_files_of_known_tools_are_left_out(folder: Path) -> None:
    assert names(folder) == ["df", "free"]
    assert names(folder, ("linux", "df"), ("windows", "free")) == ["free"]


@pytest.mark.parametrize(
    "head",
    [
        "'tool_name': df\nplatform: linux",
        "tool_name: df # it\nplatform: linux",
        "platform: linux\n",
    ],
)
def test_a_file_whose_name_is_not_plain_is_read_as_a_whole(folder: Path, head: str) -> None:
    path = folder / "tools" / "df.yaml"
    text = path.read_text(encoding="utf-8").replace("tool_name: df\nplatform: linux", head)
    path.write_text(text, encoding="utf-8")
    assert key_at_a_glance(path) is None
    assert ("df" in names(folder, ("linux", "free"))) is ("df" in head)


def test_the_glance_and_the_whole_file_agree_on_every_shipped_tool() -> None:
    keys = {tool.header.key for tool in snapshot_from_yaml(TOOLS.parent).tools}
    seen = {key_at_a_glance(path) for path in TOOLS.rglob("*.yaml")}
    assert seen - {None} == keys


def test_what_is_known_may_change_from_one_question_to_the_next(folder: Path) -> None:
    reader = FilesReader(folder)
    everything = reader.current()
    assert reader.current() is everything
    (one,) = reader.current(frozenset({("linux", "df")})).tools
    assert one.header.tool_name == "free"
    assert len(reader.current().tools) == 2
