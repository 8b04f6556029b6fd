"""What a request is about, word by word: without what only says how or how much.

"quickly list all processes" is about listing processes; how to choose among tools that do it is
heard elsewhere (preference.py, context.py). Does not belong here: what tools say (nearness.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from tool_catalog_pipelines.catalog.search.concepts import concept_spans
from tool_catalog_pipelines.catalog.search.words import (
    MAX_QUESTION_CHARACTERS,
    MAX_QUESTION_WORDS,
    STOP_WORDS,
    stem,
    words_of,
)
from tool_catalog_pipelines.selection.preference import WORDS

SUBJECTS = frozenset(
    {"verify", "verified", "validated", "confirm", "speed", "free", "full", "budget"}
)
"""Words of preference that name a thing or an action at least as often: "free memory"."""
SIZES = frozenset({"all", "every", "everything", "everyone", "everybody", "single", "one"})
_MANNER = frozenset(word for words in WORDS.values() for word in words) - SUBJECTS | SIZES
_PHRASES = re.compile(
    "|".join(rf"\b{re.escape(phrase)}\b" for phrase in sorted(_MANNER) if not phrase.isalpha()),
    re.IGNORECASE,
)
CONCEPT_CREDIT = 0.8
"""A word in common says more than a meaning in common."""
CORRECTED_CREDIT = 0.5
"""What is only taken for a typing mistake says less."""

Corrections = Mapping[str, tuple[str, ...]]
"""Words that no tool has, with those that may be meant."""


@dataclass(frozen=True, slots=True)
class Term:
    """One telling word of a request: what a tool can have of it, and how much that counts."""

    credits: Mapping[str, float]


def topic_of(query: str) -> str:
    """The request without words of preference and size; all of it if nothing else is there.

    A word inside a phrase that means something by itself stays: "full backup", "all users".
    """
    words = words_of(_PHRASES.sub(" ", query[:MAX_QUESTION_CHARACTERS]))
    kept = _inside_phrases(words)
    topic = [word for at, word in enumerate(words) if word not in _MANNER or at in kept]
    if set(topic) <= STOP_WORDS:
        return query[:MAX_QUESTION_CHARACTERS]
    return " ".join(topic)


def terms_of(topic: str, corrections: Corrections) -> tuple[Term, ...]:
    """The telling words of a topic, each with its concepts."""
    words = words_of(topic)
    concepts = _concepts(words)
    kept = _inside_phrases(words)
    terms: dict[str, Term] = {}
    for at, word in enumerate(words):
        if word in corrections:
            terms.setdefault(word, Term(_corrected(corrections[word])))
        elif word not in STOP_WORDS:
            credits = {f"word {stem(word)}": 1.0} | concepts.get(at, {})
            terms.setdefault(word, Term(credits))
        elif at in kept:
            terms.setdefault(word, Term(concepts[at]))
    if not terms:  # only words that say nothing, one of which may be the name of a tool
        terms = {word: Term({f"word {stem(word)}": 1.0}) for word in words}
    return tuple(terms.values())[:MAX_QUESTION_WORDS]


def features_of(text: str) -> Iterator[str]:
    """The words and concepts of a text, named as in terms; equal names are one object."""
    words = words_of(text)
    stems = [stem(word) for word in words]
    for word, stemmed in zip(words, stems, strict=True):
        if word not in STOP_WORDS:
            yield intern(f"word {stemmed}")
    for _, _, concepts in concept_spans(stems):
        yield from (intern(f"concept {concept}") for concept in concepts)


def _concepts(words: Sequence[str]) -> dict[int, dict[str, float]]:
    """The concepts of the terms that each word is a part of."""
    found: dict[int, dict[str, float]] = {}
    for start, length, concepts in concept_spans([stem(word) for word in words]):
        for at in range(start, start + length):
            credits = found.setdefault(at, {})
            credits.update((f"concept {concept}", CONCEPT_CREDIT) for concept in concepts)
    return found


def _inside_phrases(words: Sequence[str]) -> set[int]:
    spans = concept_spans([stem(word) for word in words])
    return {at for start, length, _ in spans if length > 1 for at in range(start, start + length)}


def _corrected(meant: Sequence[str]) -> dict[str, float]:
    credits: dict[str, float] = {}
    for word in meant:
        credits |= {f"word {stem(word)}": CORRECTED_CREDIT}
        credits |= {
            name: CORRECTED_CREDIT * credit for name, credit in _concepts([word]).get(0, {}).items()
        }
    return credits
