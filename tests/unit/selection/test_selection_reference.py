"""A choice among many has exactly the order, scores and refusals of the plainest way."""

from __future__ import annotations

import itertools
from typing import Any

from factories import make_snapshot, make_tool
from hypothesis import given
from hypothesis import strategies as st
from plain_selection import Plain, dominates, plain_order, plain_score, plain_select

from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.choice import Choice, NoChoiceError, select
from tool_catalog_pipelines.selection.dominance import merits_of_raw, undominated_first
from tool_catalog_pipelines.selection.explanation import choice_as_json
from tool_catalog_pipelines.selection.judged import Judged
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.normalisation import FEATURES
from tool_catalog_pipelines.selection.policy import Limits, Verdict, is_refused, judge
from tool_catalog_pipelines.selection.scoring import WEIGHTS, feature_row, scores_of
from tool_catalog_pipelines.spec.tool import PolicySpec

TIMES = ["10", "20", "30 + N", "5 * other", "1 / N", "70000 + N", "N", "100 * pages", "x", None]
COSTS = ["1", "2", "N / 100", "12", "15", "3 * other", None]
SHARES = st.sampled_from([0.0, 0.2, 0.5, 1.0])
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "max_cost": st.sampled_from([1, 5]),
        "production_safe": st.booleans(),
        "requires_background_if": st.sampled_from(
            ["N > 40", "time_ms > 100 or cost > 2", "other == 3", "environment == 'staging'"]
        ),
        "max_N_immediate": st.sampled_from([10, 500]),
        "allowed_environments": st.sampled_from([["production"], ["staging"]]),
        "required_permissions": st.sampled_from([["read"], ["admin"], ["fly"]]),
        "max_execution_time_s": st.sampled_from([0.02, 70]),
        "requires_approval": st.booleans(),
    },
)
VARIABLES = st.sampled_from(
    [{}, {"N": {"unit": "count", "default": 5}},
     {"N": {"unit": "count", "default": 50, "range": [1, 500]}}]
)  # fmt: skip
PATTERNS = st.fixed_dictionaries(
    {
        "time_estimate_ms": st.sampled_from(TIMES),
        "cost_estimate": st.sampled_from(COSTS),
        "complexity_score": SHARES,
        "preference_match": st.fixed_dictionaries({"accuracy": SHARES, "completeness": SHARES}),
        "policy": POLICIES,
        "variables": VARIABLES,
    }
)
NEEDS = st.fixed_dictionaries(
    {"query": st.sampled_from(["", "quick", "all of it, cheap", "every single page, exactly"])},
    optional={
        "variables": st.sampled_from([{"N": 0}, {"N": 700}, {"N": 7, "other": 3}]),
        "max_cost": st.sampled_from([0.5, 2, 10]),
        "max_time_ms": st.sampled_from([15, 100, 1e5]),
        "environment": st.just("staging"),
        "permissions": st.just(frozenset({"read", "fly"})),
        "weights": st.sampled_from([{"time": 0.5, "cost": 0.5}, {"accuracy": 1.0}]),
        "require_production_safe": st.just(False),
    },
)
FIGURE = st.sampled_from([0.0, 1.0, 2.0])
RAW = st.fixed_dictionaries(
    {"time_ms": FIGURE, "cost": FIGURE, "accuracy": FIGURE}, optional={"completeness": FIGURE}
)


def shown(judged: Judged) -> tuple[str, dict[str, float], Verdict, float]:
    candidate = judged.candidate
    return candidate.label, candidate.raw, judged.verdict, judged.score


@given(st.lists(PATTERNS, min_size=1, max_size=7), NEEDS)
def test_a_choice_is_that_of_the_plainest_way(
    patterns: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    tools = [make_tool(f"linux/t{number}", **one) for number, one in enumerate(patterns)]
    need = Need(("use",), **asked)
    allowed, refused = plain_select(need, tools, "use")
    index = CandidateIndex(make_snapshot(*tools))
    try:
        choice = select(need, index)
    except NoChoiceError as error:
        assert not allowed
        assert [shown(one) for one in error.refused] == [(*one[:3], 0.0) for one in refused]
        return
    assert [shown(one) for one in choice.ranking] == [tuple(one) for one in allowed]
    assert [shown(one) for one in choice.refused] == [(*one[:3], 0.0) for one in refused]
    assert [shown(one) for one in choice.alternatives] == [tuple(one) for one in allowed[1:4]]
    check_explanation(choice, allowed, refused)
    assert select(need, index) == choice


def check_explanation(choice: Choice, allowed: list[Plain], refused: list[Plain]) -> None:
    found = choice_as_json(choice)
    assert (found["candidates"], found["refused"]) == (len(allowed + refused), len(refused))
    assert found["score"] == allowed[0].score
    told = found["explanation"]
    assert [one["score"] for one in told["ranking"]] == [one.score for one in allowed]
    assert [one["against"] is None for one in told["ranking"]] == [
        one is allowed[0] for one in allowed
    ]
    assert [[v["message"] for v in one["violations"]] for one in told["refused"]] == [
        [violation.message for violation in one.verdict.violations] for one in refused
    ]
    better = [one.label for one in refused if one.score > allowed[0].score]
    lifted = [change["winner"] for change in told["changes"] if change["kind"] == "policy"]
    assert set(lifted) <= set(better)
    assert len(lifted) == min(3, len(better))


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(10, 13)), min_size=1, max_size=8))
def test_tools_of_equal_scores_are_chosen_by_their_raw_figures(
    figures: list[tuple[int, int]],
) -> None:
    tools = [
        make_tool(f"linux/t{number}", time_estimate_ms=str(time_ms), cost_estimate=str(cost))
        for number, (time_ms, cost) in enumerate(figures)
    ]
    need = Need(("use",))
    choice = select(need, CandidateIndex(make_snapshot(*tools)))
    assert {one.score for one in choice.ranking} == {choice.chosen.score}
    allowed, _ = plain_select(need, tools, "use")
    assert [shown(one) for one in choice.ranking] == [tuple(one) for one in allowed]


def test_a_part_of_a_ranking_is_that_of_the_whole() -> None:
    tools = [make_tool(f"linux/t{n}", time_estimate_ms=str(60 * n + 60)) for n in range(6)]
    ranking = select(Need(("use",)), CandidateIndex(make_snapshot(*tools))).ranking
    every = list(ranking)
    assert ranking[-1] == every[-1]
    assert ranking[1:4] == tuple(every[1:4])
    assert ranking[::-2] == tuple(every[::-2])
    assert every[2] in ranking


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), max_size=5),
    st.lists(st.floats(0, 1), min_size=5, max_size=5),
)
def test_many_scores_are_the_same_sum_to_the_last_digit(
    rows: list[list[float]], shares: list[float]
) -> None:
    weights = dict(zip(WEIGHTS, shares, strict=True))
    features = [dict(zip(FEATURES, row, strict=True)) for row in rows]
    for one in features[:2]:
        del one["cost"]
    expected = [plain_score(one, weights) for one in features]
    assert scores_of([feature_row(one) for one in features], weights) == expected


@given(st.lists(RAW, max_size=12))
def test_equal_scores_come_in_the_order_of_the_plainest_way(raws: list[dict[str, float]]) -> None:
    rest = [Plain(str(number), raw, Verdict(), 0.5) for number, raw in enumerate(raws)]
    expected = [int(one.label) for one in plain_order(rest)]
    assert undominated_first(map(merits_of_raw, raws)) == expected


def test_a_thousand_equal_scores_that_dominate_one_another_are_put_in_order() -> None:
    raws = [{"time_ms": 1000.0 - number, "cost": 1.0} for number in range(1000)]
    assert undominated_first(map(merits_of_raw, raws)) == list(reversed(range(1000)))
    assert all(dominates(after, before) for before, after in itertools.pairwise(raws))


@given(
    POLICIES.map(PolicySpec.model_validate),
    st.builds(
        Limits,
        max_cost=st.none() | st.sampled_from([0.0, 1.0, 3.0]),
        max_time_ms=st.none() | st.sampled_from([5.0, 50.0]),
        environment=st.sampled_from(["production", "staging"]),
        available_permissions=st.sampled_from([frozenset[str](), frozenset({"read", "admin"})]),
        require_production_safe=st.booleans(),
    ),
    st.none() | st.sampled_from([1.0, 30.0, 80_000.0]),
    st.none() | st.sampled_from([0.5, 2.0, 9.0]),
)
def test_who_is_refused_has_a_verdict_that_does_not_allow_it(
    policy: PolicySpec, limits: Limits, time_ms: float | None, cost: float | None
) -> None:
    verdict = judge(policy, limits, time_ms, cost, {})
    assert is_refused(policy, limits, time_ms, cost) is not verdict.is_allowed
