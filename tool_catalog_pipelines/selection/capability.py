"""Which capability a request in words means, and which ways to do it compete.

The nearest way of the search's hits decides: its capability is meant, and of this capability those
ways compete that are about as near. Ways of other capabilities never compete, however near they
are (measured: docs/adr/0009-selection.md); the two nearest capabilities that are too close to call
raise a question instead, and a request that is near to nothing is refused. Does not belong here:
searching, choosing among what competes (choice.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.selection.asked import Corrections, Term, terms_of, topic_of
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.nearness import (
    WayText,
    features_asked,
    nearness,
    way_texts,
    weights_of,
)
from tool_catalog_pipelines.selection.need import Need, Way

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.search.search import Hit

HITS = 20
"""How many hits of the search are looked at; more changed nothing."""
LEAST_NEARNESS = 0.7
"""Nothing fits below it, nearness and similarity taken together."""
EQUAL_WITHIN = 0.2
"""Tools compete when their nearness differs by no more from that of the nearest."""
UNCLEAR_WITHIN = 0.08
"""Two capabilities are too close to call when their scores differ by less."""
RANK_WEIGHT = 30.0
"""Makes the score of the first hit of both rankings about one, as much as a full nearness."""
MOST_OTHERS = 5
_MOST_NAMED = 3
_WORTH_NAMING = LEAST_NEARNESS / 2


@dataclass(frozen=True, slots=True)
class Possibility:
    """A capability that may be meant: what it does, and the tool that is nearest."""

    capability: str
    tool: str
    does: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a request in words means.

    Attributes:
        topic: the words that were looked for, without those of preference and size.
        meant: the capability, as its nearest tool has it.
        reason: why that tool was found.
        ways: those of the capability that compete.
        others: other capabilities that may be meant, nearest first.
        question: which of the first two is meant, where that is unclear.
    """

    topic: str
    meant: Possibility
    reason: str
    ways: frozenset[Way]
    others: tuple[Possibility, ...]
    question: str | None


@dataclass(frozen=True, slots=True)
class _Scored:
    text: WayText
    hit: Hit
    nearness: float

    @property
    def certainty(self) -> float:
        """How near it is by itself, whatever else was found."""
        return self.nearness + (self.hit.reasons.similarity or 0.0)

    @property
    def score(self) -> float:
        """How near it is, and how early the search has it."""
        return self.certainty + RANK_WEIGHT * self.hit.score


class CapabilityFinder:
    """Finds the capabilities that requests mean; keeps what tools say, as long as its index."""

    def __init__(self, index: CandidateIndex) -> None:
        """Prepare; texts are read when a tool is first near."""
        self._index = index
        self._tools = {
            tool.header.key: tool for tools in index.capabilities.values() for tool in tools
        }
        self._texts: dict[tuple[str, str], tuple[WayText, ...]] = {}

    def meaning(self, need: Need, hits: Sequence[Hit], corrections: Corrections) -> Meaning:
        """What the words of a need mean.

        Args:
            need: has words; its filters leave out what cannot be meant.
            hits: what the search finds for the topic of these words, best first.
            corrections: words that no tool has, with those that may be meant.

        Raises:
            InvalidInputError: nothing fits.
        """
        topic = topic_of(need.query)
        terms = terms_of(topic, corrections)
        found = self._near(need, hits)
        if not terms or not found:
            raise _refusal(need.query, ())
        weights = weights_of(terms, (text for text, _ in found))
        asked = features_asked(terms)
        scored = sorted(
            (_Scored(text, hit, nearness(terms, weights, asked, text)) for text, hit in found),
            key=lambda one: -one.score,
        )
        firsts = _first_of_each_capability(scored)
        if firsts[0].certainty < LEAST_NEARNESS:
            raise _refusal(need.query, firsts)
        possible = [_possibility(one) for one in firsts[: MOST_OTHERS + 1]]
        is_unclear = len(firsts) > 1 and firsts[0].score - firsts[1].score < UNCLEAR_WITHIN
        return Meaning(
            topic=topic,
            meant=possible[0],
            reason=str(firsts[0].hit.reasons),
            ways=self._equals(need, firsts[0], terms, weights),
            others=tuple(possible[1:]),
            question=_question(*possible[:2]) if is_unclear else None,
        )

    def _near(self, need: Need, hits: Sequence[Hit]) -> list[tuple[WayText, Hit]]:
        """Every way of the tools that were found."""
        tools = ((self._tools.get(hit.tool.header.key), hit) for hit in hits[:HITS])
        return [
            (text, hit)
            for tool, hit in tools
            if tool is not None
            for text in self._of(tool)
            if text.is_executable or not need.executable_only
        ]

    def _of(self, tool: CatalogTool) -> tuple[WayText, ...]:
        key = tool.header.key
        if key not in self._texts:
            self._texts[key] = way_texts(tool)
        return self._texts[key]

    def _equals(
        self, need: Need, first: _Scored, terms: Sequence[Term], weights: Sequence[float]
    ) -> frozenset[Way]:
        """The ways of the same capability that are about as near, of tools not found as well.

        Of each tool only the nearest: its patterns do different things, such as pack and unpack.
        """
        asked = features_asked(terms)
        capability = first.text.way.capability
        least = first.nearness - EQUAL_WITHIN
        equals: list[Way] = []
        for tool in self._index.capabilities[capability]:
            near = {
                text.way: nearness(terms, weights, asked, text)
                for text in self._of(tool)
                if text.way.capability == capability
                and (text.is_executable or not need.executable_only)
            }
            nearest = max(near.values(), default=0.0)
            equals += [way for way, value in near.items() if value == nearest >= least]
        return frozenset(equals)


def _first_of_each_capability(scored: Iterable[_Scored]) -> list[_Scored]:
    firsts: dict[str, _Scored] = {}
    for one in scored:
        firsts.setdefault(one.text.way.capability, one)
    return list(firsts.values())


def _possibility(one: _Scored) -> Possibility:
    header = one.hit.tool.header
    tool = f"{header.platform}/{header.tool_name}"
    return Possibility(one.text.way.capability, tool, one.text.does)


def _question(one: Possibility, other: Possibility) -> str:
    sides = (f'"{side.does}" (--capability {side.capability})' for side in (one, other))
    return f"Which do you mean: {' or '.join(sides)}?"


def _refusal(query: str, firsts: Sequence[_Scored]) -> InvalidInputError:
    """Nothing fits; the nearest are named if there is something to them."""
    shown = query if len(query) <= 60 else f"{query[:60]}..."
    near = [one for one in firsts if one.certainty >= _WORTH_NAMING][:_MOST_NAMED]
    advice = "say in a few English words what a tool should do, or name a capability"
    if near:
        names = ", ".join(one.text.way.capability for one in near)
        advice = f"{advice}; nearest, though not near: {names}"
    else:
        advice = f"{advice}; `tool-catalog capabilities` lists all"
    problem = Problem(f"no tool does anything like {shown!r}", hint=advice, code="no_candidates")
    return InvalidInputError([problem])
