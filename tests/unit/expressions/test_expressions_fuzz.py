"""Random texts, half of them correct: a value, or the declared error, and never anything else."""

from __future__ import annotations

import builtins
import contextlib
import json
import os
import random
import subprocess
import tracemalloc
from typing import Any

import pytest
from expression_texts import CONTEXT, broken, condition_text, estimate_text

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.condition_functions import FUNCTIONS
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate

ARITIES = {name: function.arity for name, function in FUNCTIONS.items()}
VARIABLES = {"N": 3.0, "pages": 2.0, "p95_latency": 0.0, "cost": -1.5, "time_ms": 1e6}


def estimate_outcome(text: str) -> str:
    try:
        expression = parse_estimate.__wrapped__(text)  # uncached, as texts do not repeat
        rendered = expression.render()
        value = expression.evaluate(VARIABLES)
    except ExpressionError as error:
        return error.code
    assert isinstance(value, float)
    assert abs(value) < float("inf")
    if len(rendered) <= 500:
        assert parse_estimate.__wrapped__(rendered).root == expression.root
    return "value"


def condition_outcome(text: str) -> str:
    try:
        condition = parse_condition.__wrapped__(text)
    except ExpressionError as error:
        return error.code
    verdict = condition.evaluate(CONTEXT)
    assert verdict.value in (True, False, None)
    assert verdict.because
    rendered = condition.render()
    if condition.text and len(rendered) <= 2000:
        assert parse_condition.__wrapped__(rendered).root == condition.root
    return str(verdict.value)


def fuzz(seed: int, count: int) -> dict[str, int]:
    """Outcomes of half estimates and half conditions, half of each broken on purpose."""
    chance = random.Random(seed)
    outcomes: dict[str, int] = {}
    for number in range(count):
        is_estimate = number % 2 == 0
        depth = chance.randint(0, 3)
        text = (
            estimate_text(chance, depth) if is_estimate else condition_text(chance, ARITIES, depth)
        )
        if number % 4 >= 2:
            text = broken(chance, text)
        try:
            found = estimate_outcome(text) if is_estimate else condition_outcome(text)
        except Exception as error:
            error.add_note(f"seed {seed}, input {number}: {text!r}")
            raise
        outcomes[found] = outcomes.get(found, 0) + 1
    return outcomes


def assert_varied(outcomes: dict[str, int], count: int) -> None:
    wanted = ("value", "syntax", "no_value", "limit", "unknown_name", "True", "False", "None")
    assert all(outcomes.get(kind, 0) > count / 1_000 for kind in wanted), outcomes


@pytest.mark.parametrize("seed", range(4))
def test_20_000_inputs(seed: int) -> None:
    assert_varied(fuzz(seed, 5_000), 5_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_million_inputs(seed: int) -> None:
    assert_varied(fuzz(seed, 100_000), 100_000)


def test_nothing_of_a_text_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("code was executed")

    warm_up = fuzz(7, 200)
    assert warm_up
    for module, name in (
        (builtins, "eval"), (builtins, "exec"), (os, "system"), (subprocess, "Popen"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, refused)
    assert_varied(fuzz(8, 3_000), 3_000)


def test_memory_and_recursion_are_bounded() -> None:
    texts = [
        "9**9**9**9**9", "(" * 499, "-" * 499, "min(" * 100, "[" * 1999, "not " * 499, "a.b" * 600,
        "1 if " * 100, "'" + "x" * 1998, "$" + "[" * 1000, "$" + ".a" * 900, "1 <" * 160 + "1",
        "((2**100)**100)**100", "$..*",
        "$..*..*", "a and " * 300 + "b", "9" * 499, "1e" + "9" * 400,
    ]  # fmt: skip
    for text in texts:
        estimate_outcome(text)
        condition_outcome(text)
    deep = nested(900)  # as deep as JSON that Python reads
    tracemalloc.start()
    for text in texts:
        with contextlib.suppress(ExpressionError):
            parse_condition(f"$..x == deep or ({text})").evaluate({"deep": deep, "x": deep})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_no_input_takes_much_memory() -> None:
    chance = random.Random(11)
    tracemalloc.start()
    for _ in range(1_500):
        for text, outcome in (
            (estimate_text(chance, 3), estimate_outcome),
            (broken(chance, condition_text(chance, ARITIES, 3)), condition_outcome),
        ):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            outcome(text)
            assert tracemalloc.get_traced_memory()[1] - before < 5_000_000, text
    tracemalloc.stop()


def test_values_that_are_too_deep_or_too_large_are_no_error() -> None:
    context = {"deep": nested(5_000), "deeper": nested(5_001), "huge": 10**5_000}
    assert parse_condition("deep == deeper").evaluate(context).value is None
    found = parse_condition("huge > 1 and length(deep) > 0").evaluate(context)
    assert found.value is True
    assert len(json.dumps(found.explanation())) < 5_000


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
