"""What would change the answer: another mode, a faster runner-up, a limit that is lifted.

Every statement is computed by ranking again, never guessed. Does not belong here: how statements
are shown (explanation.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tool_catalog_pipelines.selection.choice import Choice, rank
from tool_catalog_pipelines.selection.normalisation import (
    DEFAULT_BOUNDS,
    cost_of_feature,
    time_of_feature,
)
from tool_catalog_pipelines.selection.preference import MODES
from tool_catalog_pipelines.selection.scoring import mode_weights, scores_of

MOST_REFUSED = 3


@dataclass(frozen=True, slots=True)
class Change:
    """Something that would make another candidate win."""

    kind: str
    what: str
    winner: str


def changes(choice: Choice) -> list[Change]:
    """Modes, figures of the runner-up, and limits that would change the answer."""
    return [*_modes(choice), *_figures(choice), *_limits(choice)]


def _modes(choice: Choice) -> Iterator[Change]:
    """Other modes, in one statement for all that lead to the same winner."""
    winners: dict[str, list[str]] = {}
    for mode in MODES:
        if mode == choice.preference.mode and choice.need.weights is None:
            continue
        (first, *_), _ = rank(choice.ranking.candidates, mode_weights(mode))
        if first is not choice.chosen.candidate:
            winners.setdefault(first.label, []).append(mode)
    for winner, modes in winners.items():
        yield Change("mode", f"with the mode {' or '.join(modes)}", winner)


def _figures(choice: Choice) -> Iterator[Change]:
    """How fast or cheap the second would have to be to become the first."""
    if len(choice.ranking) < 2:
        return
    second = choice.ranking[1]
    gap = choice.chosen.score - second.score
    for weight, feature, spell in (("time", "time_ms", _time), ("cost", "cost", _cost)):
        share = choice.weights[weight]
        if share <= 0 or feature not in second.candidate.raw:
            continue
        wanted = second.candidate.features[feature] + gap / share
        if gap > 0 and wanted < 1:
            success = second.candidate.success
            what = spell(wanted, success.rate if success else 1.0)
            yield Change(feature, f"if {second.candidate.label} {what}", second.candidate.label)


def _time(feature: float, rate: float) -> str:
    return f"took less than {time_of_feature(feature, DEFAULT_BOUNDS) * rate:.4g} ms"


def _cost(feature: float, rate: float) -> str:
    return f"cost less than {cost_of_feature(feature, DEFAULT_BOUNDS) * rate:.4g} units"


def _limits(choice: Choice) -> Iterator[Change]:
    """Candidates that are refused although they would have won."""
    scores = scores_of([one.row for one in choice.refused.candidates], choice.weights)
    better = [number for number, score in enumerate(scores) if score > choice.chosen.score]
    for number in sorted(better, key=lambda number: -scores[number])[:MOST_REFUSED]:
        one = choice.refused[number]
        what = f"if {one.candidate.label} were allowed ({one.verdict.reason})"
        yield Change("policy", what, one.candidate.label)
