"""The catalogue in PostgreSQL: every change is one transaction with its audit entry.

After a change the snapshot on disk is rewritten, so that readers need no database. The statements
are in tool_rows.py, estimate_rows.py and experiment_rows.py.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import OperationalError

from tool_catalog_pipelines.catalog import (
    estimate_rows,
    experiment_rows,
    import_rows,
    tool_rows,
)
from tool_catalog_pipelines.catalog.audit import Author, Entry, changed, record_change
from tool_catalog_pipelines.catalog.records import CatalogSnapshot, CatalogTool, Estimate
from tool_catalog_pipelines.catalog.snapshot import write_snapshot
from tool_catalog_pipelines.catalog.versioning import next_patch, normalised
from tool_catalog_pipelines.db.schema import catalog_revision, tool_channels, tools
from tool_catalog_pipelines.errors import DatabaseUnavailableError, NotFoundError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import content_hash
from tool_catalog_pipelines.spec.tool import ToolSpec

_SNAPSHOT_LOCK = 7_236_110_451_884_010


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a tool or experiment that was handed in."""

    label: str
    outcome: Literal["created", "new_version", "updated", "unchanged"]
    note: str = ""


class CatalogStore:
    """Reads and changes the catalogue of one tenant."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def snapshot(self) -> CatalogSnapshot:
        """Everything at one revision, read in one transaction."""
        with self._transaction() as connection:
            return self._read(connection)

    def publish_snapshot(self) -> CatalogSnapshot:
        """Rewrite the snapshot on disk; writers take turns, so an older one never wins."""
        with self._transaction() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SNAPSHOT_LOCK})
            snapshot = self._read(connection)
            write_snapshot(self._settings.snapshot_path, snapshot)
        return snapshot

    def save_tool(self, spec: ToolSpec, origin: str, reason: str = "") -> Saved:
        """Make a version of a tool unless its content is there already.

        Changed content under a number that exists becomes the next free patch, and says so.
        """
        author = self._author(origin)
        given = spec.version
        spec = spec.model_copy(update={"version": normalised(given)})
        with self._transaction() as connection:
            tool_rows.lock_tool(connection, author.tenant, spec)
            versions = tool_rows.versions_of(connection, author.tenant, spec)
            digest = _meaning(spec)
            known = next((row for row in versions if row["content_hash"] == digest), None)
            if known is not None:
                return Saved(f"{_label(spec)}@{known['version']}", "unchanged")
            taken = frozenset(row["version"] for row in versions)
            note = ""
            if spec.version in taken:
                version = next_patch(spec.version, taken)
                note = f"content changed under {spec.version}; saved as {version}"
                spec = spec.model_copy(update={"version": version})
            parent = next((row["id"] for row in versions if row["is_latest"]), None)
            tool_id = tool_rows.insert_version(
                connection, author, spec, given, digest, parent, self._settings.environment
            )
            estimate_rows.declare_estimates(connection, author, tool_id, spec)
            action = "updated" if versions else "created"
            changes = [changed("version", None, spec.version)]
            entry = Entry("tool", f"{_label(spec)}@{spec.version}", action, changes, reason or note)
            record_change(connection, author, entry)
            self._move_channels(connection, author, spec, tool_id, is_first=not versions)
        return Saved(entry.entity_key, "new_version" if versions else "created", note)

    def promote(self, tool_id: int, channel: str, reason: str) -> None:
        """Point a channel at a version.

        Raises:
            NotFoundError: there is no such version.
        """
        author = self._author("promote")
        with self._transaction() as connection:
            spec = self._spec(connection, tool_id)
            before = tool_rows.move_channel(connection, author, spec, channel, tool_id)
            key = f"{_label(spec)}@{spec.version}"
            changes = [changed(channel, before, tool_id)]
            record_change(connection, author, Entry("tool", key, "promoted", changes, reason))
        self.publish_snapshot()

    def save_experiment(self, spec: ExperimentSpec, origin: str) -> Saved:
        """Make or change an experiment.

        Raises:
            NotFoundError: one of its versions does not exist.
            InvalidInputError: its tool has another active experiment.
        """
        with self._transaction() as connection:
            outcome = experiment_rows.save(
                connection, self._author(origin), spec, self._read(connection)
            )
        return Saved(spec.experiment, outcome)

    def publish_estimate(
        self, tool_id: int, capability: str, pattern: str, estimate: Estimate, reason: str
    ) -> int:
        """Make an estimate the current one; returns its revision. Earlier ones are kept."""
        author = self._author("recalibration")
        key = (capability, pattern)
        with self._transaction() as connection:
            spec = self._spec(connection, tool_id)
            tool_rows.lock_tool(connection, author.tenant, spec)
            old = estimate_rows.current_estimates(connection).get(tool_id, {}).get(key)
            revision = estimate_rows.insert_estimate(
                connection, author, tool_id, key, estimate, reason
            )
            changes = [
                changed("time_ms", old.time_ms if old else None, estimate.time_ms),
                changed("cost_units", old.cost_units if old else None, estimate.cost_units),
            ]
            subject = f"{_label(spec)}@{spec.version}/{capability}/{pattern}"
            record_change(
                connection, author, Entry("estimate", subject, "recalibrated", changes, reason)
            )
        self.publish_snapshot()
        return revision

    def imported_hash(self, file: str, entity_type: str, entity_key: str) -> str | None:
        """The content that a file had when this entity was last imported from it."""
        with self._transaction() as connection:
            return import_rows.find(
                connection,
                self._settings.tenant,
                import_rows.Imported(file, entity_type, entity_key),
            )

    def remember_import(self, file: str, entity_type: str, entity_key: str, digest: str) -> None:
        """Remember what was imported from a file."""
        with self._transaction() as connection:
            import_rows.remember(
                connection,
                self._author(file),
                import_rows.Imported(file, entity_type, entity_key),
                digest,
            )

    def _move_channels(
        self, connection: Connection, author: Author, spec: ToolSpec, tool_id: int, is_first: bool
    ) -> None:
        """`latest` follows the newest active version; the first version is also `stable`."""
        versions = tool_rows.versions_of(connection, author.tenant, spec)
        newest = tool_rows.newest_active(versions)
        if newest is not None:
            tool_rows.move_channel(connection, author, spec, "latest", newest["id"])
        if is_first:
            # Nothing is less stable than the only version there is; from here on, promote decides.
            tool_rows.move_channel(connection, author, spec, "stable", tool_id)

    def _read(self, connection: Connection) -> CatalogSnapshot:
        tenant = self._settings.tenant
        revision = connection.execute(select(catalog_revision.c.revision)).scalar_one_or_none()
        estimates = estimate_rows.current_estimates(connection)
        channels: dict[int, set[str]] = {}
        pointers = select(tool_channels.c.tool_id, tool_channels.c.channel)
        for tool_id, channel in connection.execute(
            pointers.where(tool_channels.c.tenant == tenant)
        ):
            channels.setdefault(tool_id, set()).add(channel)
        rows = connection.execute(
            select(tools.c.id, tools.c.spec).where(tools.c.tenant == tenant).order_by(tools.c.id)
        )
        found = tuple(
            CatalogTool(
                tool_id=tool_id,
                spec=ToolSpec.model_validate(spec),
                channels=frozenset(channels.get(tool_id, ())),
                estimates=estimates.get(tool_id, {}),
            )
            for tool_id, spec in rows
        )
        experiments = experiment_rows.read(connection, tenant)
        return CatalogSnapshot(revision or 0, datetime.now(UTC), found, experiments)

    def _spec(self, connection: Connection, tool_id: int) -> ToolSpec:
        found = connection.execute(select(tools.c.spec).where(tools.c.id == tool_id)).scalar()
        if found is None:
            raise NotFoundError.one(f"there is no tool version with the id {tool_id}")
        return ToolSpec.model_validate(found)

    def _author(self, origin: str) -> Author:
        return Author(self._settings.tenant, self._settings.actor, origin)

    @contextmanager
    def _transaction(self) -> Generator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise DatabaseUnavailableError(f"PostgreSQL does not answer: {error.orig}") from None


def _label(spec: ToolSpec) -> str:
    return f"{spec.platform}/{spec.tool_name}"


def _meaning(spec: ToolSpec) -> str:
    """Hash of the content without the version number, which only names it."""
    return content_hash(spec.model_copy(update={"version": "0"}))
