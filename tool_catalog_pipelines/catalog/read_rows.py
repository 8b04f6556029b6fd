"""Statements that read tool versions as records, in the caller's transaction.

One statement reads a version whole: its state, channels, content and current estimates. Does not
belong here: statements that change anything (tool_rows.py), the history of a tool (history.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, text

from tool_catalog_pipelines.catalog.records import CatalogTool, ToolHeader
from tool_catalog_pipelines.catalog.snapshot import ToolKey
from tool_catalog_pipelines.spec.base import ToolRef

# Statements are made once: SQLAlchemy would read their text for parameters at every call.
_ALL = text("""
SELECT id, tenant, platform, tool_name, version, status, enabled, environments, channels,
    content::text AS raw
FROM tool_catalog.catalog_tools
ORDER BY id
""")
_OF_KEYS = text("""
SELECT v.id, v.tenant, v.platform, v.tool_name, v.version, v.status, v.enabled, v.environments,
    v.channels, v.content::text AS raw
FROM tool_catalog.catalog_tools AS v
WHERE (v.tenant, v.platform, v.tool_key) IN (
    SELECT k.tenant, k.platform, k.name
    FROM unnest(
        CAST(:tenants AS text[]), CAST(:platforms AS text[]), CAST(:names AS text[])
    ) AS k (tenant, platform, name)
)
ORDER BY v.id
""")
_OF_IDS = text("""
SELECT v.id, v.tenant, v.platform, v.tool_name, v.version, v.status, v.enabled, v.environments,
    v.channels, v.content::text AS raw
FROM tool_catalog.catalog_tools AS v
WHERE v.id = ANY(:ids)
""")
_OF_NAME = text("""
SELECT v.id, v.tenant, v.platform, v.tool_name, v.version, v.status, v.enabled, v.environments,
    v.channels, v.content::text AS raw
FROM tool_catalog.catalog_tools AS v
WHERE v.tool_key = :name AND v.tenant IN (:tenant, 'shared')
""")
_OF_REFERENCE = text("""
SELECT v.id, v.tenant, v.platform, v.tool_name, v.version, v.status, v.enabled, v.environments,
    v.channels, v.content::text AS raw
FROM tool_catalog.catalog_tools AS v
WHERE v.tool_key = :name AND v.tenant IN (:tenant, 'shared')
    AND (v.version = :at OR v.id IN (
        SELECT c.tool_id FROM tool_catalog.tool_channels AS c
        WHERE c.tool_key = :name AND c.channel = :at
    ))
""")
_OF_CAPABILITY = text("""
SELECT v.id, v.tenant, v.platform, v.tool_name, v.version, v.status, v.enabled, v.environments,
    v.channels, v.content::text AS raw
FROM tool_catalog.catalog_tools AS v
WHERE v.tenant IN (:tenant, 'shared') AND v.is_latest AND v.enabled AND v.status = 'active'
    AND v.id IN (
        SELECT c.tool_id FROM tool_catalog.tool_capabilities AS c WHERE c.capability_name = :name
    )
ORDER BY v.platform, v.tool_key
""")
_DELETED = """
SELECT d.tenant, d.platform, lower(d.tool_name)
FROM tool_catalog.tools AS d
WHERE d.deleted_at IS NOT NULL {restricted} AND NOT EXISTS (
    SELECT 1 FROM tool_catalog.tools AS t
    WHERE t.tenant = d.tenant AND t.platform = d.platform
        AND lower(t.tool_name) = lower(d.tool_name) AND t.deleted_at IS NULL
)
GROUP BY 1, 2, 3
"""
_ALL_DELETED = text(_DELETED.format(restricted=""))
_DELETED_OF_NAMES = text(
    _DELETED.format(restricted="AND lower(d.tool_name) = ANY (CAST(:names AS text[]))")
)


def every_version(connection: Connection) -> tuple[CatalogTool, ...]:
    """Every version of every tool of every tenant that is not deleted."""
    return _tools(connection, _ALL, {})


def versions_of_keys(connection: Connection, keys: Collection[ToolKey]) -> tuple[CatalogTool, ...]:
    """Every version of the tools with these keys."""
    tenants, platforms, names = zip(*keys, strict=True) if keys else ((), (), ())
    given = {"tenants": list(tenants), "platforms": list(platforms), "names": list(names)}
    return _tools(connection, _OF_KEYS, given)


def versions_with_ids(connection: Connection, ids: Collection[int]) -> dict[int, CatalogTool]:
    """The versions with these row numbers, by number."""
    found = _tools(connection, _OF_IDS, {"ids": list(ids)})
    return {tool.tool_id: tool for tool in found if tool.tool_id is not None}


def deleted_keys(
    connection: Connection, keys: Collection[ToolKey] | None = None
) -> frozenset[ToolKey]:
    """The tools of which every version is deleted: all of them, or those among the keys."""
    if keys is None:
        found = connection.execute(_ALL_DELETED)
    else:
        found = connection.execute(_DELETED_OF_NAMES, {"names": [name for _, _, name in keys]})
    deleted = frozenset((tenant, platform, name) for tenant, platform, name in found)
    return deleted if keys is None else deleted.intersection(keys)


def versions_named(connection: Connection, ref: ToolRef, tenant: str) -> tuple[CatalogTool, ...]:
    """Every version of the tools of that name, on all platforms."""
    given = {"name": ref.name.lower(), "tenant": tenant}
    return _tools(connection, _OF_NAME, given)


def versions_at(connection: Connection, ref: ToolRef, tenant: str) -> tuple[CatalogTool, ...]:
    """The version that a reference names, on every platform and in every tenant that has it."""
    given = {"name": ref.name.lower(), "tenant": tenant, "at": ref.at or "latest"}
    return _tools(connection, _OF_REFERENCE, given)


def latest_with_capability(
    connection: Connection, capability: str, tenant: str
) -> tuple[CatalogTool, ...]:
    """The latest usable version of every tool that has a capability."""
    given = {"name": capability, "tenant": tenant}
    return _tools(connection, _OF_CAPABILITY, given)


def _tools(
    connection: Connection, statement: TextClause, given: Mapping[str, Any]
) -> tuple[CatalogTool, ...]:
    return tuple(_tool(row) for row in connection.execute(statement, given).mappings())


def _tool(row: RowMapping) -> CatalogTool:
    header = ToolHeader(
        tenant=row["tenant"],
        platform=row["platform"],
        tool_name=row["tool_name"],
        version=row["version"],
        tool_id=row["id"],
        status=row["status"],
        enabled=row["enabled"],
        environments=tuple(row["environments"]),
        channels=frozenset(row["channels"]),
    )
    return CatalogTool(header, row["raw"].encode())
