"""Reading the catalogue from PostgreSQL.

Every read is one transaction at one revision. Does not belong here: changes (editor.py), reading
without a database (snapshot_file.py, yaml_source.py), following changes (live.py).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from tool_catalog_pipelines.catalog import experiment_rows, feed, read_rows
from tool_catalog_pipelines.catalog.history import AuditQuery, entries
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.summary import ChangeSummary, changes_of
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.base import ToolRef


class CatalogStore:
    """The catalogue as one tenant in one environment sees it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def snapshot(self) -> CatalogSnapshot:
        """Everything at one revision."""
        return self.refreshed(None)

    def refreshed(self, known: CatalogSnapshot | None) -> CatalogSnapshot:
        """The catalogue of now; of a known snapshot only what changed since is read.

        Returns the same object when nothing changed and it came from the database.
        """
        with self.reading() as connection:
            place = feed.Place(known.catalog_id, known.revision) if known is not None else None
            changes = feed.changes_since(connection, place)
            if known is not None and changes.place == place:
                return known if known.source == "database" else replace(known, source="database")
            shared, own = experiment_rows.read(connection)
            now = datetime.now(UTC)
            if known is None or changes.keys is None:
                return CatalogSnapshot(
                    revision=changes.place.revision,
                    catalog_id=changes.place.catalog_id,
                    taken_at=now,
                    tools=read_rows.every_version(connection),
                    deleted=read_rows.deleted_keys(connection),
                    experiments=shared,
                    own_experiments=own,
                    tenant=self._settings.tenant,
                    environment=self._settings.environment,
                )
            tools = read_rows.versions_of_keys(connection, changes.keys)
            deleted = read_rows.deleted_keys(connection, changes.keys)
            fresh = known.changed(changes.place.revision, now, changes.keys, tools, deleted)
            return replace(fresh, experiments=shared, own_experiments=own)

    def find(self, ref: ToolRef) -> CatalogTool:
        """The version that a reference means now, read with one statement.

        Raises:
            NotFoundError: as `CatalogSnapshot.resolve`.
        """
        with self.reading() as connection:
            found = read_rows.versions_at(connection, ref, self._settings.tenant)
            exact = self._view(found)
            if len(exact.by_name.get(ref.name.lower(), ())) != 1:
                # Several platforms, a hidden version, or none: the rules need every version.
                exact = self._view(read_rows.versions_named(connection, ref, self._settings.tenant))
            return exact.resolve(ref)

    def with_capability(self, capability: str) -> tuple[CatalogTool, ...]:
        """The latest usable version of every tool that has a capability, with its patterns."""
        with self.reading() as connection:
            found = read_rows.latest_with_capability(connection, capability, self._settings.tenant)
        return self._view(found).seen

    def changes(
        self, after: int | None, up_to: int | None = None, origin: str | None = None
    ) -> ChangeSummary:
        """What the audit log says about a range of revisions; without an end, up to now.

        With an origin, only what came through it.
        """
        with self.reading() as connection:
            end = feed.current_place(connection).revision if up_to is None else up_to
            query = AuditQuery(self._settings.tenant, revisions=(after or 0, end), origin=origin)
            return changes_of(entries(connection, query), after, end)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A read-only transaction that sees one state of the database throughout."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with self._engine.connect().execution_options(**options) as connection:
                yield connection
        except OperationalError as error:
            raise DatabaseUnavailableError(f"PostgreSQL does not answer: {error.orig}") from None

    def _view(self, tools: tuple[CatalogTool, ...]) -> CatalogSnapshot:
        return CatalogSnapshot(
            revision=0,
            taken_at=datetime.now(UTC),
            tools=tools,
            tenant=self._settings.tenant,
            environment=self._settings.environment,
        )
