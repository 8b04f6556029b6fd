"""Likeness: correlations that are put in come out, for single values and for lists."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.stats.dependence import (
    MOST,
    Likeness,
    Member,
    likeness,
    normal_scores,
)


def simulated(
    of_strata: float, of_members: float, groups: int, strata: int, members: int, seed: int
) -> list[Member]:
    """Log-normal values whose logarithms are correlated as told."""
    rng = np.random.default_rng(seed)
    found: list[Member] = []
    for group in range(groups):
        shared = math.sqrt(of_strata) * rng.standard_normal()
        for stratum in range(strata):
            both = shared + math.sqrt(of_members - of_strata) * rng.standard_normal()
            own = math.sqrt(1 - of_members) * rng.standard_normal(members)
            values = np.exp((stratum + 1) * (both + own))
            found += [Member(str(group), str(stratum), float(value)) for value in values]
    return found


@pytest.mark.parametrize("members", [1, 5, 20])
@pytest.mark.parametrize("truth", [0.0, 0.1, 0.3, 0.6])
def test_the_correlation_of_strata_comes_out_for_any_length_of_lists(
    truth: float, members: int
) -> None:
    found = [likeness(simulated(truth, truth, 40, 5, members, seed)) for seed in range(15)]
    assert np.mean([one.of_strata for one in found]) == pytest.approx(truth, abs=0.08)
    assert np.mean([one.of_members for one in found]) == pytest.approx(truth, abs=0.08)


@pytest.mark.parametrize(("of_strata", "of_members"), [(0.0, 0.3), (0.1, 0.4), (0.3, 0.8)])
def test_members_may_be_more_alike_than_strata(of_strata: float, of_members: float) -> None:
    found = [likeness(simulated(of_strata, of_members, 40, 4, 8, seed)) for seed in range(15)]
    assert np.mean([one.of_strata for one in found]) == pytest.approx(of_strata, abs=0.08)
    assert np.mean([one.of_members for one in found]) == pytest.approx(of_members, abs=0.08)


def test_few_groups_make_little_bias() -> None:
    """The scores of six groups cannot all be high; that is made up for."""
    found = [likeness(simulated(0.5, 0.5, 6, 4, 10, seed)) for seed in range(60)]
    assert np.mean([one.of_strata for one in found]) == pytest.approx(0.5, abs=0.07)
    assert np.mean([one.of_members for one in found]) == pytest.approx(0.5, abs=0.07)


def test_members_are_at_least_as_alike_as_strata() -> None:
    alone = [Member(str(group), str(s), float(group)) for group in range(20) for s in range(4)]
    found = likeness(alone)
    assert found.of_strata > 0.85
    assert found.of_members == found.of_strata


def test_some_part_of_every_value_is_its_own() -> None:
    same = [Member(str(g), str(s), float(g)) for g in range(300) for s in range(3) for _ in "ab"]
    assert likeness(same) == Likeness(MOST, MOST)


def test_opposite_strata_are_not_alike() -> None:
    values = [(str(g), s, g if s == "up" else -g) for g in range(30) for s in ("up", "down")]
    assert likeness(Member(g, s, float(v)) for g, s, v in values).of_strata == 0.0


@pytest.mark.parametrize("groups", [0, 1, 4])
def test_fewer_than_five_groups_say_nothing(groups: int) -> None:
    assert likeness(simulated(0.9, 0.9, groups, 3, 4, 1)) == Likeness(0.0, 0.0)


def test_five_groups_say_something() -> None:
    alike = [Member(str(g), str(s), float(g)) for g in range(5) for s in range(3)]
    assert likeness(alike).of_strata > 0.5


def test_a_stratum_in_too_few_groups_is_left_out() -> None:
    alike = [Member(str(g), str(s), float(g)) for g in range(20) for s in range(2)]
    rare = [Member(str(g), "rare", float(-g)) for g in range(4)]
    assert likeness([*alike, *rare]) == likeness(alike)


@pytest.mark.parametrize("members", [1, 3])
def test_constants_are_not_alike_by_chance(members: int) -> None:
    same = [
        Member(str(g), str(s), 7.0) for g in range(20) for s in range(3) for _ in range(members)
    ]
    assert likeness(same) == Likeness(0.0, 0.0)


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50))
def test_scores_keep_order_and_ties_and_lie_around_zero(values: list[float]) -> None:
    array = np.array(values)
    scores = normal_scores(array)
    order = np.argsort(array, kind="stable")
    assert np.all(np.diff(scores[order]) >= 0)
    assert np.all((np.diff(array[order]) == 0) == (np.diff(scores[order]) == 0))
    assert normal_scores(-array) == pytest.approx(-scores)
