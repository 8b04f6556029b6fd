"""Selection in the plainest way, as a reference: everything worked out at once, nothing kept.

Use: `from plain_selection import plain_select` (tests/ is on the import path).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.selection.context import context_of
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.normalisation import FEATURES, SMALLER_IS_BETTER, normalise
from tool_catalog_pipelines.selection.policy import Verdict, judge
from tool_catalog_pipelines.selection.preference import preference_of
from tool_catalog_pipelines.selection.scoring import WEIGHTS, checked_weights, mode_weights
from tool_catalog_pipelines.spec.tool import PatternSpec


class Plain(NamedTuple):
    """A pattern with its figures, its verdict and its score."""

    label: str
    raw: dict[str, float]
    verdict: Verdict
    score: float


def plain_select(
    need: Need, tools: Sequence[CatalogTool], capability: str
) -> tuple[list[Plain], list[Plain]]:
    """Those that are allowed, best first, and those that are refused."""
    weights = (
        mode_weights(preference_of(need.query, need.mode).mode)
        if need.weights is None
        else checked_weights(need.weights)
    )
    judged = [
        _judged(need, f"{tool.label} {name}", pattern, weights)
        for tool in tools
        for name, pattern in tool.spec.capabilities[capability].patterns.items()
    ]
    allowed = [one for one in judged if one.verdict.is_allowed]
    return plain_order(allowed), [one for one in judged if not one.verdict.is_allowed]


def plain_score(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted sum, added one after another; what is missing counts as 0.5."""
    total = 0.0
    for weight, feature in zip(WEIGHTS, FEATURES, strict=True):
        total += weights[weight] * features.get(feature, 0.5)
    return total


def plain_order(rest: Sequence[Plain]) -> list[Plain]:
    """Again and again the first of the best score that no other one of this score dominates."""
    rest, order = list(rest), list[Plain]()
    while rest:
        best = max(one.score for one in rest)
        tied = [one for one in rest if one.score == best]
        first = next(one for one in tied if not any(dominates(o.raw, one.raw) for o in tied))
        order.append(first)
        rest = [one for one in rest if one is not first]
    return order


def dominates(better: Mapping[str, float], worse: Mapping[str, float]) -> bool:
    """Whether raw figures are nowhere worse and somewhere better, where both have the same."""
    if better.keys() != worse.keys():
        return False
    signs = {name: -1 if name in SMALLER_IS_BETTER else 1 for name in better}
    return dict(better) != dict(worse) and all(
        sign * better[name] >= sign * worse[name] for name, sign in signs.items()
    )


def _judged(need: Need, label: str, pattern: PatternSpec, weights: Mapping[str, float]) -> Plain:
    context = context_of(need.query, need.metadata)
    told: dict[str, float] = {**context.told, **need.variables}
    declared = {name: spec.default for name, spec in pattern.variables.items()}
    values = {**context.variables, "cost": 1.0, "time_ms": 1000.0, **declared, **told}
    for name, spec in pattern.variables.items():
        values[name] = min(max(values[name], spec.range[0]), spec.range[1])
    time_ms = _figure(pattern.time_estimate_ms, values)
    cost = _figure(pattern.cost_estimate, values)
    known = _known(need, pattern, time_ms, cost)
    verdict = judge(pattern.policy, need.limits, time_ms, cost, known)
    match = pattern.preference_match
    figures = {
        "time_ms": time_ms, "cost": cost, "complexity": pattern.complexity_score,
        "accuracy": match.accuracy, "completeness": match.completeness,
    }  # fmt: skip
    raw = {name: value for name, value in figures.items() if value is not None}
    return Plain(label, raw, verdict, plain_score(normalise(raw), weights))


def _known(
    need: Need, pattern: PatternSpec, time_ms: float | None, cost: float | None
) -> dict[str, Any]:
    """What conditions may ask for: what was told wins, then the figures, then the pattern."""
    context = context_of(need.query, need.metadata)
    declared = {name: spec.default for name, spec in pattern.variables.items()}
    figures = {"time_ms": time_ms, "cost": cost}
    known = {name: value for name, value in figures.items() if value is not None}
    start = {**context.variables, "environment": need.environment}
    return {**start, **declared, **known, **context.told, **need.variables}


def _figure(text: str | None, values: Mapping[str, float]) -> float | None:
    try:
        value = parse_estimate(text).evaluate(values) if text else None
    except ExpressionError:
        return None
    return None if value is None or value < 0 else value
