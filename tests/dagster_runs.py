"""Running Dagster jobs in tests: instances on PostgreSQL, one call per run, what came of it.

Does not belong here: jobs of one test only, and anything about tools.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import yaml
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.api import execute_run
from psycopg import sql

from tool_catalog_pipelines.db.addresses import dagster_url, parse_address, with_database

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Ran:
    """What came of one run."""

    run_id: str
    status: str
    entries: tuple[EventLogEntry, ...]

    @property
    def kinds(self) -> list[tuple[str, str | None]]:
        """Type and step of every Dagster event, in the order of the event log."""
        events = [entry.dagster_event for entry in self.entries if entry.dagster_event]
        return [(event.event_type_value, event.step_key) for event in events]

    def of_step(self, step: str) -> list[str]:
        """Types of the events of one step, in order; without those of resources."""
        return [kind for kind, key in self.kinds if key == step and "RESOURCE" not in kind]

    def steps(self, kind: str) -> set[str | None]:
        """Steps that have an event of this type."""
        return {key for found, key in self.kinds if found == kind}


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    executor: Mapping[str, Any] | None = None,
    raise_on_error: bool = False,
    tags: Mapping[str, str] | None = None,
) -> Ran:
    """Run a job in this thread and read everything back from the instance."""
    config = {**QUIET, **({"execution": {"config": dict(executor)}} if executor else {})}
    run = instance.create_run_for_job(job, run_config=config, tags=tags)
    execute_run(InMemoryJob(job), run, instance, raise_on_error=raise_on_error)
    return read_run(instance, run.run_id)


def read_run(instance: dg.DagsterInstance, run_id: str) -> Ran:
    """What the instance holds about a run."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return Ran(run_id, run.status.value, tuple(instance.all_logs(run_id)))


def in_memory(job: dg.GraphDefinition, executor: dg.ExecutorDefinition, **more: Any) -> Any:
    """A job of the graph whose outputs stay in memory."""
    resources = {"io_manager": dg.mem_io_manager, **more.pop("resource_defs", {})}
    return job.to_job(executor_def=executor, resource_defs=resources, **more)


@contextmanager
def pooled_instance(url: str, home: Path, **config: Any) -> Iterator[dg.DagsterInstance]:
    """An instance on our storage; `config` goes to the storage."""
    storage = {
        "custom": {
            "module": "tool_catalog_pipelines.orchestration.storage",
            "class": "PooledPostgresStorage",
            "config": {"url": url, **config},
        }
    }
    with _instance(storage, home) as instance:
        yield instance


@contextmanager
def stock_instance(url: str, home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on the storage of dagster-postgres."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS dagster")
    address = dagster_url(parse_address(url))
    with _instance({"postgres": {"postgres_url": address}}, home) as instance:
        yield instance


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Address of an empty database, for fixtures that live longer than one test."""
    name = sql.Identifier(f"tc_{uuid.uuid4().hex}")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    yield with_database(server_url, name.as_string().strip('"'))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


class Gauge:
    """How many calls are inside at once, at most; also a meeting point of a known size."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.highest = 0

    def __enter__(self) -> Gauge:
        with self._lock:
            self._inside += 1
            self.highest = max(self.highest, self._inside)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1


@contextmanager
def _instance(storage: Mapping[str, Any], home: Path) -> Iterator[dg.DagsterInstance]:
    home.mkdir(parents=True, exist_ok=True)
    document = {"storage": storage, "telemetry": {"enabled": False}}
    (home / "dagster.yaml").write_text(yaml.safe_dump(document))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance
