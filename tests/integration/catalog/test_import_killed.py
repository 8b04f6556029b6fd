"""Imports that run at once or are killed leave one latest per tool and lose no version."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.snapshot_file import read_snapshot
from tool_catalog_pipelines.settings import Settings, child_environment

_TOOL = """\
tool_name: {name}
platform: linux
version: {version}
category: system
description: {text}
capabilities:
  use:
    description: Use it
    patterns:
      run: {{description: Run it, time_estimate_ms: "10", cost_estimate: "1"}}
"""
_IMPORT = """
from tool_catalog_pipelines.catalog import importer
from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.settings import load_settings
importer.BATCH = 2  # many transactions, so that the kill falls between and into them
with open_catalog(load_settings()) as catalog:
    importer.import_catalog(catalog, progress=lambda done, size, what: print(what, flush=True))
"""
_TOOLS = 12


def _write(folder: Path, name: str, version: str, say: str = "A tool") -> None:
    path = folder / "tools" / f"{name}-{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_TOOL.format(name=name, version=version, text=say))


def _latest(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT tool_name, version FROM tool_catalog.tools WHERE is_latest")
        ).all()
    assert len({name for name, _ in rows}) == len(rows), "a tool has two latest versions"
    return {name: version for name, version in rows}


def _count(engine: Engine, table: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM tool_catalog.{table}")).scalar_one()


def test_imports_at_once_lose_nothing(engine: Engine, settings: Settings, home: Path) -> None:
    """Four importers, each with a version of its own of the same five tools."""

    def run(number: int) -> None:
        folder = home / f"catalogue_{number}"
        for tool in range(5):
            _write(folder, f"tool{tool}", f"1.{number}.0", f"Text {number}")
        with open_catalog(settings, pool_size=1) as catalog:
            assert not import_catalog(catalog, folder).refused

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert _latest(engine) == {f"tool{tool}": "1.3.0" for tool in range(5)}
    assert _count(engine, "tools") == 20
    on_disk = read_snapshot(settings.snapshot_path)
    with open_catalog(settings) as catalog:
        assert on_disk.revision == catalog.publish().revision
    assert len(on_disk.tools) == 20


@pytest.mark.parametrize(
    "seed", [0, *[pytest.param(s, marks=pytest.mark.slow) for s in range(1, 10)]]
)
def test_a_killed_import_is_completed_by_the_next(
    seed: int, engine: Engine, settings: Settings
) -> None:
    for tool in range(_TOOLS):
        _write(settings.catalog_dir, f"tool{tool:02}", "1.0.0")
    lines_until_kill = random.Random(seed).randint(_TOOLS + 1, _TOOLS + _TOOLS // 2)
    with subprocess.Popen(
        [sys.executable, "-c", _IMPORT],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(settings),
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines_until_kill)]
        process.kill()
    assert said[-1].startswith("save "), "it was killed before it saved anything"
    assert _count(engine, "tools") != 0
    with open_catalog(settings) as catalog:
        report = import_catalog(catalog)
    assert not report.conflicts
    assert not report.refused
    assert len(_latest(engine)) == _TOOLS
    assert _count(engine, "tools") == _TOOLS
    assert _count(engine, "tool_estimates") == _TOOLS
    assert len(read_snapshot(settings.snapshot_path).tools) == _TOOLS
