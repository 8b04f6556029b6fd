"""The commands of the catalogue as a person and a program use them: exit codes and JSON keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import make_tool_spec
from installations import run_program

from tool_catalog_pipelines.catalog.discovery import discovered
from tool_catalog_pipelines.settings import Settings

Run = Callable[..., Any]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Runs a command; returns its JSON document, or what it complained about."""
    folder = settings.catalog_dir / "tools"
    folder.mkdir(parents=True)
    for at, estimate in (("linux/echo@1.0.0", "1"), ("linux/echo@1.1.0", "2")):
        spec = make_tool_spec(
            at, time_estimate_ms=estimate, tool={"owner": "ops", "metadata": {"team": "blue"}}
        )
        document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (folder / f"{spec.tool_name}.{spec.version}.yaml").write_text(yaml.safe_dump(document))

    def call(*arguments: str, code: int = 0, text: bool = False) -> Any:
        asks = [] if text else ["--json"]
        done = run_program(settings, *arguments, *asks)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        if code or text:
            return done.stdout + done.stderr
        return json.loads(done.stdout)

    return call


def test_the_life_of_a_tool_on_the_command_line(run: Run, home: Path) -> None:
    report = run("import")
    assert [line["what"] for line in report["imported"]] == ["linux/echo@1.0.0", "linux/echo@1.1.0"]
    assert {"dry_run", "unchanged", "conflicts", "refused", "coerced"} <= report.keys()
    assert [tool["tool"] for tool in run("list", "--where", "team=blue")["tools"]] == ["linux/echo"]
    assert run("list", "--owner", "nobody")["tools"] == []

    changed = run("update", "echo", "--set", "owner=ann", "--expect", "1.1.0", "--reason", "moved")
    assert changed["tool"] == "linux/echo@1.1.1"
    conflict = run("update", "echo", "--set", "owner=bob", "--expect", "1.1.0", code=1)
    assert "is at 1.1.1, not at 1.1.0 any more" in conflict
    found = run("diff", "echo", "1.1.0")
    assert [change["field"] for change in found["changes"]] == ["owner"]
    assert not found["breaking"]

    assert run("rollback", "echo@1.0.0")["became"] == "latest"
    assert run("get", "echo")["spec"]["version"] == "1.0.0"
    run("promote", "echo@1.1.1")
    run("disable", "echo@1.1.1", "--reason", "it hangs")
    assert "is disabled and cannot be testing" in run(
        "promote", "echo@1.1.1", "--channel", "testing", code=2
    )
    run("enable", "echo@1.1.1")
    run("deprecate", "echo@1.0.0")
    states = {row["version"]: row for row in run("versions", "echo")["versions"]}
    assert states["1.0.0"]["status"] == "deprecated"
    assert states["1.1.1"]["channels"] == ["latest", "stable"]
    assert states["1.1.1"]["parent"] == "1.1.0"

    run("delete", "echo")
    assert "there is no tool" in run("get", "nothing", code=2)
    run("purge", "echo")
    assert "there is no tool echo" in run("versions", "echo", code=2)
    actions = [entry["action"] for entry in run("audit", "echo")["entries"]]
    assert actions[0] == "purged"
    assert actions.count("deleted") == 3
    assert run("audit", "--text", "IT HANGS")["entries"][0]["action"] == "disabled"
    file = home / "audit.jsonl"
    written = run("audit", "--output", str(file))["entries_written"]
    assert len(file.read_text().splitlines()) == written >= len(actions)


def test_export_discover_and_bad_input(run: Run, home: Path) -> None:
    run("import")
    exported = run("export", "--every-version", "-o", str(home / "out"))
    assert len(exported["exported"]) == 2
    files = sorted(path.name for path in (home / "out/linux").iterdir())
    assert files == ["echo.1.0.0.yaml", "echo.1.1.0.yaml"]
    assert [line["outcome"] for line in run("import", str(home / "out"))["unchanged"]] == [
        "unchanged"
    ] * 2
    found = run("discover", "-o", str(home / "proposals"))
    assert any(row["program"] == "df" for row in found["proposals"])
    report = run("import", str(home / "proposals"), "--dry-run")
    assert report["refused"] == []
    assert report["dry_run"]
    assert "--on-conflict cannot be 'perhaps'" in run("import", "--on-conflict", "perhaps", code=2)
    assert "to which version" in run("rollback", "echo", code=2)
    assert "nothing to change" in run("update", "echo", code=2)
    assert "is not a tool reference" in run("get", "../../etc/passwd", code=2)
    assert "has no value" in run("list", "--where", "team", code=2)


def test_what_people_read(run: Run) -> None:
    run("import")
    assert "linux/echo" in run("list", text=True)
    shown = run("get", "echo", text=True)
    assert "tool_name: echo" in shown
    assert "channels: latest" in shown
    assert "linux/echo@1.1.0 is stable now" in run("promote", "echo", text=True)
    assert "promoted" in run("audit", text=True)


def test_proposals_are_drafts_that_say_nothing_unknown() -> None:
    found = discovered(lambda program: "/bin/df" if program == "df" else None)
    (spec,) = found
    (pattern,) = spec.capabilities["inspect"].patterns.values()
    assert (spec.tool_name, spec.status, pattern.effects) == ("df", "draft", "system")
    assert pattern.time_estimate_ms is None
    assert pattern.binding is not None
    assert discovered(lambda _: None) == ()


def test_many_tools_at_once(run: Run, home: Path) -> None:
    run("import")
    preview = run("update", "--all", "--set", "owner=ann", "--add-tag", "x")
    assert not preview["applied"]
    assert {change["field"] for change in preview["preview"][0]["changes"]} >= {"owner"}
    assert run("list", "--owner", "ann")["tools"] == []
    done = run("update", "--platform", "linux", "--set", "owner=ann", "--add-tag", "x", "--apply")
    assert [result["outcome"] for result in done["results"]] == ["new_version"]
    assert len(run("list", "--owner", "ann", "--tag", "x")["tools"]) == 1
    assert "1 tool would change" in run("update", "--all", "--set", "owner=bob", text=True)
    assert "no tool is named" in run("update", "--set", "owner=bob", code=2)
    assert "many tools" in run("update", "echo", "--set", "owner=b", "--apply", code=2)
    assert "timeout_s" in run("update", "--all", "--set", "timeout_s=-1", code=2)
    (rated,) = run("quality")["tools"]
    assert rated["points"] == 100 - round(sum(gap["points"] for gap in rated["gaps"]))
    assert run("quality", "--below", "1")["tools"] == []
    written = run("docs", "-o", str(home / "pages"))
    assert (home / "pages" / written["pages"][0]).read_text().startswith("# linux/echo")
    assert "linux/echo.md" in (home / "pages/README.md").read_text()


def test_finding_tools(run: Run) -> None:
    run("import")
    found = run("search", "echo")
    assert [hit["tool"] for hit in found["hits"]] == ["linux/echo@1.1.0"]
    assert found["hits"][0]["reasons"]["words"] == {"echo": "name"}
    assert run("search", "--budget", "500")["tools"][0]["tool"] == "linux/echo"
    assert run("related", "echo")["related"] == []
    compared = run("compare", "echo@1.0.0", "echo")
    assert [line["values"] for line in compared["properties"] if line["name"] == "version"] == [
        ["1.0.0", "1.1.0"]
    ]
    assert run("capabilities", "use")["capabilities"][0]["tools"] == ["linux/echo"]
    assert "echo in its name" in run("search", "echo", text=True)
    assert "nothing like that" in run("search", "hamster", text=True)
    assert "one tool cannot be compared" in run("compare", "echo", code=2)
    assert "a page cannot have 0 hits" in run("search", "x", "--per-page", "0", code=2)
    assert "no tool has the capability" in run("capabilities", "none", code=2)


def test_what_is_said_when_there_is_nothing_to_show(run: Run) -> None:
    run("import")
    assert "no entries" in run("audit", "linux/nothing", text=True)
    assert "no reloads yet" in run("reloads", text=True)
    assert "nothing to do" in run(
        "update", "--all", "--owner", "nobody", "--add-tag", "x", text=True
    )
    assert "without filters" in run("list", "nothing", text=True)
    assert "no examples or test cases: linux/echo@1.1.0" in run("test", "echo", text=True)
    assert "there is no file missing.yaml" in run("test", "missing.yaml", code=2)
