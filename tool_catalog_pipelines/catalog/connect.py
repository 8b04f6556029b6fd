"""Opening the catalogue: database, engine, reading, changing, in one object closed as a whole."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from tool_catalog_pipelines.catalog.editor import CatalogEditor
from tool_catalog_pipelines.catalog.live import LiveCatalog
from tool_catalog_pipelines.catalog.reload_log import ReloadLog
from tool_catalog_pipelines.catalog.reloads import ReloadHistory
from tool_catalog_pipelines.catalog.runs import RunStore
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.snapshot_file import write_snapshot
from tool_catalog_pipelines.catalog.sources import (
    as_set,
    followed,
    installed_snapshot,
    snapshot_on_disk,
)
from tool_catalog_pipelines.catalog.store import CatalogStore
from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.db.server import Database, acquire_database
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Catalog:
    """An open catalogue."""

    database: Database
    engine: Engine
    settings: Settings
    store: CatalogStore
    editor: CatalogEditor
    runs: RunStore

    def publish(self) -> CatalogSnapshot:
        """Let the snapshot on disk follow the database; returns what it holds."""
        return publish_snapshot(self.store, self.settings)

    def seen(self) -> CatalogSnapshot:
        """The catalogue of now as readers of this installation see it."""
        if self.settings.source == "yaml":
            return installed_snapshot(self.settings)
        return as_set(self.publish(), self.settings)

    @contextmanager
    def followed(self) -> Generator[LiveCatalog]:
        """The catalogue, followed while the block runs, and the file with it."""

        def refresh(known: CatalogSnapshot) -> CatalogSnapshot:
            fresh = self.store.refreshed(known)
            if fresh.revision != known.revision:
                self.publish()
            return fresh

        live = LiveCatalog(
            self.database.libpq_url,
            self.seen(),
            followed(self.settings, refresh),
            history=ReloadHistory(told=ReloadLog(self.settings.reloads_path).add),
        )
        live.start()
        try:
            yield live
        finally:
            live.close()


@contextmanager
def open_catalog(settings: Settings, pool_size: int = 5) -> Generator[Catalog]:
    """Start the database if need be, migrate it, and give it back at the end."""
    with acquire_database(settings) as database:
        engine = make_engine(database, pool_size=pool_size)
        try:
            migrate(engine)
            yield opened(database, engine, settings)
        finally:
            engine.dispose()


def opened(database: Database, engine: Engine, settings: Settings) -> Catalog:
    """The catalogue in a database that is migrated."""
    store = CatalogStore(engine, settings)
    editor = CatalogEditor(engine, settings, lambda: publish_snapshot(store, settings))
    return Catalog(database, engine, settings, store, editor, RunStore(engine, settings))


def publish_snapshot(store: CatalogStore, settings: Settings) -> CatalogSnapshot:
    """Write what changed since the snapshot on disk; writers of one home take turns.

    Raises:
        TerminalError: the file cannot be written.
    """
    try:
        return _published(store, settings)
    except OSError as error:
        raise TerminalError(
            f"the database is up to date, but {settings.snapshot_path}, which others read, cannot "
            f"be written: {error.strerror or error}; when it can be, run `tool-catalog import`"
        ) from None


def _published(store: CatalogStore, settings: Settings) -> CatalogSnapshot:
    path = settings.snapshot_path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        on_disk = snapshot_on_disk(settings)
        fresh = store.refreshed(on_disk)
        is_same = on_disk is not None and (on_disk.catalog_id, on_disk.revision) == (
            fresh.catalog_id,
            fresh.revision,
        )
        if not is_same:
            write_snapshot(path, fresh)
    return fresh
