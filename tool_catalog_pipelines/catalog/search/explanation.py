"""Why a tool was found: words that it has, concepts in common, mistakes that were corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.search.concepts import concepts_in
from tool_catalog_pipelines.catalog.search.document import document_of
from tool_catalog_pipelines.catalog.search.words import stem, words_of

_FIELDS = {"B": "description", "C": "use cases", "D": "details"}


@dataclass(frozen=True, slots=True)
class Reasons:
    """What speaks for a tool.

    Attributes:
        words: words of the question that the tool has, with the place where it has them.
        concepts: meanings that both have in common.
        capabilities: what a related tool can do as well.
        rank_by_words, rank_by_meaning: places in the two rankings; None where it is not in one.
        similarity: cosine of the meanings.
    """

    words: tuple[tuple[str, str], ...] = ()
    concepts: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    rank_by_words: int | None = None
    rank_by_meaning: int | None = None
    similarity: float | None = None

    def __str__(self) -> str:
        parts = [f"{word} in its {where}" for word, where in self.words]
        parts += [f"about {_spoken(concept)}" for concept in self.concepts]
        parts += [f"also does {name.replace('_', ' ')}" for name in self.capabilities]
        return "; ".join(parts) or ("similar meaning" if self.similarity is not None else "")


def _spoken(concept: str) -> str:
    """Verbs are marked as such in the thesaurus, which tells people nothing."""
    return concept.removeprefix("verb_").replace("_", " ")


def reasons_of(
    tool: CatalogTool,
    words: Sequence[str],
    fixed: Mapping[str, tuple[str, ...]],
    by_words: tuple[int, float] | None,
    by_meaning: tuple[int, float] | None,
) -> Reasons:
    """The reasons of one hit; `by_words` and `by_meaning` are rank and score in a ranking."""
    document = document_of(tool)
    asked = [text for word in words for text in (word, *fixed.get(word, ()))]
    stems = {stem(word): word for word in reversed(asked)}
    found: dict[str, str] = {}
    places = {"name": tool.header.tool_name, "capabilities": " ".join(document.capabilities)}
    places |= {where: document.texts[weight] for weight, where in _FIELDS.items()}
    for where, text in places.items():
        for word in words_of(text):
            if stem(word) in stems:
                found.setdefault(stems[stem(word)], where)
    own = [stem(word) for text in document.texts.values() for word in words_of(text)]
    known = set(concepts_in(own))
    asked_for = dict.fromkeys(concepts_in([stem(word) for word in asked]))
    return Reasons(
        words=tuple(found.items()),
        concepts=tuple(concept for concept in asked_for if concept in known),
        rank_by_words=by_words[0] if by_words else None,
        rank_by_meaning=by_meaning[0] if by_meaning else None,
        similarity=round(by_meaning[1], 3) if by_meaning else None,
    )
