"""Nearest vectors: by pgvector where the database has it, else compared in this process.

Exact in both cases: at ten thousand tools a scan is fast enough, and an approximate index would
lose tools that filters leave over. Does not belong here: making vectors (embedding.py).
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError


def has_vectors(connection: Connection) -> bool:
    """Whether the table of vectors exists."""
    found = connection.execute(text("SELECT to_regclass('tool_catalog.search_vectors')"))
    return found.scalar() is not None


def make_vectors(connection: Connection, dimensions: int) -> bool:
    """Make the table of vectors anew; False where there is no pgvector and we may not add it."""
    connection.execute(text("DROP TABLE IF EXISTS tool_catalog.search_vectors"))
    if not _has_extension(connection):
        return False
    connection.execute(
        text(
            "CREATE TABLE tool_catalog.search_vectors ("
            " tool_id bigint PRIMARY KEY"
            " REFERENCES tool_catalog.search_documents (tool_id) ON DELETE CASCADE,"
            f" embedding vector({int(dimensions)}) NOT NULL)"
        )
    )
    return True


def _has_extension(connection: Connection) -> bool:
    if _is_usable(connection):
        return True
    is_available = text("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
    if not connection.execute(is_available).scalar():
        return False
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION vector"))
    except DBAPIError:
        return False  # only some roles may; whoever may can add it, the next rebuild finds it
    return _is_usable(connection)


def _is_usable(connection: Connection) -> bool:
    """Whether its type is found without naming a schema, as every statement here expects."""
    return connection.execute(text("SELECT to_regtype('vector')")).scalar() is not None
