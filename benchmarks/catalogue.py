"""The catalogue: lookups, capability queries, propagation, import, memory; each beside its floor.

The floor of a query is the same statement sent by psycopg with nothing around it.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from benchmarks.results import Goal, Result
from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.snapshot_file import read_snapshot
from tool_catalog_pipelines.settings import Settings, load_settings
from tool_catalog_pipelines.spec.base import ToolRef

TOOLS, VERSIONS = 1000, 5
REPEATS = 2000
"""Enough for a 99th percentile that twenty values lie above."""


def measure() -> list[Result]:
    """All figures, one installation for each size."""
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        Path(folder).chmod(0o755)
        with installation(Path(folder) / "small", TOOLS, VERSIONS) as (catalog, seconds):
            found.append(Result("import: 1,000 tools x 5 versions", seconds, "s"))
            found += lookups(catalog)
            found += propagation(catalog)
        with installation(Path(folder) / "one", TOOLS, 1) as (_, seconds):
            found.append(Result("import: 1,000 tools", seconds, "s", goal=Goal("value", 5)))
        with installation(Path(folder) / "large", 10_000, 1) as (catalog, seconds):
            found.append(Result("import: 10,000 tools", seconds, "s", goal=Goal("value", 60)))
            found += memory(catalog)
    return found


@contextmanager
def installation(home: Path, tools: int, versions: int) -> Iterator[tuple[Catalog, float]]:
    """An imported catalogue and the seconds that importing its files took."""
    settings = settings_of(home)
    for number in range(tools):
        for version in range(versions):
            write_tool(settings.catalog_dir, number, version)
    with open_catalog(settings) as catalog:
        started = time.perf_counter()
        report = import_catalog(catalog)
        seconds = time.perf_counter() - started
        assert len(report.imported) == tools * versions, report.problems[:3]
        yield catalog, seconds


def settings_of(home: Path) -> Settings:
    """An installation of its own."""
    given = {"TOOL_CATALOG_HOME": str(home), "TOOL_CATALOG_YAML_DIR": str(home / "yaml")}
    return load_settings(given)


def write_tool(folder: Path, number: int, version: int) -> None:
    """A tool file of the usual size, about 2 KB."""
    inputs = [
        {"name": f"input_{n}", "type": "string", "description": f"Input {n} of the tool"}
        for n in range(6)
    ]
    pattern = {
        "description": f"Pattern of tool {number}",
        "typical_use_cases": [f"use {number}", "another use"],
        "time_estimate_ms": f"{10 + version} + 0.5 * n",
        "variables": {"n": {"unit": "count", "default": 10}},
        "cost_estimate": "1",
        "optional_inputs": inputs,
        "expected_outputs": [{"name": "result", "type": "string", "description": "Text"}],
        "binding": {
            "kind": "command",
            "argv": ["echo", str(number)],
            "output": {"parser": "text", "as": "result"},
        },
    }
    document = {
        "tool_name": f"tool_{number}",
        "platform": "linux",
        "version": f"1.{version}.0",
        "category": "system",
        "description": f"Tool number {number}, version {version}, made for a measurement",
        "capabilities": {
            f"capability_{number % 100}": {"description": "One", "patterns": {"run": pattern}}
        },
        "metadata": {"tags": ["made", f"group_{number % 10}"]},
    }
    path = folder / "tools" / f"tool_{number}.{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def p99_ms(work: Callable[[int], object], repeats: int = REPEATS) -> float:
    """The 99th percentile of the duration of one call, after a short warm-up."""
    for number in range(50):
        work(number)
    durations: list[float] = []
    for number in range(repeats):
        started = time.perf_counter()
        work(number)
        durations.append(1000 * (time.perf_counter() - started))
    return percentile(durations, 0.99)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below this share of all."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def lookups(catalog: Catalog) -> list[Result]:
    """One tool cached and not, and all tools with a capability."""
    refs = [ToolRef(f"tool_{number}", "linux") for number in range(TOOLS)]
    capabilities = [f"capability_{number}" for number in range(100)]
    with catalog.followed() as live:
        for ref in refs:
            _ = live.current().resolve(ref).spec
        cached = p99_ms(lambda n: live.current().resolve(refs[n % TOOLS]).spec)
    uncached = p99_ms(lambda n: catalog.store.find(refs[n % TOOLS]).spec)
    by_capability = p99_ms(
        lambda n: [
            t.spec.capabilities for t in catalog.store.with_capability(capabilities[n % 100])
        ],
        500,
    )
    with psycopg.connect(catalog.database.libpq_url) as connection:
        one = (
            "SELECT content::text FROM tool_catalog.catalog_tools AS v WHERE v.tool_key = %s "
            "AND v.tenant = 'shared' AND v.is_latest"
        )
        many = (
            "SELECT content::text FROM tool_catalog.catalog_tools AS v WHERE v.is_latest AND v.id "
            "IN (SELECT tool_id FROM tool_catalog.tool_capabilities WHERE capability_name = %s)"
        )
        floor = p99_ms(lambda n: connection.execute(one, (f"tool_{n % TOOLS}",)).fetchall())
        floor_many = p99_ms(
            lambda n: connection.execute(many, (capabilities[n % 100],)).fetchall(), 500
        )
    postgres = "PostgreSQL, the same statement"
    return [
        Result("lookup cached, p99", 1000 * cached, "us", goal=Goal("value", 50)),
        Result("lookup: PostgreSQL alone, p99 (floor)", floor, "ms"),
        Result(
            "lookup uncached, p99", uncached, "ms", postgres, uncached / floor, Goal("value", 3)
        ),
        Result("capability: PostgreSQL alone, p99 (floor)", floor_many, "ms"),
        Result(
            "capability with patterns, p99",
            by_capability,
            "ms",
            postgres,
            by_capability / floor_many,
            Goal("value", 5),
        ),
    ]


def propagation(catalog: Catalog, updates: int = 200) -> list[Result]:
    """From the call that changes a tool to the moment when another follower has it."""
    elsewhere = replace(catalog.settings, home=catalog.settings.home.parent / "other")
    elsewhere = replace(elsewhere, database_url=catalog.database.libpq_url)
    delays: list[float] = []
    floors: list[float] = []
    ref = ToolRef("tool_7", "linux")
    with open_catalog(elsewhere) as other, other.followed() as live:
        for number in range(updates):
            with psycopg.connect(catalog.database.libpq_url, autocommit=True) as raw:
                started = time.perf_counter()
                raw.execute("SELECT pg_notify('floor', '')")
                floors.append(1000 * (time.perf_counter() - started))
            saved = catalog.editor.update_tool(ref, {"metadata": {"n": number}}, "benchmark")
            committed = time.perf_counter()
            wanted = saved.label.partition("@")[2]
            while live.current().resolve(ref).header.version != wanted:
                threading.Event().wait(0.0005)
            delays.append(1000 * (time.perf_counter() - committed))
    return [
        Result("update seen elsewhere, median", statistics.median(delays), "ms"),
        Result(
            "update seen elsewhere, p99",
            percentile(delays, 0.99),
            "ms",
            "sending a notice, p99",
            percentile(delays, 0.99) / percentile(floors, 0.99),
            Goal("value", 100),
        ),
    ]


def memory(catalog: Catalog) -> list[Result]:
    """What 10,000 tools take in a process that has looked at none, and at all of them."""
    path = catalog.settings.snapshot_path
    tracemalloc.start()
    snapshot = read_snapshot(path)
    _ = snapshot.by_name
    heads = tracemalloc.get_traced_memory()[0] / 1e6
    for tool in snapshot.tools:
        _ = tool.spec
    parsed = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    size = path.stat().st_size / 1e6
    return [
        Result("cache of 10,000 tools, none looked at", heads, "MB", "file", heads / size),
        Result("cache of 10,000 tools, all looked at", parsed, "MB", "file", parsed / size),
    ]
