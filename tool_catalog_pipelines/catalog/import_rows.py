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


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a file led to when it was last imported."""

    content_hash: str
    tool_id: int | None


def find(connection: Connection, tenant: str, imported: Imported) -> Remembered | None:
    """What the last import of this file led to, or None."""
    statement = select(import_files.c.content_hash, import_files.c.tool_id)
    row = connection.execute(statement.filter_by(tenant=tenant, **asdict(imported))).one_or_none()
    return Remembered(*row) if row is not None else None


def digests(connection: Connection, tenant: str) -> dict[Imported, str]:
    """Hash of the content last imported, of every file."""
    columns = (
        import_files.c.file,
        import_files.c.entity_type,
        import_files.c.entity_key,
        import_files.c.content_hash,
    )
    rows = connection.execute(select(*columns).where(import_files.c.tenant == tenant))
    return {Imported(file, kind, key): digest for file, kind, key, digest in rows}


def remember(
    connection: Connection, author: Author, imported: Imported, led_to: Remembered
) -> None:
    """Store what a file has just led to."""
    values = {**asdict(led_to), "imported_by": author.actor}
    key = {"tenant": author.tenant, **asdict(imported)}
    connection.execute(
        insert(import_files)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_={**values, "imported_at": func.now()})
    )
