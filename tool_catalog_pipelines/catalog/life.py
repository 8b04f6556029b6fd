"""The life of a tool after it was saved: promotion, rollback, state, deletion.

State (status, enabled, deleted) and channels are no content: changing them makes no version, but
an audit entry. A reference without `@` means every version of the tool. Does not belong here: new
versions (saving.py), removing rows for good (purging.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import func

from tool_catalog_pipelines.catalog import tool_rows
from tool_catalog_pipelines.catalog.audit import Entry, changed
from tool_catalog_pipelines.catalog.naming import Chosen
from tool_catalog_pipelines.catalog.saving import Turn
from tool_catalog_pipelines.catalog.tool_rows import ToolName, VersionRow
from tool_catalog_pipelines.errors import InvalidInputError

Channel = Literal["stable", "testing"]


def promote(turn: Turn, chosen: Chosen, channel: Channel, reason: str) -> None:
    """Point a channel at a version; `stable` is moved by nothing else once it points somewhere."""
    version = chosen.one()
    _check_startable(chosen.name, version, channel)
    _point(turn, chosen.name, channel, version, "promoted", reason)


def roll_back(turn: Turn, chosen: Chosen, reason: str) -> None:
    """Point `latest` at any version, also at one that is newer or was deleted.

    Raises:
        InvalidInputError: the version is disabled or a draft.
    """
    version = chosen.one()
    if version.is_deleted:
        _change(turn, chosen.name, [version], {"deleted_at": None}, "restored", reason)
    _check_startable(chosen.name, version, "latest")
    _point(turn, chosen.name, "latest", version, "rolled_back", reason)


def disable(turn: Turn, chosen: Chosen, reason: str) -> None:
    """Let nobody start these versions until they are enabled."""
    _change(turn, chosen.name, chosen.versions, {"enabled": False}, "disabled", reason)
    _settle_latest(turn, chosen.name)


def enable(turn: Turn, chosen: Chosen, reason: str) -> None:
    """Let these versions be started again; ends a deprecation too."""
    for version in chosen.versions:
        values: dict[str, Any] = {"enabled": True}
        if version.status in ("disabled", "deprecated"):
            values["status"] = "active"
        _change(turn, chosen.name, [version], values, "enabled", reason)
    _settle_latest(turn, chosen.name)


def deprecate(turn: Turn, chosen: Chosen, reason: str) -> None:
    """Mark these versions as not to be used for anything new; they still run."""
    _change(turn, chosen.name, chosen.versions, {"status": "deprecated"}, "deprecated", reason)
    _settle_latest(turn, chosen.name)


def delete(turn: Turn, chosen: Chosen, reason: str) -> None:
    """Hide these versions; a rollback to one brings it back, and purge removes it for good."""
    channels = tool_rows.channels_of(turn.connection, chosen.name)
    for version in chosen.versions:
        lost = [channel for channel, tool_id in channels.items() if tool_id == version.id]
        for channel in lost:
            tool_rows.move_channel(turn.connection, turn.author, chosen.name, channel, None)
        tool_rows.change_state(
            turn.connection, turn.author, [version.id], {"deleted_at": func.now()}
        )
        changes = [changed("deleted", False, True)]
        changes += [changed(channel, version.version, None) for channel in lost]
        key = f"{chosen.name.label}@{version.version}"
        turn.record(Entry("tool", key, "deleted", changes, reason))
    _settle_latest(turn, chosen.name)


def _change(
    turn: Turn,
    name: ToolName,
    versions: Sequence[VersionRow],
    values: Mapping[str, Any],
    action: str,
    reason: str,
) -> None:
    """Change the state of those versions that have another one; one audit entry for each."""
    for version in versions:
        changes = [
            changed(field.removesuffix("_at"), old, new)
            for field, value in values.items()
            for old, new in [_states(version, field, value)]
            if old != new
        ]
        if changes:
            tool_rows.change_state(turn.connection, turn.author, [version.id], values)
            entry = Entry("tool", f"{name.label}@{version.version}", action, changes, reason)
            turn.record(entry)


def _states(version: VersionRow, field: str, value: object) -> tuple[object, object]:
    if field == "deleted_at":
        return version.is_deleted, value is not None
    return getattr(version, field), value


def _point(
    turn: Turn, name: ToolName, channel: str, version: VersionRow, action: str, reason: str
) -> None:
    before = tool_rows.channels_of(turn.connection, name).get(channel)
    if before == version.id:
        return
    tool_rows.move_channel(turn.connection, turn.author, name, channel, version.id)
    changes = [changed(channel, _number(turn, name, before), version.version)]
    turn.record(Entry("tool", f"{name.label}@{version.version}", action, changes, reason))


def _settle_latest(turn: Turn, name: ToolName) -> None:
    """`latest` leaves a version that is no longer active for the newest that is, if any is."""
    versions = tool_rows.versions_of(turn.connection, name)
    latest = next((version for version in versions if version.is_latest), None)
    active = [version for version in versions if version.is_active]
    if active and (latest is None or not latest.is_active):
        _point(turn, name, "latest", active[-1], "moved", "the version it pointed at is not active")


def _check_startable(name: ToolName, version: VersionRow, channel: str) -> None:
    if version.is_deleted and channel != "latest":
        raise InvalidInputError.one(
            f"{name.label}@{version.version} is deleted",
            f"`tool-catalog rollback {name.label}@{version.version}` brings it back",
        )
    if not version.enabled or version.status in ("disabled", "draft"):
        state = version.status if version.enabled else "disabled"
        raise InvalidInputError.one(
            f"{name.label}@{version.version} is {state} and cannot be {channel}",
            f"enable it first: tool-catalog enable {name.label}@{version.version}",
        )


def _number(turn: Turn, name: ToolName, tool_id: int | None) -> str | None:
    versions = tool_rows.versions_of(turn.connection, name)
    return next((version.version for version in versions if version.id == tool_id), None)
