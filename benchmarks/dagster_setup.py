"""Dagster instances to measure: on our storage, on dagster-postgres, in memory; one server."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import yaml

from tool_catalog_pipelines.db.addresses import dagster_url, parse_address, with_database
from tool_catalog_pipelines.db.server import acquire_database
from tool_catalog_pipelines.settings import Settings, load_settings

_STOCK_DATABASE = "bench_stock"
_OUR_DATABASE = "bench_ours"


@dataclass(frozen=True, slots=True)
class Instances:
    """The three kinds of instance, open at the same time.

    Attributes:
        stock: on dagster-postgres.
        ours: on our storage.
        in_memory: with everything in memory.
        settings: an installation on the database of `ours`, with an empty home.
    """

    stock: dg.DagsterInstance
    ours: dg.DagsterInstance
    in_memory: dg.DagsterInstance
    settings: Settings


@contextmanager
def open_instances() -> Generator[Instances]:
    """Open all three; both on PostgreSQL use the same server, each a database of its own."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tc-bench-")))
        home.chmod(0o755)
        settings = _temporary_settings(home)
        server = stack.enter_context(acquire_database(settings)).libpq_url
        stock = _make_database(server, _STOCK_DATABASE)
        ours = _make_database(server, _OUR_DATABASE)
        with psycopg.connect(stock, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA dagster")
        stock_url = dagster_url(parse_address(stock))
        storage = {"postgres": {"postgres_url": stock_url}}
        pooled = {
            "custom": {
                "module": "tool_catalog_pipelines.orchestration.storage",
                "class": "PooledPostgresStorage",
                "config": {"url": ours},
            }
        }
        yield Instances(
            stack.enter_context(_instance(home / "stock", storage)),
            stack.enter_context(_instance(home / "ours", pooled)),
            stack.enter_context(dg.DagsterInstance.ephemeral()),
            replace(settings, database_url=ours),
        )


def _temporary_settings(home: Path) -> Settings:
    settings = load_settings({"TOOL_CATALOG_HOME": str(home / "home")})
    settings.home.mkdir()
    return settings


def _make_database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return with_database(server, name)


@contextmanager
def _instance(home: Path, storage: Mapping[str, Any]) -> Generator[dg.DagsterInstance]:
    home.mkdir()
    document = {"storage": storage, "telemetry": {"enabled": False}}
    (home / "dagster.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance
