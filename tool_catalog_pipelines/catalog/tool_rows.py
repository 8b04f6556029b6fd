"""Statements that write tool versions and channels, in the caller's transaction.

Does not belong here: when a version is made (saving.py), what its life brings (life.py), reading
versions as records (read_rows.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.catalog.audit import Author
from tool_catalog_pipelines.catalog.versioning import order_key
from tool_catalog_pipelines.db.schema import (
    tool_capabilities,
    tool_channels,
    tool_patterns,
    tools,
)
from tool_catalog_pipelines.spec.tool import ToolSpec


@dataclass(frozen=True, slots=True)
class VersionRow:
    """State of one version in the database."""

    id: int
    version: str
    content_hash: str
    status: str
    enabled: bool
    is_latest: bool
    is_deleted: bool

    @property
    def is_active(self) -> bool:
        """Whether `latest` may mean it."""
        return self.status == "active" and self.enabled and not self.is_deleted


@dataclass(frozen=True, slots=True)
class ToolName:
    """Identity of a tool: tenant, platform and name as first written."""

    tenant: str
    platform: str
    tool_name: str

    @property
    def label(self) -> str:
        """`platform/name`."""
        return f"{self.platform}/{self.tool_name}"


def versions_of(connection: Connection, name: ToolName) -> list[VersionRow]:
    """Every version of a tool, oldest first, also those that are deleted."""
    columns = (
        tools.c.id,
        tools.c.version,
        tools.c.content_hash,
        tools.c.status,
        tools.c.enabled,
        tools.c.is_latest,
        tools.c.deleted_at.is_not(None),
    )
    found = connection.execute(
        select(*columns)
        .where(tools.c.tenant == name.tenant, tools.c.platform == name.platform)
        .where(func.lower(tools.c.tool_name) == name.tool_name.lower())
    )
    rows = [VersionRow(*row) for row in found]
    return sorted(rows, key=lambda row: order_key(row.version))


def insert_version(
    connection: Connection,
    author: Author,
    spec: ToolSpec,
    original_version: str,
    content_hash: str,
    parent_id: int | None,
) -> int:
    """Insert one immutable version with its capabilities and patterns; returns its id."""
    document = spec.model_dump(mode="json", by_alias=True)
    same = ("status", "enabled", "category", "description", "defaults", "dependencies", "metadata")
    limits = ("owner", "environments", "requires_auth", "rate_limit", "timeout_s", "retries")
    values = {
        "tenant": author.tenant,
        "platform": spec.platform,
        "tool_name": spec.tool_name,
        "version": spec.version,
        "original_version": original_version,
        "content_hash": content_hash,
        "spec": document,
        "parent_version_id": parent_id,
        "created_by": author.actor,
        "updated_by": author.actor,
        **{key: document[key] for key in (*same, *limits)},
    }
    tool_id = connection.execute(insert(tools).values(**values).returning(tools.c.id)).scalar_one()
    for name, capability in document["capabilities"].items():
        _insert_capability(connection, tool_id, name, capability)
    return tool_id


def _insert_capability(
    connection: Connection, tool_id: int, name: str, capability: dict[str, Any]
) -> None:
    capability_id = connection.execute(
        insert(tool_capabilities)
        .values(tool_id=tool_id, capability_name=name, description=capability["description"])
        .returning(tool_capabilities.c.id)
    ).scalar_one()
    rows = [
        {"capability_id": capability_id, "pattern_name": pattern_name, **pattern}
        for pattern_name, pattern in capability["patterns"].items()
    ]
    connection.execute(insert(tool_patterns), rows)


def change_state(
    connection: Connection, author: Author, ids: Iterable[int], values: Mapping[str, Any]
) -> None:
    """Change columns that are state, not content (status, enabled, deleted_at)."""
    connection.execute(
        update(tools)
        .where(tools.c.id.in_(list(ids)))
        .values(**values, updated_at=func.now(), updated_by=author.actor)
    )


def channels_of(connection: Connection, name: ToolName) -> dict[str, int]:
    """The version that each channel of a tool points at."""
    found = connection.execute(
        select(tool_channels.c.channel, tool_channels.c.tool_id).filter_by(**_channel_key(name))
    )
    return {row.channel: row.tool_id for row in found}


def move_channel(
    connection: Connection, author: Author, name: ToolName, channel: str, tool_id: int | None
) -> None:
    """Point a channel at a version, or at none."""
    key = {**_channel_key(name), "channel": channel}
    if tool_id is None:
        connection.execute(tool_channels.delete().filter_by(**key))
    else:
        statement = insert(tool_channels).values(**key, tool_id=tool_id, moved_by=author.actor)
        moved = {"tool_id": tool_id, "moved_by": author.actor, "moved_at": func.now()}
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=moved))
    if channel == "latest":
        _mark_latest(connection, name, tool_id)


def point_first(connection: Connection, author: Author, name: ToolName, tool_id: int) -> None:
    """Point `latest` and `stable` at the only version that a tool has."""
    key = _channel_key(name)
    rows = [
        {**key, "channel": channel, "tool_id": tool_id, "moved_by": author.actor}
        for channel in ("latest", "stable")
    ]
    connection.execute(insert(tool_channels), rows)
    connection.execute(update(tools).where(tools.c.id == tool_id).values(is_latest=True))


def _mark_latest(connection: Connection, name: ToolName, tool_id: int | None) -> None:
    of_tool = (
        (tools.c.tenant == name.tenant)
        & (tools.c.platform == name.platform)
        & (func.lower(tools.c.tool_name) == name.tool_name.lower())
    )
    connection.execute(update(tools).where(of_tool, tools.c.is_latest).values(is_latest=False))
    if tool_id is not None:
        connection.execute(update(tools).where(tools.c.id == tool_id).values(is_latest=True))


def _channel_key(name: ToolName) -> dict[str, str]:
    return {
        "tenant": name.tenant,
        "platform": name.platform,
        "tool_key": name.tool_name.lower(),
    }


def spec_of(connection: Connection, tool_id: int) -> ToolSpec:
    """What a person wrote as this version."""
    found = connection.execute(select(tools.c.spec).where(tools.c.id == tool_id)).scalar_one()
    return ToolSpec.model_validate(found)
