"""How much of a catalogue runs here is tried once and kept until the catalogue changes."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_snapshot, make_tool

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.cli import demo_catalogue
from tool_catalog_pipelines.cli.demo_catalogue import summary, tools_here
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.settings import Settings

EXAMPLE = {"examples": [{"name": "one"}]}


def command(program: str, **more: Any) -> dict[str, Any]:
    binding = {"kind": "command", "argv": [program], "output": {"parser": "none"}, **more}
    return {"binding": binding, **EXAMPLE}


@pytest.fixture
def snapshot() -> CatalogSnapshot:
    needs = {"dependencies": [{"name": "no-such-program", "type": "binary"}]}
    return make_snapshot(
        make_tool("linux/runs", **command("true")),
        make_tool("linux/fails", **command("false")),
        make_tool("linux/lacks", tool=needs, **command("no-such-program")),
        make_tool("linux/changes", effects="system", **command("false")),
        make_tool("windows/far", **command("dir", target="far")),
        make_tool("linux/plain"),
    )


def test_every_tool_is_in_one_state(
    snapshot: CatalogSnapshot, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = tools_here(snapshot, settings, Screen(as_json=True))
    assert sum(states.values()) == len(snapshot.latest)
    assert {state: states[state] for state in ("ran", "failed", "missing")} == {
        "ran": 1, "failed": 1, "missing": 1,
    }  # fmt: skip
    assert (states["elsewhere"], states["system"]) == (1, 1)
    monkeypatch.setattr(demo_catalogue, "run_cases", None)
    assert tools_here(snapshot, settings, Screen(as_json=True)) == states


def test_a_damaged_file_is_made_anew(snapshot: CatalogSnapshot, settings: Settings) -> None:
    path = settings.home / "catalog" / "trials.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{", encoding="utf-8")
    assert tools_here(snapshot, settings, Screen(as_json=True))["ran"] == 1


def test_the_summary_says_size_and_share(snapshot: CatalogSnapshot) -> None:
    lines = summary(snapshot, {"ran": 3, "failed": 1})
    assert lines[0] == "6 tools: linux 5, windows 1"
    assert lines[1] == "3 ran here with their own examples (50%)"
    assert len(lines) == 3
