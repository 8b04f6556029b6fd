"""Features and weights -> scores and an order that never depends on chance.

Order: by score; among equal scores a candidate whose raw figures are all at least as good and one
better comes first; then in the order in which they came. Does not belong here: whether the first
two are too close (ambiguity.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.selection.context import is_number
from tool_catalog_pipelines.selection.normalisation import FEATURES, SMALLER_IS_BETTER
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


@dataclass(frozen=True, slots=True)
class Entrant:
    """What is ranked: a name, its features, and its raw figures if they are known."""

    name: str
    features: Mapping[str, float]
    raw: Mapping[str, float] | None = None


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


def score_of(features: Mapping[str, float], weights: Weights) -> float:
    """The weighted sum; a feature that is missing counts as UNKNOWN_FEATURE.

    Added one after another: rounding then never lets a worse feature give a better score.
    """
    get = features.get
    total = 0.0
    for weight, feature in zip(WEIGHTS, FEATURES, strict=True):
        total += weights[weight] * get(feature, UNKNOWN_FEATURE)
    return total


def dominates(better: Mapping[str, float], worse: Mapping[str, float]) -> bool:
    """Whether one is nowhere worse and somewhere better, in figures that both have."""
    if better.keys() != worse.keys():
        return False
    is_better = False
    for name in FEATURES:
        if name not in better or better[name] == worse[name]:
            continue
        if (better[name] < worse[name]) != (name in SMALLER_IS_BETTER):
            return False
        is_better = True
    return is_better


def ranked(entrants: Sequence[Entrant], weights: Weights) -> list[tuple[int, float]]:
    """Index and score of every entrant, best first."""
    scores = [score_of(entrant.features, weights) for entrant in entrants]
    order = sorted(range(len(entrants)), key=lambda index: -scores[index])
    result: list[tuple[int, float]] = []
    for score, group in groupby(order, key=scores.__getitem__):
        result += [(index, score) for index in _undominated_first(list(group), entrants)]
    return result


def _undominated_first(group: list[int], entrants: Sequence[Entrant]) -> list[int]:
    """Equal scores: again and again the first that no other one left dominates."""
    if len(group) < 2 or all(_same(entrants[group[0]], entrants[i]) for i in group[1:]):
        return group
    rest = list(group)
    order: list[int] = []
    while rest:
        first = next(
            index
            for index in rest
            if not any(_beats(entrants[other], entrants[index]) for other in rest)
        )
        order.append(first)
        rest.remove(first)
    return order


def _same(one: Entrant, other: Entrant) -> bool:
    return one.raw == other.raw and one.features == other.features


def _beats(one: Entrant, other: Entrant) -> bool:
    if one.raw is not None and other.raw is not None:
        return dominates(one.raw, other.raw)
    return dominates(_turned(one.features), _turned(other.features))


def _turned(features: Mapping[str, float]) -> dict[str, float]:
    """Features as raw figures, of which some are better when they are smaller."""
    return {
        name: -value if name in SMALLER_IS_BETTER else value for name, value in features.items()
    }
