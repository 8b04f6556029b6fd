"""The search index: follows the catalogue, made anew when the embedder or the catalogue changes.

One process updates it at a time. A document is a version that somebody sees as the latest of its
tool. Does not belong here: questions (search.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, text

from tool_catalog_pipelines.catalog import feed, read_rows
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.search.document import ToolDocument, document_of
from tool_catalog_pipelines.catalog.search.embedding import Embedder
from tool_catalog_pipelines.catalog.search.spelling import deletions
from tool_catalog_pipelines.catalog.search.vectors import add_vectors, make_vectors
from tool_catalog_pipelines.catalog.snapshot import ToolKey, at_channel
from tool_catalog_pipelines.db.schema import search_documents, search_words

BATCH = 500
ELSEWHERE = "*"
"""Stands for every environment that no version of a tool names."""
_TURN = 0x7365617263680001  # advisory lock: "search" in ASCII, then a number
Progress = Callable[[int, int], None]
"""Told how many tools are done, of how many."""

_STATE = text("""
SELECT s.catalog_id::text, s.revision, s.embedder, c.catalog_id = s.catalog_id AS is_same,
    c.revision AS now
FROM tool_catalog.search_state AS s, tool_catalog.catalog_revision AS c
""")
_KEYS = text("""
SELECT DISTINCT tenant, platform, lower(tool_name) FROM tool_catalog.tools
WHERE deleted_at IS NULL ORDER BY 1, 2, 3
""")
_REMOVE = text("""
DELETE FROM tool_catalog.search_documents AS d
USING unnest(CAST(:tenants AS text[]), CAST(:platforms AS text[]), CAST(:names AS text[]))
    AS k (tenant, platform, name)
WHERE (d.tenant, d.platform, d.tool_key) = (k.tenant, k.platform, k.name)
""")
_ADD = text("""
INSERT INTO tool_catalog.search_documents (
    tool_id, tenant, platform, tool_key, state, category, owner, tags, capabilities, shown_in,
    named_environments, words
) VALUES (
    :tool_id, :tenant, :platform, :tool_key, :state, :category, :owner, :tags, :capabilities,
    :shown_in, :named,
    setweight(to_tsvector('simple', :a), 'A') || setweight(to_tsvector('english', :a), 'A')
    || setweight(to_tsvector('english', :b), 'B') || setweight(to_tsvector('english', :c), 'C')
    || setweight(to_tsvector('english', :d), 'D')
)
""")
_ADD_WORDS = text("""
INSERT INTO tool_catalog.search_words (deletion, word)
SELECT * FROM unnest(CAST(:deletions AS text[]), CAST(:words AS text[]))
ON CONFLICT DO NOTHING
""")


def refresh_index(engine: Engine, embedder: Embedder, progress: Progress | None = None) -> int:
    """Let the index catch up with the catalogue; returns how many tools were read.

    Cheap when nothing changed: one statement.
    """
    with engine.connect() as connection:
        if _is_current(connection, embedder):
            return 0
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN})
        place = _place(connection, embedder)
        changes = feed.changes_since(connection, place)
        keys = sorted(changes.keys) if changes.keys is not None else None
        if keys is None:
            keys = _start_anew(connection, embedder)
        done = 0
        for batch in _batches(keys, BATCH):
            _replace(connection, batch, embedder)
            done += len(batch)
            if progress is not None:
                progress(done, len(keys))
        if done > BATCH:
            _tell_planner(connection)
        _note_state(connection, changes.place, embedder)
    return done


def _is_current(connection: Connection, embedder: Embedder) -> bool:
    row = connection.execute(_STATE).one_or_none()
    return row is not None and (row.embedder, row.is_same, row.now) == (
        embedder.name,
        True,
        row.revision,
    )


def _place(connection: Connection, embedder: Embedder) -> feed.Place | None:
    """What the index shows; None if it has to be made anew."""
    row = connection.execute(_STATE).one_or_none()
    if row is None or row.embedder != embedder.name:
        return None
    return feed.Place(row.catalog_id, row.revision)


def _start_anew(connection: Connection, embedder: Embedder) -> list[ToolKey]:
    connection.execute(search_documents.delete())
    connection.execute(search_words.delete())
    make_vectors(connection, embedder)
    return [(row[0], row[1], row[2]) for row in connection.execute(_KEYS)]


def _tell_planner(connection: Connection) -> None:
    """Without statistics the first searches after a large change would be planned badly."""
    tables = ("search_documents", "search_vectors", "search_words")
    names = ", ".join(f"tool_catalog.{table}" for table in tables)
    connection.execute(text(f"ANALYZE {names}"))


def _note_state(connection: Connection, place: feed.Place, embedder: Embedder) -> None:
    connection.execute(text("DELETE FROM tool_catalog.search_state"))
    connection.execute(
        text("INSERT INTO tool_catalog.search_state VALUES (CAST(:id AS uuid), :revision, :name)"),
        {"id": place.catalog_id, "revision": place.revision, "name": embedder.name},
    )


def _replace(connection: Connection, keys: Sequence[ToolKey], embedder: Embedder) -> None:
    """Documents of these tools as the catalogue has them now; none for those that are gone."""
    tenants, platforms, names = (list(column) for column in zip(*keys, strict=True))
    connection.execute(_REMOVE, {"tenants": tenants, "platforms": platforms, "names": names})
    shown = list(_shown(read_rows.versions_of_keys(connection, keys)))
    if not shown:
        return
    vectors = embedder.embed([one.document.parts for one in shown])
    rows = [one.row() for one in shown]
    connection.execute(_ADD, rows)
    ids = [int(row["tool_id"]) for row in rows]
    add_vectors(connection, embedder, dict(zip(ids, vectors, strict=True)))
    _add_words(connection, {word for one in shown for word in one.document.words})


def _add_words(connection: Connection, words: Iterable[str]) -> None:
    # In one order everywhere, so that two processes cannot wait for each other's rows.
    pairs = sorted((deletion, word) for word in words for deletion in deletions(word))
    connection.execute(
        _ADD_WORDS, {"deletions": [pair[0] for pair in pairs], "words": [pair[1] for pair in pairs]}
    )


class _Shown:
    """A version and the environments in which it is the latest of its tool."""

    def __init__(self, tool: CatalogTool, environments: list[str], named: list[str]) -> None:
        self.document: ToolDocument = document_of(tool)
        self._environments = environments
        self._named = named

    def row(self) -> dict[str, Any]:
        """The values of its row."""
        header, document = self.document.tool.header, self.document
        texts = {weight.lower(): text for weight, text in document.texts.items()}
        return {
            **texts,
            "tool_id": header.tool_id,
            "tenant": header.tenant,
            "platform": header.platform,
            "tool_key": header.tool_name.lower(),
            "state": header.status if header.enabled else "disabled",
            "category": document.category,
            "owner": document.owner,
            "tags": list(document.tags),
            "capabilities": list(document.capabilities),
            "shown_in": self._environments,
            "named": self._named,
        }


def _shown(versions: Iterable[CatalogTool]) -> Iterator[_Shown]:
    """What readers of each environment see as the latest version of each tool."""
    groups: dict[ToolKey, list[CatalogTool]] = {}
    for tool in sorted(versions, key=lambda tool: tool.header.sort_key()):
        groups.setdefault((tool.header.tenant, *tool.header.key), []).append(tool)
    for group in groups.values():
        named = sorted({name for tool in group for name in tool.header.environments})
        seen_as: dict[str, tuple[CatalogTool, list[str]]] = {}
        for environment in (*named, ELSEWHERE):
            visible = [tool for tool in group if tool.header.is_seen_in(environment)]
            if visible:
                latest = at_channel(visible, "latest") or visible[-1]
                seen_as.setdefault(latest.label, (latest, []))[1].append(environment)
        for tool, environments in seen_as.values():
            yield _Shown(tool, environments, named)


def _batches(keys: Sequence[ToolKey], size: int) -> Iterator[list[ToolKey]]:
    rest = iter(keys)
    while batch := list(islice(rest, size)):
        yield batch
