"""The forecast of a chain of 200 steps from the past of 40 runs, as every run makes it first.

The floor is reading the columns of the same facts with a plain SELECT. Facts are made in the
database; nothing is executed.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.catalogue import settings_of
from benchmarks.results import Goal, Result
from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.judgement.chain_forecasts import forecast_run
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunIdentity, RunLock, resolve_run_lock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.settings import CHECKOUT, Settings
from tool_catalog_pipelines.spec.load import load_chain

STEPS, RUNS, REPEATS = 200, 40, 11
TOOL = "tools/custom/noop.yaml"

_LOCKS = """
    INSERT INTO tool_catalog.run_locks
        (tenant, run_id, run_started_at, chain, chain_version, fingerprint, document)
    SELECT %(tenant)s, 'run-' || r, timestamptz '2026-01-01' + r * interval '1 hour', 'line',
        '1.0.0', 'f', jsonb_build_object('identity',
            jsonb_build_object('environment', %(environment)s::text))
    FROM generate_series(1, %(runs)s) AS r
"""
_FACTS = """
    INSERT INTO tool_catalog.tool_telemetry
        (tenant, run_started_at, run_id, step, item, attempt, chain, chain_version, fingerprint,
        platform, tool_name, tool_version, tool_id, capability, pattern, environment, user_id,
        host, status, started_at, finished_at, duration_ms, estimate_ms, cost_units,
        variables_before, variables_measured)
    SELECT %(tenant)s, t, 'run-' || r, 's' || s, '', 1, 'line', '1.0.0', 'f', 'custom',
        %(tool_name)s, %(version)s, %(tool_id)s, %(capability)s, %(pattern)s, %(environment)s,
        'u', 'h', 'success', t + s * interval '20 ms',
        t + (s * 20 + 12 * exp(0.3 * random_normal())) * interval '1 ms', 12, 10, 1,
        jsonb_build_object('n', 10), jsonb_build_object('n', 12)
    FROM generate_series(1, %(runs)s) AS r, generate_series(0, %(steps)s - 1) AS s,
        LATERAL (SELECT timestamptz '2026-01-01' + r * interval '1 hour' AS t) AS began
"""
_FLOOR = """
    SELECT run_id, step, item, attempt, status, started_at, finished_at, cost_units, estimate_ms,
        variables_before, variables_measured
    FROM tool_catalog.tool_telemetry WHERE tenant = %s AND chain = 'line'
"""


def measure() -> list[Result]:
    """The median of a whole forecast, reading included, beside the floor."""
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        Path(folder).chmod(0o755)
        settings = settings_of(Path(folder) / "home")
        copied = settings.catalog_dir / TOOL
        copied.parent.mkdir(parents=True)
        copied.write_bytes((CHECKOUT / "catalog_yaml" / TOOL).read_bytes())
        with open_catalog(settings) as catalog:
            import_catalog(catalog)
            return _measured(catalog, settings)


def _measured(catalog: Catalog, settings: Settings) -> list[Result]:
    snapshot = catalog.seen()
    plan, lock = _line(settings, snapshot)
    with psycopg.connect(catalog.database.libpq_url, autocommit=True) as connection:
        _fill(connection, settings, plan, lock)
        made = forecast_run(catalog.engine, plan, lock, snapshot)
        assert made.elapsed_ms is not None, made.missing[:3]
        floor = _median_ms(lambda: connection.execute(_FLOOR, (settings.tenant,)).fetchall())
    whole = _median_ms(lambda: forecast_run(catalog.engine, plan, lock, snapshot))
    return [
        Result("8,000 facts, a plain SELECT (floor)", floor, "ms"),
        Result(
            "forecast of 200 steps from 40 runs", whole, "ms", "8,000 facts, a plain SELECT",
            whole / floor, Goal("value", 1000),
        ),
    ]  # fmt: skip


def _line(settings: Settings, snapshot: CatalogSnapshot) -> tuple[Plan, RunLock]:
    lines = ["chain: line", "version: 1.0.0", "description: Measured", "steps:"]
    lines += [
        f"  s{n}: {{tool: custom/noop{f', needs: [s{n - 1}]' if n else ''}, with: {{value: {{}}}}}}"
        for n in range(STEPS)
    ]
    path = settings.home / "line.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    plan = build_plan(load_chain(path), snapshot)
    identity = RunIdentity(
        settings.tenant, "next", datetime.now(UTC), settings.environment, "benchmark"
    )
    return plan, resolve_run_lock(plan, snapshot, identity, {})


def _fill(connection: psycopg.Connection, settings: Settings, plan: Plan, lock: RunLock) -> None:
    step = plan.steps[0]
    locked = lock.steps[step.id]
    values = {
        "tenant": settings.tenant,
        "environment": settings.environment,
        "runs": RUNS,
        "steps": STEPS,
        "tool_name": locked.tool_name,
        "version": locked.version,
        "tool_id": locked.tool_id,
        "capability": step.capability,
        "pattern": step.pattern,
    }
    for statement in (_LOCKS, _FACTS, "ANALYZE"):
        connection.execute(statement, None if statement == "ANALYZE" else values)


def _median_ms(call: Callable[[], object]) -> float:
    durations: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        durations.append(1000 * (time.perf_counter() - started))
    return statistics.median(durations)
