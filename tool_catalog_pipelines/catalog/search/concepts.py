"""What words of operations mean: concepts, each with its synonyms, from `operations.txt`.

A line of that file is `concept: term, term, ...`; a term is a word or a phrase of up to four
words. Does not belong here: weighing and comparing (embedding.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from tool_catalog_pipelines.catalog.search.words import stem, words_of

_FILE = Path(__file__).with_name("operations.txt")
Stems = tuple[str, ...]


@lru_cache(maxsize=1)
def thesaurus() -> Mapping[Stems, tuple[str, ...]]:
    """The concepts of every term; terms are stemmed, and so is what is looked up."""
    found: dict[Stems, list[str]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        concept, colon, terms = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        for term in (concept.replace("_", " "), *terms.split(",")):
            key = tuple(stem(word) for word in words_of(term))
            if key and concept not in found.setdefault(key, []):
                found[key].append(concept)
    return {key: tuple(concepts) for key, concepts in found.items()}


@lru_cache(maxsize=1)
def mark_of_thesaurus() -> str:
    """Changes with the file."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()[:8]


def concepts_in(stems: Sequence[str]) -> Iterator[str]:
    """The concepts of a text."""
    for _, _, concepts in concept_spans(stems):
        yield from concepts


def concept_spans(stems: Sequence[str]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Where a term begins, how many words it has, and its concepts.

    At every word the longest phrase that begins there counts; words inside a phrase mean something
    by themselves too.
    """
    known = thesaurus()
    beginnings = _beginnings()
    for at, first in enumerate(stems):
        for length in range(beginnings.get(first, 0), 0, -1):
            concepts = known.get(tuple(stems[at : at + length]))
            if concepts:
                yield at, length, concepts
                break


@lru_cache(maxsize=1)
def _beginnings() -> Mapping[str, int]:
    """The length of the longest term that begins with a word."""
    longest: dict[str, int] = {}
    for term in thesaurus():
        longest[term[0]] = max(longest.get(term[0], 0), len(term))
    return longest
