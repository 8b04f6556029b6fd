"""When a tool that is handed in makes a version, and which number and channels it gets.

The rules of identity and versions (DESIGN decision 5), in the caller's transaction:
- content that a version has already makes no version; number and state are not content;
- changed content under a number that exists becomes the next free patch, and is said;
- a new version becomes `latest` when it is active and newer than what `latest` points at; so
  nothing but a newer version undoes a rollback;
- a file that goes back to the content of an earlier version moves `latest` back, as a rollback.

Does not belong here: the rest of a tool's life (life.py), statements (tool_rows.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from tool_catalog_pipelines.catalog import estimate_rows, tool_rows
from tool_catalog_pipelines.catalog.audit import Author, Entry, changed, record_change
from tool_catalog_pipelines.catalog.diff import compare
from tool_catalog_pipelines.catalog.tool_rows import ToolName, VersionRow
from tool_catalog_pipelines.catalog.versioning import next_patch, normalised, order_key
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.load import content_hash
from tool_catalog_pipelines.spec.tool import ToolSpec

OnConflict = Literal["new_version", "skip", "fail"]
Outcome = Literal["created", "new_version", "reverted", "updated", "unchanged", "conflict"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A writer's turn: the transaction, and who writes. Begun with audit.begin_change."""

    connection: Connection
    author: Author

    def record(self, entry: Entry) -> None:
        """Write an entry of the audit log."""
        record_change(self.connection, self.author, entry)


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a tool or experiment that was handed in."""

    label: str
    outcome: Outcome
    note: str = ""
    tool_id: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How a tool is saved.

    Attributes:
        reason: why; kept in the audit log.
        on_conflict: what becomes of changed content under a number that exists.
        from_file: it comes from a file that changed since its last import.
        previous_id: the version that this file led to then.
    """

    reason: str = ""
    on_conflict: OnConflict = "new_version"
    from_file: bool = False
    previous_id: int | None = None


def save_version(turn: Turn, spec: ToolSpec, terms: Terms) -> Saved:
    """Make a version of a tool unless its content is there already.

    Raises:
        InvalidInputError: the number is taken by other content and the terms say `fail`.
    """
    name = ToolName(turn.author.tenant, spec.platform, spec.tool_name)
    written = spec.version
    spec = spec.model_copy(update={"version": normalised(written)})
    rows = tool_rows.versions_of(turn.connection, name)
    alive = [row for row in rows if not row.is_deleted]
    if rows and not alive:
        how = f"`tool-catalog rollback {name.label}@{rows[-1].version}` brings it back"
        return Saved(name.label, "conflict", f"{name.label} was deleted; {how}")
    known = next((row for row in alive if row.content_hash == meaning(spec)), None)
    if known is not None:
        return _known_content(turn, spec, terms, name, known, alive)
    if any(row.version == spec.version for row in rows):
        if terms.on_conflict != "new_version":
            return _conflict(spec, name, terms.on_conflict)
        spec = _renumbered(spec, rows)
    return _insert(turn, spec, written, terms.reason, name, alive)


def meaning(spec: ToolSpec) -> str:
    """Hash of the content, without the number, which only names it, and without the state."""
    neutral = {"version": "0", "status": "active", "enabled": True}
    return content_hash(spec.model_copy(update=neutral))


def _conflict(spec: ToolSpec, name: ToolName, rule: OnConflict) -> Saved:
    label = f"{name.label}@{spec.version}"
    if rule == "fail":
        raise InvalidInputError.one(
            f"{label} exists with other content", "give the changed tool a new version"
        )
    return Saved(label, "conflict", f"{label} exists with other content; skipped")


def _renumbered(spec: ToolSpec, rows: Sequence[VersionRow]) -> ToolSpec:
    version = next_patch(spec.version, frozenset(row.version for row in rows))
    return spec.model_copy(update={"version": version})


def _insert(
    turn: Turn,
    spec: ToolSpec,
    written: str,
    reason: str,
    name: ToolName,
    alive: Sequence[VersionRow],
) -> Saved:
    notes: list[str] = []
    if spec.version != normalised(written):
        notes.append(f"content changed under {normalised(written)}; saved as {spec.version}")
    if alive and not any(row.enabled for row in alive):
        spec = spec.model_copy(update={"enabled": False})
        notes.append("the tool is disabled, and so is the new version")
    parent = next((row for row in alive if row.is_latest), alive[-1] if alive else None)
    before = tool_rows.spec_of(turn.connection, parent.id) if parent else None
    tool_id = tool_rows.insert_version(
        turn.connection, turn.author, spec, written, meaning(spec), parent.id if parent else None
    )
    inherited = (parent.id, before) if parent and before else None
    estimate_rows.declare_estimates(turn.connection, turn.author, tool_id, spec, inherited)
    note = "; ".join(notes)
    action = "updated" if alive else "created"
    key = f"{name.label}@{spec.version}"
    moved = _point_channels(turn, spec, name, tool_id, alive)
    turn.record(Entry("tool", key, action, [*_changes(before, spec), *moved], reason or note))
    return Saved(key, "new_version" if alive else "created", note, tool_id)


def _changes(before: ToolSpec | None, spec: ToolSpec) -> list[dict[str, object]]:
    """Every field that the version changes; for the first version every field that is written."""
    if before is None:
        written = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return [changed(name, None, value) for name, value in written.items()]
    found = [changed(change.path, change.old, change.new) for change in compare(before, spec)]
    return [changed("version", before.version, spec.version), *found]


def _point_channels(
    turn: Turn, spec: ToolSpec, name: ToolName, tool_id: int, alive: Sequence[VersionRow]
) -> list[dict[str, object]]:
    """`latest` follows newer active versions; the first version is also `stable`.

    Returns what moved, for the audit log.
    """
    if not alive:
        # Nothing is less stable than the only version there is; from here on, promote decides.
        tool_rows.point_first(turn.connection, turn.author, name, tool_id)
        return [changed(channel, None, spec.version) for channel in ("latest", "stable")]
    latest = next((row for row in alive if row.is_latest), None)
    is_newer = latest is None or order_key(spec.version) > order_key(latest.version)
    is_replacing = latest is not None and not latest.is_active
    if spec.status == "active" and (is_newer or is_replacing):
        tool_rows.move_channel(turn.connection, turn.author, name, "latest", tool_id)
        return [changed("latest", latest.version if latest else None, spec.version)]
    return []


def _known_content(
    turn: Turn,
    spec: ToolSpec,
    terms: Terms,
    name: ToolName,
    known: VersionRow,
    alive: Sequence[VersionRow],
) -> Saved:
    """Content that a version has already: nothing, a change of state, or a way back."""
    label = f"{name.label}@{known.version}"
    if not terms.from_file:
        return Saved(label, "unchanged", tool_id=known.id)
    states = {"status": (known.status, spec.status), "enabled": (known.enabled, spec.enabled)}
    differing = {key: pair for key, pair in states.items() if pair[0] != pair[1]}
    if terms.previous_id == known.id and differing:
        new = {key: pair[1] for key, pair in differing.items()}
        tool_rows.change_state(turn.connection, turn.author, [known.id], new)
        changes = [changed(key, *pair) for key, pair in differing.items()]
        turn.record(Entry("tool", label, "updated", changes, terms.reason))
        return Saved(label, "updated", tool_id=known.id)
    if terms.previous_id in (None, known.id) or known.is_latest:
        return Saved(label, "unchanged", tool_id=known.id)
    latest = tool_rows.channels_of(turn.connection, name).get("latest")
    if latest != terms.previous_id:
        note = f"the file went back to {label}, but `latest` was moved since; not moved again"
        return Saved(label, "conflict", note, known.id)
    tool_rows.move_channel(turn.connection, turn.author, name, "latest", known.id)
    note = f"the file went back to the content of {known.version}; `latest` with it"
    before = next((row.version for row in alive if row.id == latest), None)
    changes = [changed("latest", before, known.version)]
    turn.record(Entry("tool", label, "rolled_back", changes, terms.reason or note))
    return Saved(label, "reverted", note, known.id)
