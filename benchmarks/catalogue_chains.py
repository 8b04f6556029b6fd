"""Chains of the product to measure: YAML, catalogue, plan, compiled job, facts, everything.

Does not belong here: how they are timed (chain_overhead.py).
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.judgement.history import stored_facts
from tool_catalog_pipelines.orchestration.compiler import compile_plan
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.settings import Settings, child_environment
from tool_catalog_pipelines.spec.load import load_chain

RUN_CONFIG: Mapping[str, Any] = {"log_level": "CRITICAL"}


def line_of_noops(steps: int, settings: Settings) -> tuple[dg.JobDefinition, Mapping[str, Any]]:
    """A line of no-op tools, each given the value of the one before."""
    lines = ["  s0: {tool: custom/noop, with: {value: {n: 1}}}"]
    lines += [
        f'  s{n}: {{tool: custom/noop, with: {{value: {{from: s{n - 1}, path: "$.value"}}}}}}'
        for n in range(1, steps)
    ]
    return _compiled("noop_line", lines, settings), RUN_CONFIG


def parallel_waits(steps: int, seconds: float, settings: Settings) -> dg.JobDefinition:
    """Tools that wait at the same time.

    Planning allows 100 steps side by side, so two thirds come after gates that open at once; the
    executor runs all of them together.
    """
    lines = [
        "  gate1: {transform: {open: true}}",
        "  gate2: {needs: [gate1], transform: {open: true}}",
    ]
    needs = ("", ", needs: [gate1]", ", needs: [gate2]")
    lines += [
        f"  w{n}: {{tool: custom/wait, with: {{seconds: {seconds}}}{needs[n % 3]}}}"
        for n in range(steps)
    ]
    return _compiled("parallel_waits", lines, settings)


def facts(settings: Settings) -> int:
    """Number of facts stored so far."""
    with open_catalog(settings) as catalog:
        return stored_facts(catalog.engine)


@contextmanager
def environment_of(settings: Settings) -> Generator[None]:
    """Let the resources of a run find these settings, as a run worker would."""
    before = dict(os.environ)
    os.environ.update(child_environment(settings))
    try:
        with open_catalog(settings) as catalog:
            import_catalog(catalog)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _compiled(name: str, lines: list[str], settings: Settings) -> dg.JobDefinition:
    text = f"chain: {name}\nversion: 1.0.0\ndescription: Measured\nparallel: 64\nsteps:\n"
    folder = settings.home / "chains"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    with open_catalog(settings) as catalog:
        return compile_plan(build_plan(load_chain(path), catalog.seen()))
