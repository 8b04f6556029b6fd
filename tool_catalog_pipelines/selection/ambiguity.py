"""Whether the first two candidates are too close to call, and what to ask then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.selection.scoring import UNKNOWN_FEATURE

TOO_CLOSE = 0.08
TELLING = 0.05
"""Features that differ by less give no reason to ask about just this one."""
QUESTIONS: Mapping[str, str] = {
    "time_ms": "Does speed matter here: should it be done at once, or may it take longer?",
    "cost": "Does cost matter here: may it be dearer if the result is better?",
    "accuracy": "Does accuracy matter here: must it be exact, or will an approximation do?",
    "completeness": "Does completeness matter here: everything, or will a summary do?",
    "complexity": "Does complexity matter here: the simple way, or the more elaborate one?",
}
"""By feature; equal differences ask the first."""
GENERAL_QUESTION = "Which matters more to you: speed or accuracy?"


@dataclass(frozen=True, slots=True)
class Closeness:
    """Distance of the first two scores (1 for fewer than two) and the question it raises."""

    gap: float
    is_ambiguous: bool
    question: str | None = None


def closeness(
    scores: Sequence[float], features: Sequence[Mapping[str, float]], too_close: float = TOO_CLOSE
) -> Closeness:
    """Judge the first two of a ranking; features in the order of the scores."""
    if len(scores) < 2:
        return Closeness(1.0, is_ambiguous=False)
    gap = abs(scores[0] - scores[1])
    if gap >= too_close:
        return Closeness(gap, is_ambiguous=False)
    return Closeness(gap, is_ambiguous=True, question=question(features[0], features[1]))


def question(one: Mapping[str, float], other: Mapping[str, float]) -> str:
    """About the feature in which two candidates differ most."""
    differences = {
        name: abs(one.get(name, UNKNOWN_FEATURE) - other.get(name, UNKNOWN_FEATURE))
        for name in QUESTIONS
    }
    name = max(differences, key=differences.__getitem__)
    return GENERAL_QUESTION if differences[name] < TELLING else QUESTIONS[name]
