"""Statements on tool versions, capabilities, patterns and channels, in the caller's transaction.

Does not belong here: when a version is made (store.py), estimates (estimate_rows.py).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, text, update
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


def lock_tool(connection: Connection, tenant: str, spec: ToolSpec) -> None:
    """Let nobody else change this tool until the transaction ends."""
    key = f"{tenant}/{spec.platform}/{spec.tool_name.lower()}"
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key}
    )


def versions_of(connection: Connection, tenant: str, spec: ToolSpec) -> list[RowMapping]:
    """Every version of a tool: id, version, content_hash, status, is_latest."""
    columns = (tools.c.id, tools.c.version, tools.c.content_hash, tools.c.status, tools.c.is_latest)
    found = connection.execute(
        select(*columns)
        .where(tools.c.tenant == tenant, tools.c.platform == spec.platform)
        .where(func.lower(tools.c.tool_name) == spec.tool_name.lower())
    )
    return list(found.mappings())


def insert_version(
    connection: Connection,
    author: Author,
    spec: ToolSpec,
    original_version: str,
    content_hash: str,
    parent_id: int | None,
    environment: str,
) -> int:
    """Insert one immutable version with its capabilities and patterns; returns its id."""
    document = spec.model_dump(mode="json", by_alias=True)
    tool_id = connection.execute(
        insert(tools)
        .values(
            tenant=author.tenant,
            platform=spec.platform,
            tool_name=spec.tool_name,
            version=spec.version,
            original_version=original_version,
            status=spec.status,
            enabled=spec.enabled,
            category=spec.category,
            description=spec.description,
            defaults=document["defaults"],
            dependencies=document["dependencies"],
            metadata=document["metadata"],
            content_hash=content_hash,
            spec=document,
            parent_version_id=parent_id,
            environment=environment,
            created_by=author.actor,
            updated_by=author.actor,
        )
        .returning(tools.c.id)
    ).scalar_one()
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


def move_channel(
    connection: Connection, author: Author, spec: ToolSpec, channel: str, tool_id: int
) -> int | None:
    """Point a channel at a version; returns the version it pointed at before."""
    key = {
        "tenant": author.tenant,
        "platform": spec.platform,
        "tool_key": spec.tool_name.lower(),
        "channel": channel,
    }
    before = connection.execute(
        select(tool_channels.c.tool_id).filter_by(**key)
    ).scalar_one_or_none()
    statement = insert(tool_channels).values(**key, tool_id=tool_id, moved_by=author.actor)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_={"tool_id": tool_id, "moved_by": author.actor, "moved_at": func.now()},
        )
    )
    if channel == "latest":
        _mark_latest(connection, author, spec, tool_id)
    return before


def _mark_latest(connection: Connection, author: Author, spec: ToolSpec, tool_id: int) -> None:
    of_tool = (
        (tools.c.tenant == author.tenant)
        & (tools.c.platform == spec.platform)
        & (func.lower(tools.c.tool_name) == spec.tool_name.lower())
    )
    connection.execute(update(tools).where(of_tool, tools.c.is_latest).values(is_latest=False))
    connection.execute(update(tools).where(tools.c.id == tool_id).values(is_latest=True))


def newest_active(versions: list[RowMapping]) -> RowMapping | None:
    """The version that `latest` should mean."""
    active = [row for row in versions if row["status"] == "active"]
    return max(active, key=lambda row: order_key(row["version"]), default=None)
