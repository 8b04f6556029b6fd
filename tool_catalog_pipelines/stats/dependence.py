"""How alike values are that share a group: correlations on the scale of normal scores.

Values of each stratum become normal scores (Blom, 1958); the correlation of two members of a group
is the mean product of such pairs, less that of pairs that share no group, which corrects for the
scores' mean being zero by construction. Of two strata of a group their means are multiplied, which
is the mean of all products of their members. Pure; groups are runs, strata are steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MINIMUM_GROUPS = 5
MOST = 0.95
"""Kept below one: some part of every execution is its own."""


@dataclass(frozen=True, slots=True)
class Member:
    """One positive value, the group it was seen in, and what it is compared with."""

    group: str
    stratum: str
    value: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """Correlation of two strata of one group, and of two members of one stratum and group."""

    of_strata: float
    of_members: float


def likeness(members: Iterable[Member]) -> Likeness:
    """Both correlations, from 0 to MOST; 0 where fewer than MINIMUM_GROUPS can say."""
    cells = _cells(members)
    within = [_pairs(of_group.values()) for of_group in cells.values()]
    of_members = _mean([one for one in within if one is not None])
    means: dict[str, list[float]] = defaultdict(list)
    for of_group in cells.values():
        for group, scores in of_group.items():
            means[group].append(float(scores.mean()))
    across = _pairs([np.array(values) for values in means.values()])
    of_strata = min(max(across or 0.0, 0.0), MOST)
    return Likeness(of_strata, max(of_strata, min(max(of_members, 0.0), MOST)))


def _cells(members: Iterable[Member]) -> dict[str, dict[str, Array]]:
    """Normal scores by stratum and group; strata in too few groups are left out."""
    strata: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        strata[member.stratum].append(member)
    return {
        name: _by_group(of_stratum)
        for name, of_stratum in strata.items()
        if len({member.group for member in of_stratum}) >= MINIMUM_GROUPS
    }


def _by_group(members: Sequence[Member]) -> dict[str, Array]:
    scores = normal_scores(np.array([member.value for member in members]))
    groups: dict[str, list[float]] = defaultdict(list)
    for member, score in zip(members, scores, strict=True):
        groups[member.group].append(float(score))
    return {group: np.array(values) for group, values in groups.items()}


def normal_scores(values: Array) -> Array:
    """Scores of the ranks, (rank - 3/8) / (n + 1/4); equal values share their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks = (last - (count - 1) / 2)[place]
    inverse = NormalDist().inv_cdf
    return np.array([inverse((rank - 0.375) / (values.size + 0.25)) for rank in ranks])


def _pairs(groups: Iterable[Array]) -> float | None:
    """Mean product of pairs within groups less that of pairs across; None without any pair."""
    found = list(groups)
    sums = np.array([float(scores.sum()) for scores in found])
    sizes = np.array([scores.size for scores in found], dtype=np.float64)
    squares = sum(float((scores**2).sum()) for scores in found)
    pairs_within = float((sizes * (sizes - 1)).sum())
    pairs_across = float(sizes.sum() ** 2 - (sizes**2).sum())
    if len(found) < MINIMUM_GROUPS or pairs_within == 0 or pairs_across == 0:
        return None
    within = (float((sums**2).sum()) - squares) / pairs_within
    across = (float(sums.sum()) ** 2 - float((sums**2).sum())) / pairs_across
    return within - across


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
