"""The audit entry and the revision of the catalogue: written in the transaction of the change.

Does not belong here: the changes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.db.schema import catalog_revision, tool_audit_log


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, in which tenant, and through what."""

    tenant: str
    actor: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened to which thing; `changes` lists field, old and new value."""

    entity_type: str
    entity_key: str
    action: str
    changes: Sequence[Mapping[str, Any]] = ()
    reason: str = ""


def record_change(connection: Connection, author: Author, entry: Entry) -> None:
    """Write the audit entry and count the revision up, in the caller's transaction."""
    connection.execute(
        insert(tool_audit_log).values(
            tenant=author.tenant,
            entity_type=entry.entity_type,
            entity_key=entry.entity_key,
            action=entry.action,
            changes=list(entry.changes),
            reason=entry.reason,
            origin=author.origin,
            changed_by=author.actor,
        )
    )
    first = insert(catalog_revision).values(id=1, revision=1)
    connection.execute(
        first.on_conflict_do_update(
            index_elements=[catalog_revision.c.id],
            set_={"revision": catalog_revision.c.revision + 1, "changed_at": func.now()},
        )
    )


def changed(field: str, old: object, new: object) -> dict[str, object]:
    """One line of an entry's changes."""
    return {"field": field, "old": old, "new": new}
