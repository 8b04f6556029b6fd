"""Files in, files out: reports, rules, faults, and the round trip."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import make_tool_spec

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.export import export_bundle, export_files
from tool_catalog_pipelines.catalog.importer import ImportRules, import_catalog
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import CHECKOUT
from tool_catalog_pipelines.spec.base import parse_tool_ref as ref
from tool_catalog_pipelines.spec.load import content_hash


def write(folder: Path, at: str, file: str | None = None, **more: Any) -> Path:
    """A tool file; `more` as for `make_tool_spec`."""
    spec = make_tool_spec(at, **more)
    path = folder / "tools" / (file or f"{spec.tool_name}.{spec.version}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document_of(spec)))
    return path


def document_of(spec: Any) -> Mapping[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def latest(catalog: Catalog, name: str = "echo") -> str:
    return catalog.store.find(ref(name)).header.version


@pytest.fixture
def folder(catalog: Catalog) -> Path:
    return catalog.settings.catalog_dir


def test_a_second_import_changes_nothing(catalog: Catalog, folder: Path) -> None:
    for name in ("cat", "echo", "ls"):
        write(folder, f"linux/{name}@1.0.0")
    first = import_catalog(catalog)
    assert [line.outcome for line in first.imported] == ["created"] * 3
    revision = catalog.publish().revision
    second = import_catalog(catalog)
    assert (len(second.unchanged), second.imported, second.conflicts) == (3, [], [])
    assert catalog.publish().revision == revision


def test_an_unchanged_file_undoes_nothing(catalog: Catalog, folder: Path) -> None:
    write(folder, "linux/echo@1.0.0")
    write(folder, "linux/echo@1.1.0", time_estimate_ms="2")
    write(folder, "linux/cat@1.0.0")
    import_catalog(catalog)
    catalog.editor.roll_back(ref("linux/echo@1.0.0"), "test")
    catalog.editor.disable(ref("linux/cat"), "test")
    import_catalog(catalog)
    write(folder, "linux/ls@1.0.0")  # something else that is new
    import_catalog(catalog)
    assert latest(catalog) == "1.0.0"
    assert not catalog.store.find(ref("cat")).header.is_usable


def test_a_file_that_goes_back_takes_latest_back(catalog: Catalog, folder: Path) -> None:
    write(folder, "linux/echo@1.0.0", "echo.yaml", time_estimate_ms="1")
    import_catalog(catalog)
    write(folder, "linux/echo@1.0.0", "echo.yaml", time_estimate_ms="2")
    assert import_catalog(catalog).conflicts[0].note == (
        "content changed under 1.0.0; saved as 1.0.1"
    )
    write(folder, "linux/echo@1.0.0", "echo.yaml", time_estimate_ms="1")
    (back,) = import_catalog(catalog).imported
    assert (back.outcome, latest(catalog)) == ("reverted", "1.0.0")
    assert import_catalog(catalog).imported == []


def test_a_file_that_goes_back_does_not_undo_a_later_decision(
    catalog: Catalog, folder: Path
) -> None:
    for estimate in ("1", "2", "3"):
        write(folder, "linux/echo@1.0.0", "echo.yaml", time_estimate_ms=estimate)
        import_catalog(catalog)
    catalog.editor.roll_back(ref("linux/echo@1.0.1"), "test")
    write(folder, "linux/echo@1.0.0", "echo.yaml", time_estimate_ms="1")
    (conflict,) = import_catalog(catalog).conflicts
    assert "`latest` was moved since" in conflict.note
    assert latest(catalog) == "1.0.1"
    assert import_catalog(catalog).conflicts == [], "it is said once"


def test_a_state_in_the_file_is_taken_when_the_file_changed(catalog: Catalog, folder: Path) -> None:
    write(folder, "linux/echo@1.0.0")
    import_catalog(catalog)
    write(folder, "linux/echo@1.0.0", tool={"status": "deprecated"})
    assert import_catalog(catalog).imported[0].outcome == "updated"
    assert catalog.store.find(ref("echo")).header.status == "deprecated"


def test_a_dry_run_says_the_same_and_changes_nothing(catalog: Catalog, folder: Path) -> None:
    write(folder, "linux/echo@1.0.0")
    write(folder, "linux/echo@1.1.0", time_estimate_ms="2")
    (folder / "tools/broken.yaml").write_text("tool_name: [\n")
    trial = import_catalog(catalog, rules=ImportRules(is_dry_run=True))
    assert catalog.store.snapshot().tools == ()
    real = import_catalog(catalog)
    assert trial.is_dry_run
    assert {**trial.to_json(), "dry_run": False} == real.to_json()
    assert list(real.refused) == ["tools/broken.yaml"]


@pytest.mark.parametrize("rule", ["skip", "fail"])
def test_rules_for_changed_content(catalog: Catalog, folder: Path, rule: Any) -> None:
    write(folder, "linux/echo@1.0.0")
    import_catalog(catalog)
    write(folder, "linux/echo@1.0.0", time_estimate_ms="2")
    write(folder, "linux/zz@1.0.0")
    report = import_catalog(catalog, rules=ImportRules(on_conflict=rule))
    assert len(report.conflicts) == (rule == "skip")
    assert len(report.refused) == (rule == "fail")
    assert [line.label for line in report.imported] == ["linux/zz@1.0.0"]
    assert latest(catalog) == "1.0.0"


def test_one_version_in_two_files_is_refused_with_both_names(
    catalog: Catalog, folder: Path
) -> None:
    write(folder, "linux/echo@1.0.0", "a.yaml")
    write(folder, "linux/echo@1.0.0", "b.yaml", time_estimate_ms="2")
    (problem,) = import_catalog(catalog).problems
    assert "tools/a.yaml" in problem.message
    assert problem.position is not None
    assert problem.position.file == "tools/b.yaml"


def test_a_file_of_no_known_format_is_refused(catalog: Catalog, folder: Path) -> None:
    write(folder, "linux/echo@1.0.0")
    (folder / "tools/other.json").write_text('{"hello": "world"}')
    report = import_catalog(catalog)
    assert [problem.message for problem in report.problems] == [
        "this file is in no format that is known"
    ]
    with pytest.raises(InvalidInputError, match="there is no file or folder"):
        import_catalog(catalog, folder / "nowhere")


@pytest.mark.parametrize("as_bundle", [False, True])
def test_exporting_everything_and_importing_it_elsewhere_gives_the_same(
    catalog: Catalog, settings: Any, test_root: Path, empty_database_url: str, as_bundle: bool
) -> None:
    import_catalog(catalog, CHECKOUT / "catalog_yaml/tools")
    before = catalog.store.snapshot()
    out = settings.home / "out"
    if as_bundle:
        assert export_bundle(before.seen, out / "all.yaml") == len(before.tools)
    else:
        assert len(export_files(before.seen, out)) == len(before.tools)
    elsewhere = replace(
        settings, database_url=empty_database_url, home=settings.home / "b", catalog_dir=out
    )
    with open_catalog(elsewhere) as other:
        report = import_catalog(other)
        after = other.store.snapshot()
    assert (report.problems, report.conflicts, report.coerced) == ((), [], {})
    hashes = [{t.label: content_hash(t.spec) for t in s.tools} for s in (before, after)]
    assert hashes[0] == hashes[1]


def test_two_importers_at_once_lose_nothing(catalog: Catalog, folder: Path) -> None:
    for number in range(30):
        write(folder, f"linux/tool{number}@1.0.0")
        write(folder, f"linux/tool{number}@1.1.0", time_estimate_ms="2")
    with open_catalog(catalog.settings) as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(import_catalog, (catalog, other)))
    snapshot = catalog.store.snapshot()
    assert len(snapshot.tools) == 60
    assert sorted(t.label for t in snapshot.tools if "latest" in t.channels) == sorted(
        f"linux/tool{number}@1.1.0" for number in range(30)
    )


def killed_imports_complete(catalog: Catalog, folder: Path, kills: int) -> None:
    """Kill an import at points spread over its time; every tool is whole or absent."""
    for number in range(60):
        write(folder, f"linux/tool{number}@1.0.0")
    code = (
        "from tool_catalog_pipelines.catalog.connect import open_catalog\n"
        "from tool_catalog_pipelines.catalog import importer\n"
        "from tool_catalog_pipelines.settings import load_settings\n"
        "importer.BATCH = 3\n"
        "with open_catalog(load_settings()) as catalog:\n"
        "    print('begin', flush=True)\n"
        "    importer.import_catalog(catalog)\n"
    )
    environment = {
        **os.environ,
        "TOOL_CATALOG_HOME": str(catalog.settings.home),
        "TOOL_CATALOG_YAML_DIR": str(folder),
        "TOOL_CATALOG_DATABASE_URL": str(catalog.settings.database_url),
    }
    for kill in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.4 * (kill + 1) / kills)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for tool in catalog.store.snapshot().tools:
            assert tool.channels == {"latest", "stable"}
            assert set(tool.estimates) == {("use", "run")}
    report = import_catalog(catalog)
    assert len(report.imported) + len(report.unchanged) == 60
    assert len(catalog.store.snapshot().tools) == 60
    assert catalog.publish().revision == catalog.store.snapshot().revision


def test_an_import_killed_anywhere_is_completed_by_the_next(catalog: Catalog, folder: Path) -> None:
    killed_imports_complete(catalog, folder, kills=10)


@pytest.mark.slow
def test_two_hundred_kills_leave_no_half_tool(catalog: Catalog, folder: Path) -> None:
    killed_imports_complete(catalog, folder, kills=200)
