"""Where readers get the catalogue from, as the installation is set: files, database, or both.

- `yaml`: the files only;
- `database`: what was imported, read from the snapshot on disk that follows the database;
- `dual`: the database first, the files for what it lacks.

Does not belong here: reading itself (store.py, snapshot_file.py, yaml_source.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot, Fallback
from tool_catalog_pipelines.catalog.snapshot_file import read_snapshot
from tool_catalog_pipelines.catalog.yaml_source import FilesReader
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.settings import Settings

Refresh = Callable[[CatalogSnapshot], CatalogSnapshot]
NOTHING_KNOWN: frozenset[tuple[str, str]] = frozenset()


def installed_snapshot(settings: Settings) -> CatalogSnapshot:
    """The catalogue without asking the database.

    Raises:
        TerminalError: only the database is asked for, and nothing was imported yet.
    """
    has_none = settings.source == "dual" and not settings.snapshot_path.exists()
    if settings.source == "yaml" or has_none:
        return files_snapshot(settings)(NOTHING_KNOWN)
    return as_set(read_snapshot(settings.snapshot_path), settings)


def as_set(snapshot: CatalogSnapshot, settings: Settings) -> CatalogSnapshot:
    """A snapshot of the database as readers of this installation see it."""
    if settings.source == "dual":
        return replace(seen_by(snapshot, settings), fallback=files_snapshot(settings))
    return seen_by(snapshot, settings)


def followed(settings: Settings, refresh: Refresh) -> Refresh:
    """How a snapshot of this installation is brought up to date; `refresh` asks the database."""
    if settings.source == "yaml":
        files = files_snapshot(settings)
        return lambda _known: files(NOTHING_KNOWN)

    def refreshed(known: CatalogSnapshot) -> CatalogSnapshot:
        fresh = refresh(known)
        return fresh if fresh is known else replace(fresh, fallback=known.fallback)

    return refreshed


def files_snapshot(settings: Settings) -> Fallback:
    """Reads the files when called, and again when they changed."""
    files = FilesReader(settings.catalog_dir)
    return lambda known: seen_by(files.current(known), settings)


def seen_by(snapshot: CatalogSnapshot, settings: Settings) -> CatalogSnapshot:
    """A snapshot with the eyes of this installation's tenant and environment."""
    return replace(snapshot, tenant=settings.tenant, environment=settings.environment)


def snapshot_on_disk(settings: Settings) -> CatalogSnapshot | None:
    """The snapshot of the database on disk; None if there is none that can be read."""
    try:
        return seen_by(read_snapshot(settings.snapshot_path), settings)
    except TerminalError:
        return None
