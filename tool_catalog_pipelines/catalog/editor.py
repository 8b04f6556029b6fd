"""Changing the catalogue: every change is one transaction with its audit entry.

A facade: the rules are in saving.py (versions), life.py (state and channels), purging.py,
estimate_rows.py and experiment_rows.py. After a change the snapshot on disk follows, so that
readers need no database. Does not belong here: reading (store.py).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from tool_catalog_pipelines.catalog import (
    estimate_rows,
    experiment_rows,
    life,
    purging,
    read_rows,
    tool_rows,
)
from tool_catalog_pipelines.catalog.audit import Author, Entry, begin_change, changed
from tool_catalog_pipelines.catalog.naming import Chosen, choose
from tool_catalog_pipelines.catalog.records import Estimate, PatternKey
from tool_catalog_pipelines.catalog.saving import Saved, Terms, Turn, save_version
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.updating import updated_spec
from tool_catalog_pipelines.errors import DatabaseUnavailableError, NotFoundError, TerminalError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.tool import ToolSpec

AfterChange = Callable[[], object]


class CatalogEditor:
    """Changes the catalogue of one tenant in the name of one actor."""

    def __init__(self, engine: Engine, settings: Settings, after_change: AfterChange) -> None:
        self._engine = engine
        self._settings = settings
        self._after_change = after_change

    @contextmanager
    def change(self, origin: str) -> Generator[Turn]:
        """One change: a turn, after which the snapshot on disk follows."""
        try:
            with self.turn(origin) as turn:
                yield turn
        except DBAPIError as error:
            said = str(error.orig).partition("\n")[0]
            raise TerminalError(f"the database refuses the change: {said}") from None
        self._after_change()

    @contextmanager
    def turn(self, origin: str, is_trial: bool = False) -> Generator[Turn]:
        """A writer's turn: one transaction; all or nothing of what happens inside.

        For many changes in a row; whoever takes turns sees to the snapshot afterwards. What
        happens in a trial is taken back at its end.
        """
        author = Author(self._settings.tenant, self._settings.actor, origin)
        try:
            with self._engine.begin() as connection:
                begin_change(connection)
                yield Turn(connection, author)
                if is_trial:
                    connection.rollback()
        except OperationalError as error:
            raise DatabaseUnavailableError(f"PostgreSQL does not answer: {error.orig}") from None

    def save_tool(self, spec: ToolSpec, origin: str, terms: Terms | None = None) -> Saved:
        """Make a version of a tool unless its content is there already."""
        with self.change(origin) as turn:
            return save_version(turn, spec, terms or Terms())

    def update_tool(
        self,
        ref: ToolRef,
        patch: Mapping[str, Any],
        origin: str,
        expected_version: str | None = None,
        reason: str = "",
    ) -> Saved:
        """Change fields of a tool (a JSON merge patch, RFC 7396) as a new version.

        Args:
            ref: the tool; without `@` its latest version is changed.
            patch: new values; null removes a field.
            origin: through what the change comes.
            expected_version: the version that the writer has seen as latest.
            reason: kept in the audit log.

        Raises:
            ConflictError: latest is another version than the writer has seen.
            InvalidInputError: the changed tool is not valid.
        """
        with self.change(origin) as turn:
            at = ToolRef(ref.name, ref.platform, ref.at or "latest")
            chosen = choose(turn.connection, turn.author.tenant, at)
            spec = updated_spec(turn.connection, chosen, patch, expected_version)
            return save_version(turn, spec, Terms(reason))

    def promote(self, ref: ToolRef, channel: life.Channel, origin: str, reason: str = "") -> Chosen:
        """Point `stable` or `testing` at a version."""
        with self.change(origin) as turn:
            chosen = choose(turn.connection, turn.author.tenant, ref)
            life.promote(turn, chosen, channel, reason)
            return chosen

    def roll_back(self, ref: ToolRef, origin: str, reason: str = "") -> Chosen:
        """Point `latest` at any version; brings a deleted one back."""
        return self._live(life.roll_back, ref, origin, reason, with_deleted=True)

    def disable(self, ref: ToolRef, origin: str, reason: str = "") -> Chosen:
        """Let nobody start a version, or with a bare reference the tool."""
        return self._live(life.disable, ref, origin, reason)

    def enable(self, ref: ToolRef, origin: str, reason: str = "") -> Chosen:
        """End a disabling or a deprecation; of a deleted version too, if it is named."""
        return self._live(life.enable, ref, origin, reason, with_deleted=ref.at is not None)

    def deprecate(self, ref: ToolRef, origin: str, reason: str = "") -> Chosen:
        """Mark a version, or the tool, as not to be used for anything new."""
        return self._live(life.deprecate, ref, origin, reason)

    def delete(self, ref: ToolRef, origin: str, reason: str = "") -> Chosen:
        """Hide a version, or the tool."""
        return self._live(life.delete, ref, origin, reason)

    def purge(
        self, ref: ToolRef, origin: str, chains: tuple[str, ...] = (), reason: str = ""
    ) -> Chosen:
        """Remove what is deleted and not referred to; see purging.purge."""
        with self.change(origin) as turn:
            chosen = choose(turn.connection, turn.author.tenant, ref, with_deleted=True)
            purging.purge(turn, chosen, chains, reason)
            return chosen

    def save_experiment(self, spec: ExperimentSpec, origin: str) -> Saved:
        """Make or change an experiment.

        Raises:
            NotFoundError: one of its versions does not exist.
            InvalidInputError: its tool has another active experiment.
        """
        with self.change(origin) as turn:
            outcome = self.save_experiment_in(turn, spec)
        return Saved(spec.experiment, outcome)

    def save_experiment_in(self, turn: Turn, spec: ExperimentSpec) -> experiment_rows.Outcome:
        """As `save_experiment`, in a turn that is under way."""
        tenant = turn.author.tenant
        named = read_rows.versions_named(turn.connection, parse_tool_ref(spec.tool), tenant)
        known = CatalogSnapshot(0, datetime.now(UTC), named, tenant=tenant)
        return experiment_rows.save(turn.connection, turn.author, spec, known)

    def publish_estimate(
        self, tool_id: int, key: PatternKey, estimate: Estimate, reason: str
    ) -> int:
        """Make an estimate the current one; returns its revision. Earlier ones are kept."""
        with self.change("recalibration") as turn:
            return _publish(turn, tool_id, key, estimate, ("recalibrated", reason))

    def restore_estimate(
        self, ref: ToolRef, key: PatternKey, revision: int, origin: str, reason: str = ""
    ) -> int:
        """Make an earlier estimate the current one again, as a new revision.

        Raises:
            NotFoundError: there is no such version, pattern or revision.
        """
        with self.change(origin) as turn:
            at = ToolRef(ref.name, ref.platform, ref.at or "latest")
            version = choose(turn.connection, turn.author.tenant, at).one()
            found = estimate_rows.estimate_at(turn.connection, version.id, key, revision)
            if found is None:
                raise NotFoundError.one(
                    f"{ref} has no estimate {revision} of {key[0]}/{key[1]}",
                    "`tool-catalog get --json` shows the current ones",
                )
            why = reason or f"as in revision {revision}"
            return _publish(turn, version.id, key, found, ("restored", why))

    def _live(
        self,
        change: Callable[[Turn, Chosen, str], None],
        ref: ToolRef,
        origin: str,
        reason: str,
        with_deleted: bool = False,
    ) -> Chosen:
        with self.change(origin) as turn:
            chosen = choose(turn.connection, turn.author.tenant, ref, with_deleted)
            change(turn, chosen, reason)
            return chosen


def _publish(
    turn: Turn, tool_id: int, key: PatternKey, estimate: Estimate, why: tuple[str, str]
) -> int:
    action, reason = why
    spec = tool_rows.spec_of(turn.connection, tool_id)
    old = estimate_rows.current_estimates(turn.connection, (tool_id,)).get(tool_id, {}).get(key)
    revision = estimate_rows.insert_estimate(
        turn.connection, turn.author, tool_id, key, estimate, reason
    )
    changes = [
        changed("time_ms", old.time_ms if old else None, estimate.time_ms),
        changed("cost_units", old.cost_units if old else None, estimate.cost_units),
    ]
    subject = f"{spec.platform}/{spec.tool_name}@{spec.version}/{key[0]}/{key[1]}"
    turn.record(Entry("estimate", subject, action, changes, reason))
    return revision
