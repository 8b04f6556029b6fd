"""Documents in, documents out: keys, errors with every problem, lines that fail alone."""

from __future__ import annotations

import io
import json
import math
import sys
from typing import Any

import pytest

from tool_catalog_pipelines.cli import selection_answers as answers
from tool_catalog_pipelines.cli.batch import (
    MAX_LINE,
    Answer,
    UnreadableDocumentError,
    error_document,
    read_document,
    respond_to_lines,
)
from tool_catalog_pipelines.cli.chain_order import order_answer
from tool_catalog_pipelines.errors import (
    InvalidInputError,
    NotFoundError,
    Position,
    Problem,
    TerminalError,
    TransientError,
)
from tool_catalog_pipelines.expressions.errors import ExpressionError


def lines(
    answer: Answer, text: bytes, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
) -> list[Any]:
    patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    respond_to_lines(answer)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_rank_gives_order_scores_features_and_closeness() -> None:
    figures = {"time_ms": 1000, "cost": 1, "complexity": 0.2, "accuracy": 0.9, "completeness": 0.8}
    dear = {**figures, "cost": 9}
    found = answers.rank({"mode": "cheap", "candidates": {"dear": dear, "plain": figures}})
    time_feature = 1 - (math.log(1000) - math.log(50)) / (math.log(60_000) - math.log(50))
    rest = 0.15 * (time_feature + 0.8 + 0.9 + 0.8)
    assert found["order"] == ["plain", "dear"]
    assert found["scores"]["plain"] == pytest.approx(0.4 * 0.9 + rest, abs=1e-9)
    assert found["scores"]["dear"] == pytest.approx(0.4 * 0.1 + rest, abs=1e-9)
    assert found["features"]["dear"]["cost"] == pytest.approx(0.1, abs=1e-9)
    assert (found["gap"], found["ambiguous"], found["question"]) == (
        pytest.approx(0.32, abs=1e-9), False, None,
    )  # fmt: skip


def test_rank_takes_features_as_they_are() -> None:
    candidates = {"a": {"time_ms": 0.1}, "b": {"time_ms": 0.2}}
    found = answers.rank({"weights": {"time": 1.0}, "candidates": candidates, "normalised": True})
    assert found["scores"] == {"b": 0.2, "a": 0.1}
    assert answers.rank({"candidates": {}})["gap"] == 1.0


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({}, 1),
        ({"candidates": {"a": 1}, "mode": "fast", "weights": {}, "modes": 1}, 3),
        ({"candidates": {"a": {"speed": 1, "cost": "x", "time_ms": math.inf}}}, 3),
        ({"candidates": {"a": {"cost": 2}}, "normalised": True}, 1),
        ({"candidates": {}, "mode": "quickest"}, 1),
        ({"candidates": {}, "weights": {"time": 0.1}}, 1),
        ({"candidates": {}, "weights": {"time": 0.4, "time_ms": 1}}, 1),
        ({"candidates": {str(number): {} for number in range(answers.MAX_CANDIDATES + 1)}}, 1),
        ({"candidates": [], "normalised": "yes", "mode": 5}, 4),
    ],
)
def test_rank_tells_every_problem(document: dict[str, Any], count: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.rank(document)
    assert len(caught.value.problems) == count


@pytest.mark.parametrize(
    ("pattern", "config", "context", "rules"),
    [
        ({"cost": 1}, {}, {}, ["not_production_safe"]),
        ({"production_safe": True, "cost": 2}, {"max_cost": 1}, {}, ["cost_exceeded"]),
        ({"production_safe": True}, {"max_cost": 0}, {}, []),
        ({"production_safe": True, "cost_estimate": "N / 10"}, {"max_cost": 1}, {"N": 20},
         ["cost_exceeded"]),
        ({"policy": {"production_safe": True, "max_N_immediate": 5}}, {}, {"N": 6},
         ["max_n_immediate_exceeded"]),
        ({"production_safe": True, "requires_background_if": "N > 50"}, {}, {"N": 51},
         ["background_required"]),
        ({"production_safe": True, "requires_background_if": False}, {}, {}, []),
        ({"production_safe": True, "requires_background_if": 1}, {}, {}, ["background_required"]),
        ({"production_safe": True, "required_permissions": ["admin"]},
         {"available_permissions": ["read"], "require_approval_for_elevated": False}, {},
         ["missing_permission"]),
        ({"allowed_environments": ["production"]}, {"environment": "staging"}, {},
         ["environment_mismatch"]),
        ({"production_safe": False}, {"require_production_safe": False}, {}, []),
        ({"production_safe": True, "time_ms": 10}, {"max_time_ms": 5}, {},
         ["time_limit_exceeded"]),
    ],
)  # fmt: skip
def test_policy(
    pattern: dict[str, Any], config: dict[str, Any], context: dict[str, Any], rules: list[str]
) -> None:
    found = answers.policy({"pattern": pattern, "config": config, "context": context})
    assert [violation["rule"] for violation in found["violations"]] == rules
    hard = [one for one in found["violations"] if one["severity"] == "hard"]
    assert found["allowed"] is not bool(hard)
    assert found["requires_approval"] is (len(hard) < len(found["violations"]))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"config": {"max_costs": 1}}, "max_costs"),
        ({"config": {"max_cost": "1"}}, "max_cost"),
        ({"pattern": {"max_cost": -1}}, "max_cost is -1"),
        ({"pattern": {"cost": "N +"}}, "cost 'N \\+'"),
        ({"pattern": []}, "pattern is"),
        ({"pattern": {"required_permissions": [1]}}, "required_permissions"),
        ({"pattern": {"policy": 5}}, "policy is 5"),
        ({"pattern": {"requires_background_if": []}}, "requires_background_if is"),
        ({"pattern": {"production_safe": "false"}}, "production_safe is 'false'"),
        ({"pattern": {"requires_approval": 1}}, "requires_approval is 1"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        answers.policy(document)


def test_preference_and_context() -> None:
    assert answers.preference({"query": "quick"})["mode"] == "fast"
    assert answers.preference({"query": "quick", "mode": "cheap"}) == {
        "mode": "cheap", "confidence": 1.0,
    }  # fmt: skip
    assert answers.context({"query": "all", "metadata": {"page_count": 2}}) == {
        "N": 1000, "pages": 2, "p95_latency": 1000,
    }  # fmt: skip


def test_order_answer() -> None:
    found = order_answer({"steps": [["b", ["a", "x"]], ["a", []]]})
    assert found == {
        "order": ["a", "b"], "levels": [["a"], ["b"]], "errors": ["Missing dependency: x"],
    }  # fmt: skip
    for steps in (None, "a", [["a"]], [[1, []]], [["a", "b"]], [["a", [1]]]):
        with pytest.raises(InvalidInputError):
            order_answer({"steps": steps})


def test_every_line_has_an_answer_and_errors_stay_in_their_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        b'{"query": "quick"}\n\n[1]\nnope\n{"query": 5}\n\xff\n{"query": NaN}\n'
        + b"[" * 100_000
        + b'\n\xef\xbb\xbf{"query": "cheap"}\r\n{"query": "\xff fast"}'
    )
    found = lines(answers.preference, text, capsys, monkeypatch)
    codes = [one["error"]["code"] if "error" in one else one["mode"] for one in found]
    assert codes == ["fast", *["bad_request"] * 7, "cheap", "fast"]


def test_a_line_that_is_too_long_costs_only_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = b'{"query": "' + b"x" * (2 * MAX_LINE) + b'"}\n'
    found = lines(answers.preference, long + b'{"query": "fast"}', capsys, monkeypatch)
    assert found[0]["error"]["position"] == MAX_LINE + 1
    assert found[1]["mode"] == "fast"


@pytest.mark.parametrize(
    ("text", "position"),
    [('{"a": 1,, }', 9), ("{'a': 1}", 2), ("", 1), ("[1]", 1), ('{"a": 1} {"b"', 10)],
)
def test_what_is_no_json_object_is_refused_with_its_place(text: str, position: int) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        read_document(text)
    error = error_document(caught.value)["error"]
    assert error["code"] == "bad_request"
    assert error["position"] == position
    assert error["hint"]


def test_a_long_value_makes_no_long_message() -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.preference({"mode": ["x" * 1_000_000], "y" * 1_000_000: 1})
    assert len(str(caught.value)) < 1_000


def test_a_fault_of_ours_does_not_stop_a_batch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(document: Any) -> dict[str, Any]:
        return {"third": 1 / document["x"]}

    found = lines(answer, b'{"x": 0}\n{"x": 1}\n', capsys, monkeypatch)
    assert found[0]["error"]["code"] == "internal"
    assert found[1] == {"third": 1.0}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ExpressionError("bad", 3, "fix it"),
         {"code": "syntax", "message": "bad", "position": 3, "hint": "fix it"}),
        (NotFoundError.one("no tool"), {"code": "not_found", "message": "no tool"}),
        (InvalidInputError([Problem("m", Position("f", 2, 1), "h", "c")]),
         {"code": "c", "message": "m", "position": "f:2:1", "hint": "h"}),
        (TransientError("away"), {"code": "unavailable", "message": "away"}),
        (TerminalError("broken"), {"code": "failed", "message": "broken"}),
    ],
)  # fmt: skip
def test_error_documents(error: Any, expected: dict[str, Any]) -> None:
    assert error_document(error) == {"error": expected}


def test_several_problems_are_all_there() -> None:
    found = error_document(InvalidInputError([Problem("one"), Problem("two")]))["error"]
    assert found["message"] == "one"
    assert [problem["message"] for problem in found["problems"]] == ["one", "two"]
