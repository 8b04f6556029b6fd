"""Tools side by side: one line per property, one column per tool. Pure.

Does not belong here: two versions of one tool (diff.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.spec.tool import PatternSpec

_Property = Callable[[CatalogTool], object]


@dataclass(frozen=True, slots=True)
class Line:
    """One property and its value in each tool, in the order of the tools."""

    name: str
    values: tuple[object, ...]

    @property
    def differs(self) -> bool:
        """Whether the tools are not all the same in it."""
        return any(value != self.values[0] for value in self.values)


def side_by_side(tools: Sequence[CatalogTool]) -> tuple[Line, ...]:
    """What a person compares before choosing."""
    return tuple(
        Line(name, tuple(property_of(tool) for tool in tools))
        for name, property_of in _PROPERTIES.items()
    )


def _estimates(tool: CatalogTool) -> object:
    lines = [
        f"{pattern}: {estimate.time_ms or 'unknown'} ({estimate.basis})"
        for (_, pattern), estimate in sorted(tool.estimates.items())
    ]
    return "\n".join(lines)


def _costs(tool: CatalogTool) -> object:
    lines = [
        f"{pattern}: {estimate.cost_units or 'unknown'}"
        for (_, pattern), estimate in sorted(tool.estimates.items())
    ]
    return "\n".join(lines)


def _of_patterns(ask: Callable[[PatternSpec], Iterable[str]]) -> _Property:
    """A property that is the distinct answers of all patterns."""

    def answer(tool: CatalogTool) -> object:
        found = (text for pattern in tool.spec.patterns for text in ask(pattern))
        return ", ".join(dict.fromkeys(found))

    return answer


def _kind(pattern: PatternSpec) -> str:
    if pattern.binding is None:
        return "not executable"
    place = f" over {pattern.connection}" if pattern.connection else ""
    return f"{pattern.binding.kind}{place}"


def _preferences(tool: CatalogTool) -> object:
    """The best that any pattern offers for each wish."""
    best: dict[str, float] = {}
    for pattern in tool.spec.patterns:
        for wish, score in pattern.preference_match.model_dump().items():
            best[wish] = max(best.get(wish, 0.0), score)
    return ", ".join(f"{wish} {score:g}" for wish, score in best.items())


_PROPERTIES: dict[str, _Property] = {
    "version": lambda tool: tool.header.version,
    "state": lambda tool: tool.header.status if tool.header.enabled else "disabled",
    "category": lambda tool: tool.spec.category,
    "description": lambda tool: tool.spec.description,
    "capabilities": lambda tool: ", ".join(tool.spec.capabilities),
    "binding": _of_patterns(lambda pattern: (_kind(pattern),)),
    "effects": _of_patterns(lambda pattern: (pattern.effects,)),
    "time_ms": _estimates,
    "cost_units": _costs,
    "preferences": _preferences,
    "inputs": _of_patterns(lambda pattern: pattern.inputs),
    "outputs": _of_patterns(lambda pattern: (spec.name for spec in pattern.expected_outputs)),
    "limitations": _of_patterns(lambda pattern: pattern.limitations),
    "production_safe": _of_patterns(lambda pattern: (str(pattern.policy.production_safe).lower(),)),
    "needs": lambda tool: ", ".join(f"{n.type} {n.name}" for n in tool.spec.dependencies),
    "owner": lambda tool: tool.spec.owner or "",
}
