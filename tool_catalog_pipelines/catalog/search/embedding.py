"""Texts -> vectors whose cosine says how much they mean the same.

The default needs no model: a text becomes its words and the concepts that a thesaurus of
operations language knows for them, hashed into a fixed number of dimensions (feature hashing with
signs: Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask Learning"). Others
register under the entry point group `tool_catalog_pipelines.embedders`.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from tool_catalog_pipelines.catalog.search.concepts import concepts_in
from tool_catalog_pipelines.catalog.search.words import STOP_WORDS, stem, words_of
from tool_catalog_pipelines.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GROUP = "tool_catalog_pipelines.embedders"
Parts = Sequence[tuple[float, str]]
"""A text in parts, each with its weight: the name of a tool says more than its limitations."""


class Embedder(Protocol):
    """Makes vectors. `name` changes whenever the same text would get another vector."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[Parts]) -> NDArray[np.float32]:
        """One vector of length 1 (or 0 for a text without meaning) per text."""
        ...


class ConceptEmbedder:
    """Words and concepts, hashed. Deterministic, the same everywhere."""

    dimensions = 384
    name = "concepts-1"
    WORD = 1.0
    CONCEPT = 1.6
    COMMON_CONCEPT_TERMS = 6

    def embed(self, texts: Sequence[Parts]) -> NDArray[np.float32]:
        """See `Embedder`."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, parts in enumerate(texts):
            for feature, weight in self.features(parts).items():
                place, sign = _place(feature, self.dimensions)
                vectors[row, place] += sign * weight
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)

    def features(self, parts: Parts) -> Mapping[str, float]:
        """Weights of words and concepts; repetition counts, but less and less."""
        found: dict[str, float] = defaultdict(float)
        for weight, text in parts:
            stems = [stem(word) for word in words_of(text)]
            for word in stems:
                if word not in STOP_WORDS:
                    found[f"word {word}"] += weight * self.WORD
            for concept, length in concepts_in(stems):
                found[f"concept {concept}"] += weight * self.CONCEPT * math.sqrt(length)
        return {feature: math.sqrt(weight) for feature, weight in found.items()}


@lru_cache(maxsize=100_000)
def _place(feature: str, dimensions: int) -> tuple[int, int]:
    digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    return (number >> 1) % dimensions, 1 if number & 1 else -1


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
