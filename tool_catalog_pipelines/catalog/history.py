"""Reading what happened: the audit log, the versions of a tool, the history of its estimates.

Does not belong here: writing the log (audit.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, or_, select

from tool_catalog_pipelines.catalog.records import SHARED
from tool_catalog_pipelines.catalog.tool_rows import ToolName, channels_of, versions_of
from tool_catalog_pipelines.db.schema import tool_audit_log, tools

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries are wanted; what is None does not restrict.

    `text` is searched in keys, reasons, origins and changed values, without regard to case.
    `revisions` are those after the first, up to the second; `origin` is the exact one.
    """

    tenant: str
    subject: str | None = None
    action: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    revisions: tuple[int, int] | None = None
    origin: str | None = None


def entries(
    connection: Connection, query: AuditQuery, limit: int | None = None
) -> Iterator[Mapping[str, Any]]:
    """Entries, newest first, read in bounded pieces."""
    log = tool_audit_log.c
    columns = (
        log.id,
        log.changed_at,
        log.tenant,
        log.changed_by,
        log.action,
        log.entity_type,
        log.entity_key,
        log.changes,
        log.reason,
        log.origin,
        log.revision,
    )
    wanted = and_(*_conditions(query))
    statement = select(*columns).where(wanted).order_by(log.id.desc()).limit(limit)
    found = connection.execution_options(yield_per=_AT_ONCE).execute(statement)
    for row in found.mappings():
        yield dict(row)


def _conditions(query: AuditQuery) -> Iterator[ColumnElement[bool]]:
    log = tool_audit_log.c
    yield log.tenant.in_((query.tenant, SHARED))
    if query.action is not None:
        yield log.action == query.action
    if query.actor is not None:
        yield log.changed_by == query.actor
    if query.subject is not None:
        wanted = query.subject.lower()
        yield or_(log.subject == wanted, log.subject.endswith(f"/{wanted}", autoescape=True))
    if query.since is not None:
        yield log.changed_at >= query.since
    if query.until is not None:
        yield log.changed_at < query.until
    if query.origin is not None:
        yield log.origin == query.origin
    if query.revisions is not None:
        after, up_to = query.revisions
        yield and_(log.revision > after, log.revision <= up_to)
    if query.text is not None:
        texts = (log.entity_key, log.reason, log.origin, cast(log.changes, Text))
        yield or_(*(column.icontains(query.text, autoescape=True) for column in texts))


def versions(connection: Connection, name: ToolName) -> list[dict[str, Any]]:
    """Every version of a tool, newest first, with its state and where it came from."""
    channels: dict[int, list[str]] = {}
    for channel, tool_id in channels_of(connection, name).items():
        channels.setdefault(tool_id, []).append(channel)
    rows = versions_of(connection, name)
    columns = (
        tools.c.id,
        tools.c.parent_version_id,
        tools.c.created_at,
        tools.c.created_by,
    )
    ids = [row.id for row in rows]
    origins = {
        row.id: row for row in connection.execute(select(*columns).where(tools.c.id.in_(ids)))
    }
    numbers = {row.id: row.version for row in rows}
    return [
        {
            "version": row.version,
            "status": "deleted" if row.is_deleted else row.status,
            "enabled": row.enabled,
            "channels": sorted(channels.get(row.id, ())),
            "parent": numbers.get(origins[row.id].parent_version_id),
            "created_at": origins[row.id].created_at,
            "created_by": origins[row.id].created_by,
            "content": row.content_hash[:12],
        }
        for row in reversed(rows)
    ]
