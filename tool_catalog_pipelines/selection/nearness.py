"""How near each way to do something is to what a request is about, from 0 on.

A way is one pattern of one capability of one tool. Nearness is the share of the request's telling
words that the texts of the way know (by word, or by meaning), and half of how alike the request and
the nearest use case are. Does not belong here: which capability is meant (capability.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.search.words import stem, words_of
from tool_catalog_pipelines.selection.asked import Term, features_of
from tool_catalog_pipelines.selection.need import Way

UNKNOWN_WEIGHT = 2.0
"""A word that none of the tools knows speaks against all of them."""
USE_CASE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class WayText:
    """What one way says of itself.

    Attributes:
        way: which one.
        strengths: words and concepts with how much their place says: names and descriptions most.
        use_cases: words and concepts of each of them.
        does: what the capability does, in the words of the tool's author.
    """

    way: Way
    does: str
    is_executable: bool
    strengths: Mapping[str, float]
    use_cases: tuple[frozenset[str], ...]


def way_texts(tool: CatalogTool) -> tuple[WayText, ...]:
    """The texts of every way of a tool."""
    spec = tool.document()
    metadata = cast("Mapping[str, Any]", spec.get("metadata") or {})
    about_tool = {
        1.0: [tool.header.tool_name],
        0.9: [spec["description"]],
        0.7: [tool.header.platform, spec["category"], *_texts(metadata.get("tags"))],
    }
    return tuple(
        _way_text(Way(tool.header.key, capability, name), about_tool, group, pattern)
        for capability, group in spec["capabilities"].items()
        for name, pattern in group["patterns"].items()
    )


def _way_text(
    way: Way,
    about_tool: Mapping[float, Sequence[str]],
    group: Mapping[str, Any],
    pattern: Mapping[str, Any],
) -> WayText:
    use_cases = [*pattern.get("typical_use_cases", ())]
    texts = {
        1.0: [way.capability, way.pattern, pattern["description"], *use_cases],
        0.9: [group["description"]],
        0.5: list(_input_texts(pattern)),
    }
    strengths: dict[str, float] = {}
    for weight in (1.0, 0.9, 0.7, 0.5):
        for text in (*about_tool.get(weight, ()), *texts.get(weight, ())):
            for feature in features_of(text):
                strengths.setdefault(feature, weight)
    # A name counts even if it is a word that says nothing elsewhere, such as `who`.
    strengths.update((f"word {stem(word)}", 1.0) for word in words_of(way.tool[1]))
    return WayText(
        way=way,
        does=group["description"],
        is_executable=_is_executable(pattern.get("binding")),
        strengths=strengths,
        use_cases=tuple(frozenset(features_of(text)) for text in use_cases),
    )


def features_asked(terms: Iterable[Term]) -> AbstractSet[str]:
    """All words and concepts of terms."""
    return set[str]().union(*(term.credits for term in terms))


def nearness(
    terms: Sequence[Term], weights: Sequence[float], asked: AbstractSet[str], text: WayText
) -> float:
    """How near a way is; `asked` are the words and concepts of the terms."""
    known = sum(
        weight * _credit(term, text.strengths) for term, weight in zip(terms, weights, strict=True)
    )
    alike = max((_cosine(asked, use_case) for use_case in text.use_cases), default=0.0)
    return known / math.fsum(weights) + USE_CASE_WEIGHT * alike


def weights_of(terms: Sequence[Term], texts: Iterable[WayText]) -> list[float]:
    """How much each term counts: more if none of the ways knows it."""
    known = set[str]().union(*(text.strengths for text in texts))
    return [1.0 if known & term.credits.keys() else UNKNOWN_WEIGHT for term in terms]


def _is_executable(binding: Mapping[str, Any] | None) -> bool:
    """Whether this installation can execute it: not over a connection, as candidates have it."""
    if binding is None:
        return False
    return binding["kind"] != "command" or binding.get("target") is None


def _credit(term: Term, strengths: Mapping[str, float]) -> float:
    return max(credit * strengths.get(name, 0.0) for name, credit in term.credits.items())


def _cosine(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    if not one or not other:
        return 0.0
    return len(one & other) / math.sqrt(len(one) * len(other))


def _input_texts(pattern: Mapping[str, Any]) -> Iterable[str]:
    for key in ("required_inputs", "optional_inputs"):
        for declared in pattern.get(key, ()):
            yield from (declared["name"], declared.get("description", ""))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in cast("list[Any]", value or []) if isinstance(one, str)]
