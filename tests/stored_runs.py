"""Runs of a chain as PostgreSQL holds them: a lock and facts, without anything that was executed.

Does not belong here: single facts (fact_factory.py), runs through Dagster (installations.py).
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from fact_factory import STARTED, make_fact
from factories import make_chain, make_snapshot, make_tool
from sqlalchemy import Engine, text

from tool_catalog_pipelines.catalog.runs import RunStore
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.judgement.chain_past import read_past
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.lock import RunIdentity, RunLock, resolve_run_lock
from tool_catalog_pipelines.planning.simulation.past import ChainPast
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.writer import FactWriter

NEW_RUN = "new"
LATER = timedelta(days=20)


def step_fact(step: str, from_ms: float, to_ms: float, **more: Any) -> Execution:
    """A success between two moments, counted from the start of its run."""
    return make_fact(
        step=step,
        started_at=STARTED + timedelta(milliseconds=from_ms),
        finished_at=STARTED + timedelta(milliseconds=to_ms),
        duration_ms=to_ms - from_ms,
        **more,
    )


class StoredRuns:
    """The runs of one chain in one database."""

    def __init__(self, engine: Engine, settings: Settings, chain: str, tool_id: int | None = None):
        self.engine = engine
        self.snapshot = make_snapshot(make_tool(tool_id=tool_id))
        self.plan = build_plan(make_chain(chain), self.snapshot)
        self._settings = settings

    def lock(
        self, run_id: str = NEW_RUN, after: timedelta = LATER, environment: str = "production"
    ) -> RunLock:
        """A lock that is not stored."""
        tenant = self._settings.tenant
        identity = RunIdentity(tenant, run_id, STARTED + after, environment, "tester")
        return resolve_run_lock(self.plan, self.snapshot, identity, {})

    def keep(
        self,
        run_id: str,
        *facts: Execution,
        hours: float = 0,
        environment: str = "production",
        tenant: str | None = None,
    ) -> RunLock:
        """Store a run that began so many hours after STARTED, with its facts."""
        after = timedelta(hours=hours)
        settings = dataclasses.replace(self._settings, tenant=tenant or self._settings.tenant)
        lock = self.lock(run_id, after, environment)
        lock = lock.for_run(dataclasses.replace(lock.identity, tenant=settings.tenant))
        RunStore(self.engine, settings).lock(run_id, lock.to_json())
        FactWriter(self.engine).write(
            [
                dataclasses.replace(
                    fact,
                    tenant=settings.tenant,
                    run_id=run_id,
                    chain=self.plan.chain,
                    environment=environment,
                    run_started_at=STARTED + after,
                    started_at=fact.started_at + after,
                    finished_at=fact.finished_at + after,
                )
                for fact in facts
            ]
        )
        return lock

    def past(self, **of_lock: Any) -> ChainPast:
        """What a run that starts now would know."""
        return read_past(self.engine, self.plan, self.lock(**of_lock))


def insert_tool(engine: Engine) -> int:
    """The row of linux/echo@1.0.0, so that facts may point to it."""
    statement = text(
        "INSERT INTO tool_catalog.tools (platform, tool_name, version, original_version, status, "
        "enabled, category, description, content_hash, spec, created_by, updated_by) "
        "VALUES ('linux', 'echo', '1.0.0', '1.0.0', 'active', true, 'system', 'x', 'h', '{}', "
        "'me', 'me') RETURNING id"
    )
    with engine.begin() as connection:
        return connection.execute(statement).scalar_one()
