"""Statements on what was imported from which file, in the caller's transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.catalog.audit import Author
from tool_catalog_pipelines.db.schema import import_files


@dataclass(frozen=True, slots=True)
class Imported:
    """One thing that came from one file."""

    file: str
    entity_type: str
    entity_key: str


def find(connection: Connection, tenant: str, imported: Imported) -> str | None:
    """Hash of the content last imported, or None."""
    statement = select(import_files.c.content_hash).filter_by(tenant=tenant, **asdict(imported))
    return connection.execute(statement).scalar_one_or_none()


def remember(connection: Connection, author: Author, imported: Imported, digest: str) -> None:
    """Store the hash of the content just imported."""
    values = {"content_hash": digest, "imported_by": author.actor}
    key = {"tenant": author.tenant, **asdict(imported)}
    connection.execute(
        insert(import_files)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_={**values, "imported_at": func.now()})
    )
