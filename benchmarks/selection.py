"""Selection over 1,000 tools from a kept index: enumeration alone, and a whole selection.

Every tenth tool has the capability that is asked for; figures where all 1,000 compete stand beside.
The floor of enumeration is reading one attribute of every candidate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from benchmarks.catalogue import percentile
from benchmarks.results import Goal, Result
from tool_catalog_pipelines.catalog.records import CatalogTool, header_of
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.choice import asked_values, select
from tool_catalog_pipelines.selection.context import context_of
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.spec.tool import ToolSpec

TOOLS = 1000
REPEATS = 1000
QUERY = "quick look at all hosts"


def measure() -> list[Result]:
    """Medians of enumeration, 99th percentiles of selection."""
    index = CandidateIndex(snapshot())
    some, every = Need(("some",), QUERY), Need(("every",), QUERY)
    asked = asked_values(every, context_of(QUERY))
    candidates = index.candidates(("every",), asked)
    floor = _percentile_ms(lambda: [one.capability for one in candidates], 0.5)
    enumeration = _percentile_ms(lambda: index.candidates(("every",), asked), 0.5)
    untouched = _percentile_ms(lambda: index.candidates(("every",), {}), 0.5)
    typical = _percentile_ms(lambda: select(some, index), 0.99)
    worst = _percentile_ms(lambda: select(every, index), 0.99)
    touching = replace(every, variables={"num_files": 20})
    touched = _percentile_ms(lambda: select(touching, index), 0.99)
    beside = "design goal of enumeration alone, 5 ms"
    name = "selection from cache, p99"
    return [
        Result("walk over 1,000 candidates (floor)", floor, "ms"),
        Result(
            "enumeration over 1,000 tools, the request touches a tenth of the estimates",
            enumeration, "ms", "walk over 1,000 candidates", enumeration / floor,
            Goal("value", 2),
        ),
        Result("enumeration over 1,000 tools, estimates as kept", untouched, "ms",
               "walk over 1,000 candidates", untouched / floor, Goal("value", 2)),
        Result(f"{name}, 100 of 1,000 tools compete", typical, "ms", beside, typical / 5,
               Goal("value", 5)),
        Result(f"{name}, all of 1,000 tools compete", worst, "ms", beside, worst / 5,
               Goal("value", 5)),
        Result(f"{name}, all compete and the request touches each of their estimates", touched,
               "ms", beside, touched / 5),
    ]  # fmt: skip


def snapshot() -> CatalogSnapshot:
    """A thousand tools in memory, with estimates of the usual length."""
    tools = tuple(_tool(number) for number in range(TOOLS))
    return CatalogSnapshot(revision=1, taken_at=datetime(2026, 1, 1, tzinfo=UTC), tools=tools)


def _tool(number: int) -> CatalogTool:
    """Every tenth has an estimate that grows with N, as the request says something about N."""
    variable = "N" if number % 10 == 0 else "num_files"
    pattern = {
        "description": "Does it",
        "variables": {variable: {"unit": "count", "default": 10}},
        "time_estimate_ms": f"{20 + number} + 0.5 * {variable}",
        "cost_estimate": f"{1 + number % 7}",
        "complexity_score": number % 11 / 10,
        "policy": {"max_cost": 20, "production_safe": True, "max_execution_time_s": 60},
        "preference_match": {"accuracy": number % 13 / 12, "completeness": number % 5 / 4},
    }
    names = ["every", "some"] if number % 10 == 0 else ["every"]
    spec = ToolSpec.model_validate(
        {
            "tool_name": f"tool_{number}", "platform": "linux", "version": "1.0.0",
            "category": "system", "description": "A tool",
            "capabilities": {
                name: {"description": name, "patterns": {"run": pattern}} for name in names
            },
        }
    )  # fmt: skip
    return CatalogTool.of(spec, header_of(spec, channels=("latest",)))


def _percentile_ms(call: Callable[[], object], share: float) -> float:
    for _ in range(20):
        call()
    durations: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        durations.append(1000 * (time.perf_counter() - started))
    return percentile(durations, share)
