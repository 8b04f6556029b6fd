"""Who changed what and why: the audit entry, the revision and the notice, in one transaction.

Every change of the catalogue begins with `begin_change` and records itself with `record_change`.
Writers take turns on the row of the revision, so revisions become visible in their order and
without gaps: whoever has read revision n has seen every change up to n. Does not belong here: the
changes themselves, searching the log (history.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.db.schema import catalog_revision, tool_audit_log

CHANNEL = "tool_catalog_changed"
"""Name of the PostgreSQL notification; its payload is the revision."""


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
    changes: Sequence[Mapping[str, Any]] = field(default_factory=tuple[Mapping[str, Any]])
    reason: str = ""

    @property
    def subject(self) -> str:
        """The tool or experiment as a whole: the key without version and pattern, case folded."""
        return self.entity_key.partition("@")[0].lower()


def begin_change(connection: Connection) -> None:
    """Take the turn of a writer until the transaction ends; call before reading what changes."""
    connection.execute(select(catalog_revision.c.revision).with_for_update())


def record_change(connection: Connection, author: Author, entry: Entry) -> int:
    """Write the audit entry, count the revision up and tell the listeners; returns the revision.

    All changes of one transaction share a revision. The notice is delivered at commit.
    """
    revision = _revision_of_transaction(connection)
    connection.execute(
        insert(tool_audit_log).values(
            tenant=author.tenant,
            entity_type=entry.entity_type,
            entity_key=entry.entity_key,
            subject=entry.subject,
            action=entry.action,
            changes=list(entry.changes),
            reason=entry.reason,
            origin=author.origin,
            changed_by=author.actor,
            revision=revision,
        )
    )
    return revision


def _revision_of_transaction(connection: Connection) -> int:
    known: dict[Any, int] = connection.info.setdefault("catalog_revisions", {})
    transaction = connection.get_transaction()
    if transaction in known:
        return known[transaction]
    raised = (
        catalog_revision.update()
        .values(revision=catalog_revision.c.revision + 1, changed_at=func.now())
        .returning(catalog_revision.c.revision)
    )
    revision = connection.execute(raised).scalar_one()
    notify = text("SELECT pg_notify(:channel, :revision)")
    connection.execute(notify, {"channel": CHANNEL, "revision": str(revision)})
    known.clear()
    known[transaction] = revision
    return revision


def changed(name: str, old: object, new: object) -> dict[str, object]:
    """One line of an entry's changes."""
    return {"field": name, "old": old, "new": new}
