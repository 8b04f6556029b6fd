"""From a need to a choice: filters, policy, figures with basis, order, tie-break, explanation."""

from __future__ import annotations

import json
import math
import operator
from importlib.metadata import EntryPoint
from threading import Event
from typing import Any

import pytest
from factories import make_pattern, make_snapshot, make_tool
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError
from tool_catalog_pipelines.selection import tie_break
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.choice import Choice, NoChoiceError, select
from tool_catalog_pipelines.selection.explanation import choice_as_json
from tool_catalog_pipelines.selection.need import Need
from tool_catalog_pipelines.selection.normalisation import normalise
from tool_catalog_pipelines.selection.scoring import feature_row, mode_weights, scores_of
from tool_catalog_pipelines.selection.sentences import choice_as_text
from tool_catalog_pipelines.selection.success import success_rate
from tool_catalog_pipelines.selection.tie_break import (
    GROUP,
    TieBreaker,
    decide,
    decision_in,
    find_tie_breaker,
)

USE = ("use",)


def match(accuracy: float = 0.5, completeness: float = 0.5) -> dict[str, float]:
    return {"accuracy": accuracy, "completeness": completeness}


@pytest.fixture
def index() -> CandidateIndex:
    return index_of(
        make_tool("linux/slow", time_estimate_ms="20000", preference_match=match(1.0, 1.0)),
        make_tool("linux/quick", time_estimate_ms="60", preference_match=match(0.3, 0.3)),
        make_tool(
            "windows/dear",
            time_estimate_ms="500",
            cost_estimate="9",
            preference_match=match(1.0, 1.0),
        ),
    )


def index_of(*tools: Any, history: Any = None) -> CandidateIndex:
    return CandidateIndex(make_snapshot(*tools), history)


def chosen(choice: Choice) -> str:
    return choice.chosen.candidate.short_name


def test_the_mode_decides(index: CandidateIndex) -> None:
    assert chosen(select(Need(USE, mode="fast"), index)) == "quick.run"
    assert chosen(select(Need(USE, "please be accurate"), index)) == "slow.run"
    assert chosen(select(Need(USE, "fast", platform="windows"), index)) == "dear.run"
    assert chosen(select(Need(USE, weights={"cost": 0.5, "accuracy": 0.5}), index)) == "slow.run"


def test_the_score_is_that_of_the_formula(index: CandidateIndex) -> None:
    choice = select(Need(USE, mode="fast"), index)
    for judged in choice.ranking:
        candidate = judged.candidate
        raw = {
            "time_ms": candidate.time_ms.value,
            "cost": candidate.cost_units.value,
            "complexity": 0.5,
            "accuracy": candidate.pattern.preference_match.accuracy,
            "completeness": candidate.pattern.preference_match.completeness,
        }
        expected = scores_of([feature_row(normalise(raw))], mode_weights("fast"))[0]
        assert judged.score == pytest.approx(expected, abs=1e-9)


def test_every_pattern_of_any_capability_competes() -> None:
    tool = make_tool(
        capabilities={
            "one": {"a": make_pattern(), "b": make_pattern(time_estimate_ms="100")},
            "two": {"c": make_pattern(cost_estimate="2")},
            "other": {"d": make_pattern()},
        }
    )
    choice = select(Need(("one", "two")), index_of(tool))
    assert {one.candidate.pattern_name for one in choice.ranking} == {"a", "b", "c"}
    assert [one.candidate.short_name for one in choice.alternatives] == ["echo.b", "echo.c"]


def test_disabled_tools_and_drafts_are_no_candidates() -> None:
    index = index_of(
        make_tool("linux/off", tool={"enabled": False}),
        make_tool("linux/draft", tool={"status": "draft"}),
        make_tool("linux/on"),
    )
    assert [one.candidate.short_name for one in select(Need(USE), index).ranking] == ["on.run"]


@pytest.mark.parametrize(
    ("need", "estimate", "value", "source"),
    [
        (Need(USE), "2 * N", 20, "the tool's default"),
        (Need(USE, "all of them"), "2 * N", 2000, "the word 'all'"),
        (Need(USE, "all", variables={"N": 3}), "2 * N", 6, "given"),
        (Need(USE, metadata={"asset_count": 4}), "2 * N", 8, "asset_count"),
        (Need(USE), "10 * pages", 10, "assumed"),
        (Need(USE, variables={"N": 5000}), "N", 2000, "given, 5000 brought into the tool's range"),
    ],
)
def test_variables_and_where_they_come_from(
    need: Need, estimate: str, value: float, source: str
) -> None:
    variables = {"N": {"unit": "count", "default": 10, "range": [0, 2000]}}
    index = index_of(make_tool(time_estimate_ms=estimate, variables=variables))
    candidate = select(need, index).chosen.candidate
    assert candidate.time_ms.value == pytest.approx(value, abs=1e-9)
    assert [one.source for one in candidate.values.values()] == [source]


def test_a_variable_that_nobody_knows_is_told_and_removes_nobody() -> None:
    index = index_of(make_tool(time_estimate_ms="5 * packet_count"), make_tool("linux/other"))
    choice = select(Need(USE), index)
    (unknown,) = [one for one in choice.ranking if one.candidate.time_ms.value is None]
    assert "packet_count has no value" in unknown.candidate.time_ms.origin
    assert unknown.score == pytest.approx(
        0.2 * (0.5 + 0.9 + 0.5 + 0.5 + 0.5), abs=1e-9
    )  # an unknown time is middling
    known = select(Need(USE, variables={"packet_count": 2}), index)
    assert all(one.candidate.time_ms.value == 10 for one in known.ranking)


@pytest.mark.parametrize("text", ["1 / N", "-5", "2 +"])
def test_an_estimate_without_a_proper_value_is_unknown(text: str) -> None:
    index = index_of(make_tool(time_estimate_ms=text))
    choice = select(Need(USE, variables={"N": 0}), index)
    assert choice.chosen.candidate.time_ms.basis == "unknown"
    assert choice.sla_class == "unknown"
    assert choice.execution_mode == "background"


def test_recalibrated_estimates_count_and_say_from_how_many_runs() -> None:
    better = Estimate("70", "1", "recalibrated", runs=120, revision=2)
    index = index_of(
        make_tool("linux/declared", time_estimate_ms="100"),
        make_tool("linux/measured", time_estimate_ms="9000", estimates={("use", "run"): better}),
    )
    choice = select(Need(USE, mode="fast"), index)
    assert chosen(choice) == "measured.run"
    assert choice.chosen.candidate.time_ms.origin == "recalibrated from 120 runs"
    assert choice_as_json(choice)["estimates"]["time_ms"]["runs"] == 120


def test_the_success_rate_counts_from_20_executions_on() -> None:
    assert success_rate(None) is None
    assert success_rate((10, 9)) is None
    rate = success_rate((10, 10))
    assert rate is not None
    assert rate.rate == pytest.approx(0.5, abs=1e-9)
    assert rate.low < 0.5 < rate.high
    tool = make_tool("linux/flaky@1.0.0", time_estimate_ms="600", cost_estimate="2")
    history = {("linux/flaky@1.0.0", "use/run"): (16, 8)}
    candidate = select(Need(USE), index_of(tool, history=history)).chosen.candidate
    assert candidate.raw["time_ms"] == pytest.approx(600 / (18 / 28), abs=1e-9)
    assert candidate.raw["cost"] == pytest.approx(2 / (18 / 28), abs=1e-9)
    assert candidate.time_ms.value == 600


def test_a_flaky_tool_loses_against_a_steady_one() -> None:
    tools = (make_tool("linux/flaky", time_estimate_ms="500"),
             make_tool("linux/steady", time_estimate_ms="600"))  # fmt: skip
    need = Need(USE, mode="fast")
    assert chosen(select(need, index_of(*tools))) == "flaky.run"
    history = {("linux/flaky@1.0.0", "use/run"): (20, 20)}
    assert chosen(select(need, index_of(*tools, history=history))) == "steady.run"


@pytest.mark.parametrize(
    ("policy", "need", "rule"),
    [
        ({"allowed_environments": ["staging"]}, Need(USE), "environment_mismatch"),
        ({"production_safe": False}, Need(USE), "not_production_safe"),
        ({"max_cost": 0.5}, Need(USE), "cost_exceeded"),
        ({"required_permissions": ["write"]}, Need(USE, permissions=frozenset({"read"})),
         "missing_permission"),
        ({"max_execution_time_s": 0.001}, Need(USE), "execution_time_exceeded"),
        ({}, Need(USE, max_time_ms=5), "time_limit_exceeded"),
        ({}, Need(USE, max_cost=0.5), "cost_exceeded"),
    ],
)  # fmt: skip
def test_hard_rules_of_the_pattern_and_the_need_refuse(
    policy: dict[str, Any], need: Need, rule: str
) -> None:
    index = index_of(make_tool(policy=policy))
    with pytest.raises(NoChoiceError) as caught:
        select(need, index)
    assert caught.value.problems[0].code == "all_refused"
    assert caught.value.refused[0].verdict.rules == {rule}


@pytest.mark.parametrize(
    ("policy", "query", "mode"),
    [
        ({"max_N_immediate": 50}, "", "background"),
        ({"max_N_immediate": 50}, "just one", "immediate"),
        ({"requires_background_if": "N > 50"}, "all of them", "background"),
        ({"requires_background_if": "N > 50"}, "a single one", "immediate"),
        ({"requires_background_if": "time_ms > 5"}, "", "background"),
        ({"requires_background_if": "environment == 'staging'"}, "", "immediate"),
        ({"requires_approval": True, "max_N_immediate": 50}, "", "approval_required"),
    ],
)
def test_soft_rules_say_how_it_is_executed(policy: dict[str, Any], query: str, mode: str) -> None:
    choice = select(Need(USE, query), index_of(make_tool(policy=policy)))
    assert choice.execution_mode == mode


def test_what_cannot_be_executed_is_chosen_and_said_unless_left_out() -> None:
    index = index_of(
        make_tool("linux/wish", binding=None), make_tool("linux/echo", cost_estimate="5")
    )
    choice = select(Need(USE), index)
    assert not choice.chosen.candidate.is_executable
    assert "cannot be executed here" in choice_as_text(choice)
    assert chosen(select(Need(USE, executable_only=True), index)) == "echo.run"


def test_nothing_found_and_nothing_said_are_different_errors(index: CandidateIndex) -> None:
    with pytest.raises(NotFoundError, match="near: use"):
        select(Need(("uses",)), index)
    with pytest.raises(NoChoiceError) as caught:
        select(Need(USE, platform="cloud"), index)
    assert caught.value.problems[0].code == "no_candidates"
    with pytest.raises(InvalidInputError, match="name a capability"):
        select(Need(query="anything"), index)


def test_a_need_is_checked_with_every_problem_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        Need(USE, variables={"N": math.nan}, max_cost=-1, max_time_ms=math.inf, mode="x",
             weights={"time": 2.0})  # fmt: skip
    assert len(caught.value.problems) == 5


def twins(answer: TieBreaker | None) -> Choice:
    index = index_of(
        make_tool(capabilities={"use": {"a": make_pattern(), "b": make_pattern()}}),
    )
    return select(Need(USE, "do it"), index, answer)


def test_a_tie_is_broken_by_who_is_asked_also_between_patterns_of_one_tool() -> None:
    prompts: list[str] = []

    def ask(prompt: str, timeout_s: float) -> str:
        prompts.append(prompt)
        assert timeout_s == 3.0
        return '```json\n{"choice": "b", "justification": "it is newer"}\n```'

    choice = twins(ask)
    assert chosen(choice) == "echo.b"
    assert not choice_as_json(choice)["explanation"]["changes"], "figures did not decide"
    assert (choice.method, choice.decision and choice.decision.justification) == (
        "llm_tiebreaker", "it is newer",
    )  # fmt: skip
    assert "time 10 ms; cost 1" in prompts[0]


@pytest.mark.parametrize(
    "answer",
    ["", "B", "[]", '{"choice": "C", "justification": "x"}', '{"choice": "B"}',
     '{"choice": "B", "justification": " "}', '{"choice": 1, "justification": "x"}'],
)  # fmt: skip
def test_without_a_proper_answer_the_order_holds(answer: str) -> None:
    choice = twins(lambda _prompt, _timeout: answer)
    assert (chosen(choice), choice.method) == ("echo.a", "deterministic")
    with pytest.raises(ValueError, match=r"\w"):
        decision_in(answer)


def test_whoever_fails_to_answer_does_not_stop_the_selection() -> None:
    def ask(_prompt: str, _timeout_s: float) -> str:
        raise TimeoutError("too slow")

    assert chosen(twins(ask)) == "echo.a"


def test_whoever_never_answers_is_left_alone() -> None:
    is_asked, may_end = Event(), Event()

    def ask(_prompt: str, _timeout_s: float) -> str:
        is_asked.set()
        may_end.wait(60)
        return '{"choice": "B", "justification": "late"}'

    first = twins(None).chosen.candidate
    assert decide(ask, "do it", first, first, timeout_s=0.05) is None
    assert is_asked.is_set()
    may_end.set()


def test_a_tie_breaker_is_found_by_the_name_it_is_registered_under(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = EntryPoint("second", "operator:concat", GROUP)
    monkeypatch.setattr(tie_break, "entry_points", lambda group: [entry] if group == GROUP else [])
    assert find_tie_breaker("") is None
    assert find_tie_breaker("second") is operator.concat
    with pytest.raises(InvalidInputError, match="TOOL_CATALOG_TIE_BREAKER") as caught:
        find_tie_breaker("third")
    assert caught.value.problems[0].hint == "known: second"


def test_nobody_is_asked_when_the_first_is_clear(index: CandidateIndex) -> None:
    def ask(_prompt: str, _timeout_s: float) -> str:
        raise AssertionError

    clear = Need(USE, mode="accurate", platform="linux")
    assert not select(clear, index, ask).closeness.is_ambiguous


def test_the_explanation_says_why_why_not_and_what_would_change_it(index: CandidateIndex) -> None:
    choice = select(Need(USE, "quick", max_cost=5), index)
    text = choice_as_text(choice)
    assert "you said 'quick'" in text
    assert "linux/slow run" in text
    assert "20 s" in text
    assert "the cost 9 is above the limit 5" in text
    document = choice_as_json(choice)
    assert json.loads(json.dumps(document)) == document
    changes = {(one["kind"], one["winner"]) for one in document["explanation"]["changes"]}
    assert ("mode", "linux/slow@1.0.0 run") in changes


def test_what_would_change_the_answer_does_change_it(index: CandidateIndex) -> None:
    choice = select(Need(USE, "quick"), index)
    for change in choice_as_json(choice)["explanation"]["changes"]:
        if change["kind"] == "mode":
            modes = change["what"].removeprefix("with the mode ").split(" or ")
            for mode in modes:
                other = select(Need(USE, mode=mode), index)
                assert other.chosen.candidate.label == change["winner"]


@pytest.mark.parametrize("history", [{}, {("linux/second@1.0.0", "use/run"): (30, 10)}])
def test_a_faster_runner_up_wins_at_the_time_that_is_told(history: dict[Any, Any]) -> None:
    def tools(second_ms: float) -> CandidateIndex:
        return index_of(
            make_tool("linux/first", time_estimate_ms="200", preference_match=match(0.6, 0.6)),
            make_tool("linux/second", time_estimate_ms=str(second_ms)),
            history=history,
        )

    need = Need(USE, mode="fast")
    choice = select(need, tools(250))
    (told,) = [c["what"] for c in choice_as_json(choice)["explanation"]["changes"]
               if c["kind"] == "time_ms"]  # fmt: skip
    limit = float(told.split("less than ")[1].split(" ms")[0])
    assert chosen(select(need, tools(limit * 1.01))) == "first.run"
    assert chosen(select(need, tools(limit * 0.99))) == "second.run"


def test_a_lifted_limit_is_told_where_it_would_change_the_answer() -> None:
    index = index_of(
        make_tool("linux/plain", time_estimate_ms="900"),
        make_tool("linux/risky", policy={"production_safe": False}),
    )
    changes = choice_as_json(select(Need(USE), index))["explanation"]["changes"]
    assert {"policy"} == {change["kind"] for change in changes if "risky" in change["winner"]}


@given(
    st.lists(
        st.tuples(st.floats(1, 1e5), st.floats(0, 12), st.floats(0, 1), st.booleans()),
        min_size=1, max_size=5,
    ),
    st.floats(0, 12) | st.none(),
    st.floats(1, 1e5) | st.none(),
    st.sampled_from(["", "quick", "cheap", "all, accurate"]),
)  # fmt: skip
def test_relaxing_removes_nobody_and_the_choice_is_always_the_same(
    figures: list[tuple[float, float, float, bool]],
    max_cost: float | None,
    max_time_ms: float | None,
    query: str,
) -> None:
    index = index_of(
        *(
            make_tool(
                f"linux/t{number}", time_estimate_ms=repr(time_ms), cost_estimate=repr(cost),
                preference_match=match(accuracy), policy={"production_safe": is_safe},
            )
            for number, (time_ms, cost, accuracy, is_safe) in enumerate(figures)
        )
    )  # fmt: skip

    def allowed(**limits: Any) -> set[str]:
        try:
            found = select(Need(USE, query, **limits), index)
        except NoChoiceError:
            return set()
        assert select(Need(USE, query, **limits), index) == found
        return {one.candidate.label for one in found.ranking}

    tight = allowed(max_cost=max_cost, max_time_ms=max_time_ms)
    assert tight <= allowed(max_time_ms=max_time_ms)
    assert tight <= allowed(max_cost=max_cost)
    assert tight <= allowed(
        max_cost=max_cost, max_time_ms=max_time_ms, require_production_safe=False
    )
