"""Opening the catalogue: database, engine, stores, in one object that is closed as a whole."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from tool_catalog_pipelines.catalog.runs import RunStore
from tool_catalog_pipelines.catalog.store import CatalogStore
from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.db.server import Database, acquire_database
from tool_catalog_pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Catalog:
    """An open catalogue."""

    database: Database
    engine: Engine
    store: CatalogStore
    runs: RunStore


@contextmanager
def open_catalog(settings: Settings, pool_size: int = 5) -> Generator[Catalog]:
    """Start the database if need be, migrate it, and give it back at the end."""
    with acquire_database(settings) as database:
        engine = make_engine(database, pool_size=pool_size)
        try:
            migrate(engine)
            yield Catalog(
                database, engine, CatalogStore(engine, settings), RunStore(engine, settings)
            )
        finally:
            engine.dispose()
