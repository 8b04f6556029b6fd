"""The resource that every op of a chain shares: run lock, fact recorder, catalogue.

It is set up once per process and run. Versions and experiment arms are resolved here, before the
first step, and stored; later processes, retries and resumed runs read what was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.execution.context import Services
from tool_catalog_pipelines.execution.secrets import stored_secrets
from tool_catalog_pipelines.execution.warm_up import warm_up
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.planning.lock import RunIdentity, RunLock, resolve_run_lock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.settings import Settings, load_settings, secret_variables
from tool_catalog_pipelines.spec.binding import Binding
from tool_catalog_pipelines.telemetry.recorder import FactRecorder
from tool_catalog_pipelines.telemetry.spool import deliver_spool
from tool_catalog_pipelines.telemetry.spool_folder import spool_of
from tool_catalog_pipelines.telemetry.writer import FactWriter

FLUSH_TIMEOUT_S = 30.0
OnNew = Callable[[RunLock, Catalog], None]


@dataclass(frozen=True, slots=True)
class ChainRun:
    """What ops need besides their step: the run's lock and the services of execution/."""

    lock: RunLock
    services: Services


def chain_run_resource(plan: Plan) -> dg.ResourceDefinition:
    """The `chain_run` resource of one chain."""

    def set_up(context: dg.InitResourceContext) -> Generator[ChainRun]:
        inputs = cast("Mapping[str, Any]", context.resource_config["inputs"])
        if context.run is None:
            raise NotFoundError.one("a chain step runs inside a Dagster run only")

        def on_new(lock: RunLock, catalog: Catalog) -> None:
            _forecast(plan, lock, catalog, context)

        with open_chain_run(plan, inputs, context.run, load_settings(), on_new) as run:
            yield run

    return dg.ResourceDefinition(
        resource_fn=contextmanager(set_up),
        config_schema={"inputs": dg.Permissive({})},
        description="Run lock, fact recorder and catalogue of this run",
    )


@contextmanager
def open_chain_run(
    plan: Plan,
    inputs: Mapping[str, Any],
    run: dg.DagsterRun,
    settings: Settings,
    on_new: OnNew,
) -> Generator[ChainRun]:
    """Open the database, resolve or read the run lock, and record facts until the end.

    `on_new` is told the lock of a run that is new, before its first step.
    """
    with open_catalog(settings) as catalog, catalog.followed() as live:
        write = FactWriter(catalog.engine).write
        spool = spool_of(catalog.engine, settings.spool_dir)
        deliver_spool(spool, write)
        lock = _stored_lock(run, catalog) or _new_lock(plan, inputs, run, catalog, settings, on_new)
        recorder = FactRecorder(spool, write)
        services = Services(
            snapshot=live.current,
            record=recorder.record,
            work_dir=settings.outputs_dir,
            reports_dir=settings.reports_dir,
            host=settings.host,
            secrets=stored_secrets(settings.secrets_dir, secret_variables()),
        )
        warm_up(_bindings(lock, services))
        try:
            yield ChainRun(lock, services)
        finally:
            recorder.flush(FLUSH_TIMEOUT_S)
            recorder.close()


def _stored_lock(run: dg.DagsterRun, catalog: Catalog) -> RunLock | None:
    """The lock that an earlier process of this run stored."""
    stored = catalog.runs.find_lock(run.run_id)
    return RunLock.from_json(stored) if stored is not None else None


def _new_lock(
    plan: Plan,
    inputs: Mapping[str, Any],
    run: dg.DagsterRun,
    catalog: Catalog,
    settings: Settings,
    on_new: OnNew,
) -> RunLock:
    """The lock of a run whose first process this is."""
    identity = RunIdentity(
        tenant=settings.tenant,
        run_id=run.run_id,
        run_started_at=datetime.now(UTC),
        environment=settings.environment,
        user=run.tags.get(naming.TAG_USER, settings.actor),
    )
    inherited = _inherited(run, catalog, identity)
    lock = inherited or resolve_run_lock(plan, catalog.seen(), identity, inputs)
    catalog.runs.record_chain(plan.chain, plan.version, plan.fingerprint, plan.content)
    lock = RunLock.from_json(catalog.runs.lock(run.run_id, lock.to_json()))
    if inherited is None:
        on_new(lock, catalog)
    return lock


def _forecast(plan: Plan, lock: RunLock, catalog: Catalog, context: dg.InitResourceContext) -> None:
    """Say what the run is expected to take, and keep it to be judged by.

    Not for a run that continues another one: it does not execute everything.
    """
    # Imported here, so that loading the code location stays lean.
    from tool_catalog_pipelines.judgement.chain_forecasts import forecast_and_store, nobody_knows
    from tool_catalog_pipelines.orchestration.ended_runs import ended_runs
    from tool_catalog_pipelines.planning.simulation.chain_forecast_text import forecast_in_a_line

    outcomes_of = ended_runs(context.instance) if context.instance else nobody_knows
    found = forecast_and_store(catalog.engine, plan, lock, catalog.seen(), outcomes_of)
    if found is not None and context.log is not None:
        context.log.info(forecast_in_a_line(found))


def _inherited(run: dg.DagsterRun, catalog: Catalog, identity: RunIdentity) -> RunLock | None:
    """A re-execution keeps the versions and arms of the run it continues."""
    if run.parent_run_id is None:
        return None
    stored = catalog.runs.find_lock(run.parent_run_id)
    return RunLock.from_json(stored).for_run(identity) if stored is not None else None


def _bindings(lock: RunLock, services: Services) -> Iterator[Binding]:
    """Bindings that the steps of this run will use."""
    snapshot = services.snapshot()
    for step in lock.steps.values():
        spec = snapshot.resolve(step.ref).spec
        for capability in spec.capabilities.values():
            yield from (p.binding for p in capability.patterns.values() if p.binding is not None)
