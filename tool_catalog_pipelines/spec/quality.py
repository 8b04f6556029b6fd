"""How good a tool file is: points for what helps people and programs to choose and to trust it.

Every criterion says what is missing and how much it is worth; the points of all are 100. Pure.
Does not belong here: what is wrong (checks.py) and what a strict check refuses (advice.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.spec.tool import PatternSpec, ToolSpec

_GOOD_DESCRIPTION = 40
_GOOD_TAGS = 3
_Share = Callable[[ToolSpec], float]


@dataclass(frozen=True, slots=True)
class Gap:
    """Points that a tool does not get, and what would bring them."""

    points: float
    remedy: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Points from 0 to 100, and where the rest was lost, the most first."""

    points: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class _Criterion:
    """Worth `points` for a tool of which `share` is 1."""

    points: int
    remedy: str
    share: _Share


def quality_of(spec: ToolSpec) -> Quality:
    """The quality of a tool."""
    earned = 0.0
    gaps: list[Gap] = []
    for criterion in _CRITERIA:
        share = criterion.share(spec)
        earned += criterion.points * share
        if share < 1:
            gaps.append(Gap(round(criterion.points * (1 - share), 1), criterion.remedy))
    return Quality(round(earned), tuple(sorted(gaps, key=lambda gap: -gap.points)))


def _patterns(ask: Callable[[PatternSpec], bool]) -> _Share:
    """The share of patterns for which something is true."""

    def share(spec: ToolSpec) -> float:
        return sum(ask(pattern) for pattern in spec.patterns) / len(spec.patterns)

    return share


def _tool(ask: Callable[[ToolSpec], bool]) -> _Share:
    return lambda spec: 1.0 if ask(spec) else 0.0


def _has_estimate(pattern: PatternSpec) -> bool:
    return pattern.time_estimate_ms is not None and pattern.cost_estimate is not None


def _estimate_learns(pattern: PatternSpec) -> bool:
    """The time depends on something that is measured, so that it can be fitted again."""
    text = pattern.time_estimate_ms
    used = parse_estimate(text).free_variables if text is not None else frozenset[str]()
    return any(pattern.variables[name].measured is not None for name in used)


def _has_schemas(pattern: PatternSpec) -> bool:
    outputs = pattern.expected_outputs
    return bool(outputs) and all(output.schema_ is not None for output in outputs)


def _checks_output(pattern: PatternSpec) -> bool:
    calls = (*pattern.examples, *pattern.test_cases)
    return any(call.expect.output is not None for call in calls)


_CRITERIA = (
    _Criterion(20, "add a binding, so that it can be executed",
               _patterns(lambda pattern: pattern.binding is not None)),
    _Criterion(15, "add an example to every pattern", _patterns(lambda p: bool(p.examples))),
    _Criterion(10, "give estimates of time and cost", _patterns(_has_estimate)),
    _Criterion(10, "let the time depend on something that is measured",
               _patterns(_estimate_learns)),
    _Criterion(10, "describe every output with a schema", _patterns(_has_schemas)),
    _Criterion(10, f"describe the tool in {_GOOD_DESCRIPTION} characters or more",
               _tool(lambda spec: len(spec.description) >= _GOOD_DESCRIPTION)),
    _Criterion(10, "say when somebody wants each pattern (typical_use_cases)",
               _patterns(lambda pattern: bool(pattern.typical_use_cases))),
    _Criterion(5, "let an example or test case say what comes out (expect.output)",
               _patterns(_checks_output)),
    _Criterion(5, "link the documentation (metadata.documentation_url)",
               _tool(lambda spec: "documentation_url" in spec.metadata)),
    _Criterion(3, f"add {_GOOD_TAGS} tags or more (metadata.tags)",
               _tool(lambda spec: len(spec.tags) >= _GOOD_TAGS)),
    _Criterion(2, "name an owner", _tool(lambda spec: spec.owner is not None)),
)  # fmt: skip
