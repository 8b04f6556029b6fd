"""Features and weights -> scores and an order that never depends on chance.

Order: by score; among equal scores a candidate whose raw figures are all at least as good and one
better comes first; then in the order in which they came. Does not belong here: whether the first
two are too close (ambiguity.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.selection.context import is_number
from tool_catalog_pipelines.selection.dominance import (
    merits_of_features,
    merits_of_raw,
    undominated_first,
)
from tool_catalog_pipelines.selection.normalisation import FEATURES
from tool_catalog_pipelines.selection.preference import Mode

WEIGHTS = ("time", "cost", "complexity", "accuracy", "completeness")
"""Names of weights, in the order of FEATURES."""
UNKNOWN_FEATURE = 0.5
"""A figure that is not known counts as middling: neither reward nor punishment."""
_FAVOURED: Mapping[Mode, str] = {
    "fast": "time", "accurate": "accuracy", "thorough": "completeness", "cheap": "cost",
    "simple": "complexity",
}  # fmt: skip
_FAVOURED_WEIGHT, _OTHER_WEIGHT, _BALANCED_WEIGHT = 0.40, 0.15, 0.20

Weights = Mapping[str, float]
FeatureRow = tuple[float, float, float, float, float]
"""Features in the order of FEATURES, unknown ones as UNKNOWN_FEATURE."""


class Rankable(Protocol):
    """What is ranked."""

    @property
    def row(self) -> FeatureRow:
        """The features that are scored."""
        ...

    @property
    def features(self) -> Mapping[str, float]:
        """The features that are known."""
        ...

    @property
    def raw(self) -> Mapping[str, float] | None:
        """The figures behind them; None where only features are known."""
        ...


@dataclass(frozen=True, slots=True)
class Entrant:
    """A name, its features, and its raw figures if they are known."""

    name: str
    features: Mapping[str, float]
    raw: Mapping[str, float] | None = None

    @property
    def row(self) -> FeatureRow:
        """The features that are scored."""
        return feature_row(self.features)


def mode_weights(mode: Mode) -> dict[str, float]:
    """The weights of a mode; they sum to one."""
    favoured = _FAVOURED.get(mode)
    if favoured is None:
        return dict.fromkeys(WEIGHTS, _BALANCED_WEIGHT)
    return {name: _FAVOURED_WEIGHT if name == favoured else _OTHER_WEIGHT for name in WEIGHTS}


def checked_weights(given: Mapping[str, object]) -> dict[str, float]:
    """Weights that somebody wrote, those left out as zero.

    Raises:
        InvalidInputError: an unknown name, no number, a negative one, or a sum that is not one.
    """
    weights: dict[str, float] = dict.fromkeys(WEIGHTS, 0.0)
    problems: list[Problem] = []
    for key, value in given.items():
        name = "time" if key == "time_ms" else key
        if name not in weights:
            hint = f"known: {', '.join(WEIGHTS)}"
            problems.append(Problem(f"there is no weight {key!r}", hint=hint))
        elif name != key and name in given:
            problems.append(Problem("there are the weights time and time_ms", hint="keep one"))
        elif not isinstance(value, int | float) or not is_number(value) or value < 0:
            hint = "a number from 0 to 1"
            problems.append(Problem(f"the weight {key} is {value!r}", hint=hint))
        else:
            weights[name] = float(value)
    total = math.fsum(weights.values())
    if not problems and not 0.99 <= total <= 1.01:
        problems.append(Problem(f"the weights sum to {total:g}", hint="make them sum to 1"))
    if problems:
        raise InvalidInputError(problems)
    return weights


def contributions(features: Mapping[str, float], weights: Weights) -> dict[str, float]:
    """What each feature adds to the score."""
    return {
        weight: weights[weight] * features.get(feature, UNKNOWN_FEATURE)
        for weight, feature in zip(WEIGHTS, FEATURES, strict=True)
    }


def feature_row(features: Mapping[str, float]) -> FeatureRow:
    """Features as they are scored; one that is missing counts as UNKNOWN_FEATURE."""
    get = features.get
    return (
        get("time_ms", UNKNOWN_FEATURE),
        get("cost", UNKNOWN_FEATURE),
        get("complexity", UNKNOWN_FEATURE),
        get("accuracy", UNKNOWN_FEATURE),
        get("completeness", UNKNOWN_FEATURE),
    )


def scores_of(rows: Iterable[FeatureRow], weights: Weights) -> list[float]:
    """The weighted sum of each row.

    Added one after another: rounding then never lets a worse feature give a better score.
    """
    for_time, for_cost, for_complexity, for_accuracy, for_completeness = (
        weights[name] for name in WEIGHTS
    )
    return [
        0.0
        + for_time * time
        + for_cost * cost
        + for_complexity * complexity
        + for_accuracy * accuracy
        + for_completeness * completeness
        for time, cost, complexity, accuracy, completeness in rows
    ]


def ranked(entrants: Sequence[Rankable], weights: Weights) -> list[tuple[int, float]]:
    """Index and score of every entrant, best first."""
    scores = scores_of([entrant.row for entrant in entrants], weights)
    return [(index, scores[index]) for index in order_of(entrants, scores)]


def order_of(entrants: Sequence[Rankable], scores: Sequence[float]) -> list[int]:
    """The index of every entrant, best first."""
    by_score = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    if len(set(scores)) == len(scores):
        return by_score
    order: list[int] = []
    for _, group in groupby(by_score, key=scores.__getitem__):
        order += _better_first(list(group), entrants)
    return order


def _better_first(group: list[int], entrants: Sequence[Rankable]) -> list[int]:
    """Equal scores in the order of their raw figures, or of their features without those."""
    if len(group) < 2:
        return group
    raws = [raw for index in group if (raw := entrants[index].raw) is not None]
    if len(raws) == len(group):
        merits = map(merits_of_raw, raws)
    else:
        merits = (merits_of_features(entrants[index].features) for index in group)
    return [group[number] for number in undominated_first(merits)]
