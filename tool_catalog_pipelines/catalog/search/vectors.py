"""Nearest vectors: by pgvector where the database has it, else compared in this process.

Exact in both cases: at ten thousand tools a scan is fast enough, and an approximate index would
lose tools that filters leave over. Does not belong here: making vectors (embedding.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Literal, cast

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tool_catalog_pipelines.catalog.search.embedding import Embedder, Vector

Kind = Literal["sparsevec", "vector", "bytea"]
"""How vectors are kept; `bytea` without pgvector."""


def kind_of_vectors(connection: Connection) -> Kind:
    """How the index keeps its vectors."""
    query = text(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = 'tool_catalog.search_vectors'::regclass AND attname = 'embedding'"
    )
    return cast("Kind", connection.execute(query).scalar_one())


def make_vectors(connection: Connection, embedder: Embedder) -> None:
    """Make the table of vectors anew, for pgvector if it is there or we may add it."""
    connection.execute(text("DROP TABLE IF EXISTS tool_catalog.search_vectors"))
    kind = "bytea"
    if _has_extension(connection):
        kind = "sparsevec" if embedder.is_sparse else "vector"
        kind += f"({int(embedder.dimensions)})"
    connection.execute(
        text(
            "CREATE TABLE tool_catalog.search_vectors (tool_id bigint PRIMARY KEY"
            " REFERENCES tool_catalog.search_documents (tool_id) ON DELETE CASCADE,"
            f" embedding {kind} NOT NULL)"
        )
    )


def add_vectors(connection: Connection, embedder: Embedder, vectors: Mapping[int, Vector]) -> None:
    """Add the vectors of tools, by row of the tool."""
    is_plain = kind_of_vectors(connection) == "bytea"
    statement = text(
        "INSERT INTO tool_catalog.search_vectors (tool_id, embedding) VALUES (:tool_id, :embedding)"
    )
    rows = [
        {
            "tool_id": tool_id,
            "embedding": as_bytes(vector) if is_plain else as_text(vector, embedder),
        }
        for tool_id, vector in vectors.items()
    ]
    connection.execute(statement, rows)


def as_text(vector: Vector, embedder: Embedder) -> str:
    """A vector as pgvector reads it; in sparse ones it counts dimensions from 1."""
    if embedder.is_sparse:
        numbers = ",".join(f"{place + 1}:{number:.6g}" for place, number in vector.items())
        return f"{{{numbers}}}/{embedder.dimensions}"
    dense = (f"{vector.get(place, 0.0):.6g}" for place in range(embedder.dimensions))
    return f"[{','.join(dense)}]"


def as_bytes(vector: Vector) -> bytes:
    """A vector as it is kept without pgvector: all dimensions, then all numbers."""
    places, numbers = array("I", vector.keys()), array("f", vector.values())
    return places.tobytes() + numbers.tobytes()


def cosines(vector: Vector, kept: Sequence[bytes]) -> list[float]:
    """The cosine of a vector with each that `as_bytes` made."""
    import numpy as np

    asked = np.array(sorted(vector), dtype=np.uint32)
    if not asked.size:
        return [0.0] * len(kept)
    weights = np.array([vector[int(place)] for place in asked], dtype=np.float32)
    found: list[float] = []
    for data in kept:
        half = len(data) // 2
        places = np.frombuffer(data[:half], dtype=np.uint32)
        numbers = np.frombuffer(data[half:], dtype=np.float32)
        at = np.minimum(np.searchsorted(asked, places), asked.size - 1)
        found.append(float(np.sum(np.where(asked[at] == places, weights[at] * numbers, 0))))
    return found


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
    return connection.execute(text("SELECT to_regtype('sparsevec')")).scalar() is not None
