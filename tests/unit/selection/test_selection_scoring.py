"""Features, scores, order, closeness, questions, execution mode: the reference's formulas."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_selection import dominates

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.selection.ambiguity import GENERAL_QUESTION, QUESTIONS, closeness
from tool_catalog_pipelines.selection.execution_mode import execution_mode, sla_class
from tool_catalog_pipelines.selection.normalisation import (
    FEATURES,
    SMALLER_IS_BETTER,
    cost_of_feature,
    normalise,
    time_of_feature,
)
from tool_catalog_pipelines.selection.preference import MODES
from tool_catalog_pipelines.selection.scoring import (
    WEIGHTS,
    Entrant,
    checked_weights,
    contributions,
    feature_row,
    mode_weights,
    ranked,
    scores_of,
)

SPAN = math.log(60_000) - math.log(50)
RAW = st.fixed_dictionaries(
    {
        "time_ms": st.floats(0, 1e9),
        "cost": st.floats(0, 1e3),
        "complexity": st.floats(0, 1),
        "accuracy": st.floats(0, 1),
        "completeness": st.floats(0, 1),
    }
)
SHARES = st.lists(st.integers(0, 100), min_size=5, max_size=5).filter(any)


def weights_of(shares: list[int]) -> dict[str, float]:
    return {name: share / sum(shares) for name, share in zip(WEIGHTS, shares, strict=True)}


def entrant(name: str, raw: dict[str, float]) -> Entrant:
    return Entrant(name, normalise(raw), raw)


@pytest.mark.parametrize(
    ("raw", "feature"),
    [
        ({"time_ms": 0.0}, 1.0),
        ({"time_ms": 50.0}, 1.0),
        ({"time_ms": 120.0}, 1 - (math.log(120) - math.log(50)) / SPAN),
        ({"time_ms": 1000.0}, 1 - (math.log(1000) - math.log(50)) / SPAN),
        ({"time_ms": 60_000.0}, 0.0),
        ({"time_ms": 1e9}, 0.0),
        ({"cost": 0.0}, 1.0),
        ({"cost": 2.5}, 0.75),
        ({"cost": 11.0}, 0.0),
        ({"complexity": 0.3}, 0.7),
        ({"complexity": 1.5}, 0.0),
        ({"accuracy": 0.9}, 0.9),
        ({"completeness": -1.0}, 0.0),
    ],
)
def test_features(raw: dict[str, float], feature: float) -> None:
    assert normalise(raw) == {next(iter(raw)): pytest.approx(feature, abs=1e-9)}


@given(st.floats(50, 60_000), st.floats(0, 10))
def test_time_and_cost_come_back_from_their_features(time_ms: float, cost: float) -> None:
    features = normalise({"time_ms": time_ms, "cost": cost})
    assert time_of_feature(features["time_ms"]) == pytest.approx(time_ms, rel=1e-9)
    assert cost_of_feature(features["cost"]) == pytest.approx(cost, abs=1e-9)


@given(RAW, RAW)
def test_features_are_shares_and_never_grow_with_a_worse_figure(
    one: dict[str, float], other: dict[str, float]
) -> None:
    a, b = normalise(one), normalise(other)
    for name in FEATURES:
        assert 0 <= a[name] <= 1
        sign = -1 if name in SMALLER_IS_BETTER else 1
        if sign * one[name] >= sign * other[name]:
            assert a[name] >= b[name]


@pytest.mark.parametrize(
    ("mode", "favoured"),
    [("fast", "time"), ("accurate", "accuracy"), ("thorough", "completeness"), ("cheap", "cost"),
     ("simple", "complexity")],
)  # fmt: skip
def test_a_mode_favours_one_weight(mode: str, favoured: str) -> None:
    weights = mode_weights(mode)
    assert weights.pop(favoured) == 0.40
    assert set(weights.values()) == {0.15}


def test_weights_of_every_mode_sum_to_one() -> None:
    assert set(mode_weights("balanced").values()) == {0.20}
    for mode in MODES:
        assert math.fsum(mode_weights(mode).values()) == pytest.approx(1, abs=1e-12)


@given(SHARES)
def test_weights_that_sum_to_one_are_taken(shares: list[int]) -> None:
    assert checked_weights(weights_of(shares)) == weights_of(shares)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"time": 0.5}, "sum to 0.5"),
        ({"time": 1.011}, "sum to 1.011"),
        ({"speed": 1.0}, "'speed'"),
        ({"time": 1.5, "cost": -0.5}, "cost is -0.5"),
        ({"time": True}, "time is True"),
        ({"time": "1"}, "time is '1'"),
        ({"time": float("nan")}, "nan"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        checked_weights(weights)


@pytest.mark.parametrize("total", [0.99, 1.0, 1.01])
def test_weights_may_be_rounded(total: float) -> None:
    assert checked_weights({"time": total})["time"] == total


def test_the_score_is_the_weighted_sum_and_a_missing_feature_is_middling() -> None:
    features = {"time_ms": 0.9, "cost": 0.8, "complexity": 0.7, "accuracy": 0.6,
                "completeness": 0.5}  # fmt: skip
    expected = 0.4 * 0.9 + 0.15 * (0.8 + 0.7 + 0.6 + 0.5)
    assert scores_of([feature_row(features)], mode_weights("fast"))[0] == pytest.approx(
        expected, abs=1e-9
    )
    assert scores_of([feature_row({})], mode_weights("cheap"))[0] == pytest.approx(0.5, abs=1e-9)
    assert contributions(features, mode_weights("fast"))["time"] == pytest.approx(0.36, abs=1e-9)


@given(RAW, RAW, SHARES)
def test_a_dominated_candidate_never_wins(
    one: dict[str, float], other: dict[str, float], shares: list[int]
) -> None:
    better = {
        name: (min if name in SMALLER_IS_BETTER else max)(one[name], other[name])
        for name in FEATURES
    }
    entrants = [entrant("worse", one), entrant("better", better)]
    first = entrants[ranked(entrants, weights_of(shares))[0][0]]
    assert first.name == ("better" if dominates(better, one) else "worse")


@given(st.lists(RAW, min_size=1, max_size=6), RAW, SHARES, st.randoms(use_true_random=False))
def test_an_irrelevant_worse_candidate_never_changes_the_winner(
    raws: list[dict[str, float]], worse: dict[str, float], shares: list[int], chance: object
) -> None:
    weights = weights_of(shares)
    entrants = [entrant(str(number), raw) for number, raw in enumerate(raws)]
    winner = entrants[ranked(entrants, weights)[0][0]]
    raw = winner.raw or {}
    worse = {
        name: (max if name in SMALLER_IS_BETTER else min)(worse[name], raw[name])
        for name in FEATURES
    }
    if not dominates(raw, worse):
        return
    more = list(entrants)
    more.insert(chance.randint(0, len(more)), entrant("worse", worse))
    assert more[ranked(more, weights)[0][0]].name == winner.name


@given(st.lists(RAW, max_size=8), SHARES)
def test_the_order_is_by_score_and_always_the_same(
    raws: list[dict[str, float]], shares: list[int]
) -> None:
    entrants = [entrant(str(number), raw) for number, raw in enumerate(raws)]
    order = ranked(entrants, weights_of(shares))
    assert sorted(index for index, _ in order) == list(range(len(raws)))
    scores = [score for _, score in order]
    assert scores == sorted(scores, reverse=True)
    assert ranked(entrants, weights_of(shares)) == order


def test_equal_scores_are_decided_by_raw_figures_then_by_the_order_given() -> None:
    slow, slower = {"time_ms": 70_000.0}, {"time_ms": 90_000.0}
    entrants = [entrant("b", slower), entrant("a", slow), entrant("c", slow)]
    assert [entrants[i].name for i, _ in ranked(entrants, mode_weights("fast"))] == ["a", "c", "b"]


def test_features_alone_decide_equal_scores_too() -> None:
    weights = checked_weights({"time": 1.0})
    worse = Entrant("worse", {"time_ms": 0.5, "cost": 0.1})
    better = Entrant("better", {"time_ms": 0.5, "cost": 0.2})
    assert ranked([worse, better], weights)[0][0] == 1


@pytest.mark.parametrize(
    ("scores", "gap", "is_ambiguous"),
    [
        ([], 1.0, False),
        ([0.9], 1.0, False),
        ([0.85, 0.77], 0.08, True),
        ([0.50, 0.42], 0.08, False),
        ([0.9, 0.9, 0.1], 0.0, True),
        ([0.9, 0.5], 0.4, False),
    ],
)
def test_two_scores_can_be_too_close(scores: list[float], gap: float, is_ambiguous: bool) -> None:
    found = closeness(scores, [{} for _ in scores])
    assert found.gap == pytest.approx(gap, abs=1e-9)
    assert found.is_ambiguous is is_ambiguous
    assert (found.question is not None) is is_ambiguous


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_the_question_is_about_the_greatest_difference(name: str) -> None:
    other = {"accuracy": 0.55, name: 0.2}
    assert closeness([0.5, 0.5], [{"accuracy": 0.5}, other]).question == QUESTIONS[name]


def test_small_differences_ask_a_general_question() -> None:
    near = [{"time_ms": 0.50}, {"time_ms": 0.54}]
    assert closeness([0.5, 0.5], near).question == GENERAL_QUESTION


@pytest.mark.parametrize(
    ("time_ms", "rules", "mode"),
    [
        (100, [], "immediate"),
        (5000, [], "immediate"),
        (5000.1, [], "background"),
        (None, [], "background"),
        (100, ["background_required"], "background"),
        (100, ["max_n_immediate_exceeded"], "background"),
        (9000, ["requires_approval", "background_required"], "approval_required"),
    ],
)
def test_execution_mode(time_ms: float | None, rules: list[str], mode: str) -> None:
    assert execution_mode(time_ms, rules) == mode


@pytest.mark.parametrize(
    ("time_ms", "sla"),
    [(999.9, "interactive"), (1000, "batch"), (9999, "batch"), (10_000, "background"),
     (None, "unknown")],
)  # fmt: skip
def test_sla_class(time_ms: float | None, sla: str) -> None:
    assert sla_class(time_ms) == sla
