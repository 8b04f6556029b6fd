"""What changed since a revision: the audit log read as a feed.

Together with the turns that writers take (audit.py) this makes following the catalogue exact:
whoever applies all changes up to revision n holds the catalogue of revision n.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from tool_catalog_pipelines.catalog.snapshot import ToolKey
from tool_catalog_pipelines.db.schema import catalog_revision, tool_audit_log

MAX_FOLLOWED = 2000
"""Beyond so many changes it is cheaper to read the catalogue anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point in the history of one catalogue."""

    catalog_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Tools that changed up to a place; `keys` is None when everything must be read."""

    place: Place
    keys: frozenset[ToolKey] | None


def current_place(connection: Connection) -> Place:
    """Where the catalogue stands; revision 0 before the first change."""
    columns = (catalog_revision.c.catalog_id, catalog_revision.c.revision)
    catalog_id, revision = connection.execute(select(*columns)).one()
    return Place(str(catalog_id), revision)


def changes_since(connection: Connection, place: Place | None) -> Changes:
    """The tools that changed after a place."""
    now = current_place(connection)
    if place is None or place.catalog_id != now.catalog_id or place.revision > now.revision:
        return Changes(now, None)
    entries = connection.execute(
        select(tool_audit_log.c.tenant, tool_audit_log.c.entity_type, tool_audit_log.c.subject)
        .where(tool_audit_log.c.revision > place.revision)
        .distinct()
        .limit(MAX_FOLLOWED + 1)
    ).all()
    if len(entries) > MAX_FOLLOWED:
        return Changes(now, None)
    keys: set[ToolKey] = set()
    for tenant, entity_type, subject in entries:
        if entity_type != "experiment":
            platform, _, name = subject.partition("/")
            keys.add((tenant, platform, name))
    return Changes(now, frozenset(keys))
