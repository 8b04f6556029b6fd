"""Dagster's instance storage on PostgreSQL: pooled, with group commit of step events.

Belongs here: the three storages that Dagster asks for, and the differences to dagster-postgres.
Tables, migrations and every statement not named here stay those of Dagster. Waiting events are in
orchestration/event_buffer.py, the pool in orchestration/shared_pool.py. Why: DESIGN decision 13
and docs/adr/0002.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Self, cast

from dagster import DagsterEvent, DagsterEventType, Field, Float, Int, Noneable, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.event_api import EventLogRecord, EventRecordsFilter
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.stats import RunStepKeyStatsSnapshot
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.dagster_run import DagsterRunStatsSnapshot
from dagster._core.storage.event_log.base import (
    EventLogConnection,
    EventLogStorage,
)
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.runs import RunStorage
from dagster._core.storage.schedules import ScheduleStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.schema import CreateSchema
from typing_extensions import override

from tool_catalog_pipelines.db.addresses import DAGSTER_SCHEMA
from tool_catalog_pipelines.orchestration.event_buffer import (
    EventBuffer,
    belongs_to_batch,
    step_key_of,
)
from tool_catalog_pipelines.orchestration.outage import (
    RETRY_WINDOW_S,
    Patience,
    patient_connection,
)
from tool_catalog_pipelines.orchestration.shared_pool import (
    PoolLease,
    limit_statements,
    process_pools,
)

ROWS_PER_STATEMENT = 500
_SCHEMA_LOCK = 7_236_110_451_884_101
_TABLES = frozenset({"runs", "instance_info", "event_logs", "jobs"})


class PooledEventLogStorage(PostgresEventLogStorage):
    """The event log: step events in groups, everything else at once, all of it patiently."""

    def __init__(self, lease: PoolLease, patience: Patience) -> None:
        super().__init__(lease.url, should_autocreate_tables=False)
        self._lease = lease
        self._engine = lease.engine
        self._patience = patience
        self._transactions = lease.engine.execution_options(isolation_level="READ COMMITTED")
        self._buffer = EventBuffer(_GroupWriter(lease.engine, patience, self._event_to_row).write)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, or keep it for the end of its step.

        Raises:
            DatabaseUnavailableError: PostgreSQL was away for the whole retry window.
        """
        if belongs_to_batch(event):
            self._buffer.add(event)
            return
        step_key = step_key_of(event)
        if step_key is None:
            self._buffer.flush_run(event.run_id)
        else:
            self._buffer.flush_step(event.run_id, step_key)
        self._patience.call(lambda is_retry: self._store_now(event, is_retry))

    def _store_now(self, event: EventLogEntry, is_retry: bool) -> None:
        """As dagster-postgres does, without NOTIFY, and so that it may be repeated."""
        row = self._event_to_row(event)
        kind = event.dagster_event_type
        with self._transactions.begin() as connection:
            event_id = _find_row(connection, row) if is_retry else None
            if event_id is None:
                insert = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id)
                event_id = int(connection.execute(insert, row).scalar_one())
                if kind in ASSET_EVENTS and event.get_dagster_event().asset_key:
                    self._store_asset_event_tags(connection, [event], [event_id])
                    self._store_asset_event(connection, event, event_id)
        if kind in ASSET_CHECK_EVENTS:
            self.store_asset_check_event(event, event_id)

    def _connect(self) -> AbstractContextManager[Connection]:
        return patient_connection(self._engine, self._patience)

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: DagsterEventType | set[DagsterEventType] | None = None,
        limit: int | None = None,
        ascending: bool = True,
    ) -> EventLogConnection:
        """The events of a run, with those of this process that still wait."""
        self._buffer.flush_run(run_id)
        return super().get_records_for_run(run_id, cursor, of_type, limit, ascending)

    def get_event_records(
        self,
        event_records_filter: EventRecordsFilter,
        limit: int | None = None,
        ascending: bool = False,
    ) -> Sequence[EventLogRecord]:
        """Events of any run, with those of this process that still wait."""
        self._buffer.flush_all()
        return super().get_event_records(event_records_filter, limit, ascending)

    def get_stats_for_run(self, run_id: str) -> DagsterRunStatsSnapshot:
        """Counts of a run, with the events of this process that still wait."""
        self._buffer.flush_run(run_id)
        return super().get_stats_for_run(run_id)

    def get_step_stats_for_run(
        self, run_id: str, step_keys: Sequence[str] | None = None
    ) -> Sequence[RunStepKeyStatsSnapshot]:
        """Statistics of steps, with the events of this process that still wait."""
        self._buffer.flush_run(run_id)
        return super().get_step_stats_for_run(run_id, step_keys)

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, also those that still wait."""
        self._buffer.forget_run(run_id)
        super().delete_events(run_id)

    @override
    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """Limit the duration of statements; there is a pool already."""
        limit_statements(self._engine, statement_timeout)

    def dispose(self) -> None:
        """Write what still waits, stop watching, give the pool back."""
        self._buffer.close()
        super().dispose()
        self._lease.close()


class PooledRunStorage(PostgresRunStorage):
    """Dagster's run storage on the shared pool."""

    def __init__(self, lease: PoolLease, patience: Patience) -> None:
        super().__init__(lease.url, should_autocreate_tables=False)
        self._lease = lease
        self._engine = lease.engine
        self._patience = patience

    def connect(self) -> AbstractContextManager[Connection]:
        """A connection of the shared pool; an error of ours where there is none."""
        return patient_connection(self._engine, self._patience)

    def handle_run_event(
        self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None
    ) -> None:
        """Set the status of a run, waiting for a PostgreSQL that is away.

        Raises:
            DatabaseUnavailableError: it was away for the whole retry window.
        """
        stock = super().handle_run_event
        self._patience.call(lambda _: stock(run_id, event, update_timestamp))

    @override
    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """Nothing to do: there is a pool, and the event log limits its statements."""


class PooledScheduleStorage(PostgresScheduleStorage):
    """Dagster's schedule storage on the shared pool."""

    def __init__(self, lease: PoolLease) -> None:
        super().__init__(lease.url, should_autocreate_tables=False)
        self._lease = lease
        self._engine = lease.engine

    @override
    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """Nothing to do: there is a pool, and the event log limits its statements."""


class PooledPostgresStorage(DagsterStorage, ConfigurableClass):
    """The instance storage named in dagster.yaml.

    Args:
        url: address of the database; None takes that of our settings and, if it is the embedded
            one, starts it and holds it until the instance is disposed of or the process ends.
        write_retry_s: how long writes are tried again while PostgreSQL is away.
        pool_limits: slots of concurrency pools that are set when the pool is not known yet; later
            changes in the UI stay.
        inst_data: what Dagster needs to build the same storage in another process.
    """

    def __init__(
        self,
        url: str | None = None,
        write_retry_s: float = RETRY_WINDOW_S,
        pool_limits: Mapping[str, int] | None = None,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        self._inst_data = inst_data
        lease = process_pools().lease(url)
        patience = Patience(write_retry_s)
        self._event_log_storage = PooledEventLogStorage(lease, patience)
        self._run_storage = PooledRunStorage(lease, patience)
        self._schedule_storage = PooledScheduleStorage(lease)
        lease.prepare(lambda: self._prepare(lease, pool_limits or {}))
        super().__init__()

    def _prepare(self, lease: PoolLease, pool_limits: Mapping[str, int]) -> None:
        create_missing_tables(lease)
        known = self._event_log_storage.get_concurrency_keys()
        for pool, slots in pool_limits.items():
            if pool not in known:
                self._event_log_storage.set_concurrency_slots(pool, slots)

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """How Dagster rebuilds this storage elsewhere."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """What may stand under `config:` in dagster.yaml."""
        return {
            "url": Field(Noneable(StringSource), default_value=None),
            "write_retry_s": Field(Float, default_value=RETRY_WINDOW_S),
            "pool_limits": Field({str: Int}, default_value={}),
        }

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Build the storage from dagster.yaml."""
        return cls(**config_value, inst_data=inst_data)

    @property
    def event_log_storage(self) -> EventLogStorage[Any]:
        """The event log."""
        return self._event_log_storage

    @property
    def run_storage(self) -> RunStorage[Any]:
        """Runs, snapshots, tags, heartbeats."""
        return self._run_storage

    @property
    def schedule_storage(self) -> ScheduleStorage[Any]:
        """Schedules, sensors and their ticks."""
        return self._schedule_storage


def create_missing_tables(lease: PoolLease) -> None:
    """Let Dagster create its tables in its schema; several processes may start at once."""
    if _has_tables(lease.engine):
        return
    guard = lease.engine.execution_options(isolation_level="READ COMMITTED")
    with guard.begin() as transaction:
        transaction.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
        if not _has_tables(lease.engine):
            with lease.engine.connect() as connection:
                connection.execute(CreateSchema(DAGSTER_SCHEMA, if_not_exists=True))
            DagsterPostgresStorage(lease.url)


def _has_tables(engine: Engine) -> bool:
    return set(inspect(engine).get_table_names(schema=DAGSTER_SCHEMA)) >= _TABLES


class _GroupWriter:
    """Writes entries of the event log in as few statements as possible, each all or nothing."""

    def __init__(
        self,
        engine: Engine,
        patience: Patience,
        to_row: Callable[[EventLogEntry], dict[str, Any]],
    ) -> None:
        self._engine = engine
        self._patience = patience
        self._to_row = to_row
        self._order = threading.Lock()

    def write(self, entries: Sequence[EventLogEntry]) -> None:
        """Store entries in order; an entry is never stored twice, even when a reply was lost."""
        rows = [self._to_row(entry) for entry in entries]
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            chunk = rows[start : start + ROWS_PER_STATEMENT]
            # One insert at a time, so that ids become visible in their order: pollers read
            # "everything after id n" and would miss a smaller id that commits later.
            with self._order:
                self._patience.call(lambda is_retry, chunk=chunk: self._insert(chunk, is_retry))

    def _insert(self, rows: list[dict[str, Any]], is_retry: bool) -> None:
        with self._engine.connect() as connection:
            if is_retry and _find_row(connection, rows[-1]) is not None:
                return
            connection.execute(SqlEventLogStorageTable.insert(), rows)


def _find_row(connection: Connection, row: Mapping[str, Any]) -> int | None:
    """The id of exactly this row, if an earlier attempt stored it and its reply was lost."""
    table = SqlEventLogStorageTable.c
    found = connection.execute(
        select(table.id).where(
            table.run_id == row["run_id"],
            table.timestamp == row["timestamp"],
            table.event == row["event"],
        )
    )
    return cast("int | None", found.scalar())
