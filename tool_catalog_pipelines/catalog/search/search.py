"""Answering questions: by words, by meaning, merged by reciprocal rank.

Score of a hit: the sum of 1 / (60 + rank) over both rankings (Cormack, Clarke and Buettcher, 2009,
"Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods"). Does not
belong here: keeping the index (index.py), the statements (statements.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, TextClause

from tool_catalog_pipelines.catalog import read_rows
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.search import statements
from tool_catalog_pipelines.catalog.search.document import document_of
from tool_catalog_pipelines.catalog.search.embedding import Embedder, Vector, find_embedder
from tool_catalog_pipelines.catalog.search.explanation import Reasons, reasons_of
from tool_catalog_pipelines.catalog.search.index import Progress, refresh_index
from tool_catalog_pipelines.catalog.search.question import DEEPEST, Filters, Question
from tool_catalog_pipelines.catalog.search.spelling import corrections, deletions
from tool_catalog_pipelines.catalog.search.vectors import as_text, cosines, kind_of_vectors
from tool_catalog_pipelines.catalog.search.words import (
    MAX_QUESTION_CHARACTERS,
    STOP_WORDS,
    words_of,
)
from tool_catalog_pipelines.catalog.store import CatalogStore
from tool_catalog_pipelines.settings import Settings

RANK_OFFSET = 60
LEAST_SIMILARITY = 0.03
"""Below it two texts have nothing but chance in common (docs/guides/search.md)."""
Ranking = Mapping[int, tuple[int, float]]
"""Rank, counted from 1, and score by row of the tool."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A tool that was found, its score, and why."""

    tool: CatalogTool
    score: float
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Page:
    """One page of hits.

    Attributes:
        found: how many hits there are on all pages.
        corrections: words that no tool has, with those that were looked for as well.
        searched: where nothing was found, how many tools the filters leave.
    """

    hits: tuple[Hit, ...]
    found: int
    page: int
    corrections: Mapping[str, tuple[str, ...]]
    searched: int | None = None


class ToolSearch:
    """Search as one tenant in one environment."""

    def __init__(self, engine: Engine, settings: Settings, store: CatalogStore) -> None:
        self._engine = engine
        self._settings = settings
        self._store = store

    @cached_property
    def embedder(self) -> Embedder:
        """What makes vectors here."""
        return find_embedder(self._settings.embedder)

    def refresh(self, progress: Progress | None = None) -> int:
        """Let the index catch up with the catalogue; returns how many tools were read."""
        return refresh_index(self._engine, self.embedder, progress)

    def find(self, question: Question) -> Page:
        """The hits of a question, best first. Without telling words, every tool by name."""
        self.refresh()
        with self._store.reading() as connection:
            return self._find(connection, question)

    def related(self, tool: CatalogTool, count: int = 10) -> tuple[Hit, ...]:
        """The tools whose meaning is most like that of a tool, best first."""
        self.refresh()
        document = document_of(tool)
        with self._store.reading() as connection:
            (own,) = self.embedder.embed([document.parts])
            ranks = self._by_meaning(connection, Filters(), own)
            ids = list(ranks)[: count + 1]
            tools = read_rows.versions_with_ids(connection, ids)
        hits = [
            Hit(tools[i], ranks[i][1], _in_common(document.capabilities, tools[i], ranks[i][1]))
            for i in ids
            if tools[i].header.key != tool.header.key
        ]
        return tuple(hits[:count])

    def _find(self, connection: Connection, question: Question) -> Page:
        given = self._given(question.filters)
        words = question.words
        fixed = _corrected(connection, words)
        by_words: Ranking = {}
        by_meaning: Ranking = {}
        if words:
            by_words = _ranking(connection, statements.BY_WORDS, {**given, **_asked(words, fixed)})
            vector = self._vector(question.text, fixed)
            by_meaning = self._by_meaning(connection, question.filters, vector)
            scores = fused(by_words, by_meaning)
        else:
            listed = connection.execute(statements.WITHOUT_WORDS, given).scalars()
            scores = dict.fromkeys(listed, 0.0)
        start = (question.page - 1) * question.per_page
        ids = list(scores)[start : start + question.per_page]
        tools = read_rows.versions_with_ids(connection, ids)
        hits = [
            Hit(
                tools[i],
                scores[i],
                reasons_of(tools[i], words, fixed, by_words.get(i), by_meaning.get(i)),
            )
            for i in ids
        ]
        searched = None if scores else int(connection.execute(statements.COUNT, given).scalar_one())
        return Page(tuple(hits), len(scores), question.page, fixed, searched)

    def _given(self, filters: Filters) -> dict[str, Any]:
        own = {"tenant": self._settings.tenant, "environment": self._settings.environment}
        return {**own, "deepest": DEEPEST, **filters.parameters}

    def _vector(self, question: str, fixed: Mapping[str, tuple[str, ...]]) -> Vector:
        """The meaning of the whole question: words that say nothing alone are part of phrases."""
        words = words_of(question[:MAX_QUESTION_CHARACTERS])
        told = [text for word in words for text in fixed.get(word, (word,))]
        return self.embedder.embed([[(1.0, " ".join(told))]])[0]

    def _by_meaning(self, connection: Connection, filters: Filters, vector: Vector) -> Ranking:
        if not vector:
            return {}
        given = self._given(filters)
        kind = kind_of_vectors(connection)
        if kind == "bytea":
            ranking = _compared_here(connection, given, vector)
        else:
            given["vector"] = as_text(vector, self.embedder)
            ranking = _nearest(connection, kind, given)
        return {i: found for i, found in ranking.items() if found[1] >= LEAST_SIMILARITY}


def fused(*rankings: Ranking) -> dict[int, float]:
    """Score by tool, best first; equal scores keep the order of the first ranking."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for tool_id, (rank, _) in ranking.items():
            scores[tool_id] = scores.get(tool_id, 0.0) + 1 / (RANK_OFFSET + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def _in_common(capabilities: Sequence[str], other: CatalogTool, similarity: float) -> Reasons:
    both = set(capabilities) & set(document_of(other).capabilities)
    return Reasons(capabilities=tuple(sorted(both)), similarity=round(similarity, 3))


def _ranking(connection: Connection, statement: TextClause, given: Mapping[str, Any]) -> Ranking:
    rows = connection.execute(statement, given).all()
    return {row[0]: (rank, float(row[1])) for rank, row in enumerate(rows, start=1)}


def _nearest(connection: Connection, kind: str, given: Mapping[str, Any]) -> Ranking:
    """The nearest of those that are seen; exact, whatever the filters leave over."""
    reach = 2 * DEEPEST
    found = _ranking(connection, statements.NEAREST[kind], {**given, "reach": reach})
    if len(found) >= DEEPEST:
        return found
    return _ranking(connection, statements.NEAREST_OF_SEEN[kind], given)


def _asked(words: Sequence[str], fixed: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Any of the words, and any word that a mistaken one may have meant.

    Words hold letters and digits only, so that nothing in them can be an operator. PostgreSQL's
    English knows no words like `who`, which may be the name of a tool, so it is asked plainly
    where there are no others.
    """
    asked = [text for word in words for text in (word, *fixed.get(word, ()))]
    config = "simple" if set(words) <= STOP_WORDS else "english"
    return {"config": config, "asked": " | ".join(asked)}


def _corrected(connection: Connection, words: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    texts = sorted(set[str]().union(*(deletions(word) for word in words)))
    rows = connection.execute(statements.NEIGHBOURS, {"deletions": texts}).all()
    return corrections(words, [(row[0], row[1]) for row in rows])


def _compared_here(connection: Connection, given: Mapping[str, Any], vector: Vector) -> Ranking:
    """Cosines computed in this process, for a database without pgvector."""
    rows = connection.execute(statements.EVERY_VECTOR, given).all()
    scores = cosines(vector, [row[1] for row in rows])
    pairs = zip(scores, (int(row[0]) for row in rows), strict=True)
    best = sorted(pairs, key=lambda found: (-found[0], found[1]))[:DEEPEST]
    return {i: (rank, score) for rank, (score, i) in enumerate(best, start=1)}
