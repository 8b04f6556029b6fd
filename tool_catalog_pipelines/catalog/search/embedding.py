"""Texts -> vectors whose cosine says how much they mean the same.

The default needs no model: a text becomes its words and the concepts that a thesaurus of
operations language knows for them, each a dimension of its own, found by hashing (feature hashing:
Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask Learning"; with so many
dimensions that two features practically never meet). Others register under the entry point group
`tool_catalog_pipelines.embedders`.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Protocol

from tool_catalog_pipelines.catalog.search.concepts import concepts_in, mark_of_thesaurus
from tool_catalog_pipelines.catalog.search.words import STOP_WORDS, stem, words_of
from tool_catalog_pipelines.errors import InvalidInputError

GROUP = "tool_catalog_pipelines.embedders"
Parts = Sequence[tuple[float, str]]
"""A text in parts, each with its weight: the name of a tool says more than its limitations."""
Vector = Mapping[int, float]
"""Numbers by dimension, counted from 0; what is missing is 0."""


class Embedder(Protocol):
    """Makes vectors."""

    @property
    def name(self) -> str:
        """Changes whenever the same text would get another vector."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        ...

    @property
    def is_sparse(self) -> bool:
        """Whether most numbers of a vector are missing."""
        ...

    def embed(self, texts: Sequence[Parts]) -> list[Vector]:
        """One vector per text: of length 1, or without any number for a text without meaning."""
        ...


class ConceptEmbedder:
    """Words and concepts. Deterministic, the same everywhere."""

    dimensions = 2**24
    is_sparse = True
    MOST_FEATURES = 2_000
    DAMPING = 0.3
    """Exponent of a weight: what is said ten times counts twice."""

    @property
    def name(self) -> str:
        """See `Embedder`; holds a mark of the thesaurus, which is edited now and then."""
        return f"concepts-1-{mark_of_thesaurus()}"

    def embed(self, texts: Sequence[Parts]) -> list[Vector]:
        """See `Embedder`."""
        return [self._vector(parts) for parts in texts]

    def features(self, parts: Parts) -> Mapping[str, float]:
        """Weights of words and concepts; repetition counts, but less and less."""
        found: dict[str, float] = defaultdict(float)
        for weight, text in parts:
            stems = [stem(word) for word in words_of(text)]
            for word in stems:
                if word not in STOP_WORDS:
                    found[f"word {word}"] += weight
            for concept in concepts_in(stems):
                found[f"concept {concept}"] += weight
        return {feature: weight**self.DAMPING for feature, weight in found.items()}

    def _vector(self, parts: Parts) -> Vector:
        features = sorted(self.features(parts).items(), key=lambda feature: -feature[1])
        places: dict[int, float] = defaultdict(float)
        for feature, weight in features[: self.MOST_FEATURES]:
            places[_place(feature, self.dimensions)] += weight
        length = math.sqrt(sum(weight * weight for weight in places.values()))
        return {place: weight / length for place, weight in sorted(places.items())}


@lru_cache(maxsize=100_000)
def _place(feature: str, dimensions: int) -> int:
    digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % dimensions


def find_embedder(name: str) -> Embedder:
    """The embedder of that name; `concepts` is ours.

    Raises:
        InvalidInputError: nobody registered one under the name.
    """
    if name == "concepts":
        return ConceptEmbedder()
    registered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in registered:
        raise InvalidInputError.one(
            f"TOOL_CATALOG_EMBEDDER cannot be {name!r}",
            f"known: {', '.join(['concepts', *sorted(registered)])}",
        )
    return registered[name].load()()
