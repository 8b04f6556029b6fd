"""What the evaluator that estimates come from computes, number by number.

Expected values follow from its documented rules: Python's grammar and operators on numbers.
"""

from __future__ import annotations

import math
from typing import cast

import pytest

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.expressions.variables import STANDALONE, bind

DEFAULTS = {name: variable.default for name, variable in STANDALONE.items()}


def value(text: str, **given: float) -> float:
    root = parse_estimate(text).root
    return parse_estimate(text).evaluate(bind(root, given).values)


def test_the_five_defaults() -> None:
    assert DEFAULTS == {"N": 0, "pages": 1, "p95_latency": 100, "cost": 1, "time_ms": 1000}


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("1 + 2 * 3", {}, 7),
        ("(1 + 2) * 3", {}, 9),
        ("10 - 4 - 3", {}, 3),
        ("100 / 8 / 2", {}, 6.25),
        ("2 ** 3 ** 2", {}, 512),
        ("-2 ** 2", {}, -4),
        ("(-2) ** 2", {}, 4),
        ("2 ** -1", {}, 0.5),
        ("2 ** 0.5", {}, math.sqrt(2)),
        ("0 ** 0", {}, 1),
        ("2 ** 100", {}, 2**100),
        ("2 ** -100", {}, 2**-100),
        ("-7 // 2", {}, -4),
        ("7 // -2", {}, -4),
        ("-7 % 3", {}, 2),
        ("7 % -3", {}, -2),
        ("7%-3", {}, -2),
        ("7.5 % 2", {}, 1.5),
        ("7.5 // 2", {}, 3),
        ("1 // 0.1", {}, 9),
        ("--3", {}, 3),
        ("+-+3", {}, -3),
        ("2 * -3", {}, -6),
        ("1_000 + 0x10 + 0b11 + 0o17", {}, 1034),
        ("1e3 + 1.5E-3 + .5 + 2.", {}, 1002.5015),
        ("log(e)", {}, 1),
        ("log(8, 2)", {}, 3),
        ("log(100, 10)", {}, 2),
        ("log(2, 0.5)", {}, -1),
        ("log2(1024)", {}, 10),
        ("log10(0.001)", {}, -3),
        ("sqrt(2)", {}, 2**0.5),
        ("exp(1) - e", {}, 0),
        ("exp(-1000)", {}, 0),
        ("sqrt(pi)", {}, math.sqrt(math.pi)),
        ("min(3, 1, 2) + max(3, 1, 2)", {}, 4),
        ("abs(-3.5)", {}, 3.5),
        (f"max({', '.join('N' for _ in range(100))}, 7)", {}, 7),
        ("ceil(1.2) + floor(-1.2)", {}, 0),
        ("max(1, N) * log2(max(2, N))", {"N": 64}, 384),
        ("120 + 0.02 * N", {}, 120),
        ("120 + 0.02 * N", {"N": 5000}, 220),
        ("N + pages + p95_latency + cost + time_ms", {}, 1102),
        ("pages * p95_latency * 1.2", {}, 120),
        ("pages * p95_latency * 1.2", {"pages": 5, "p95_latency": 150}, 900),
        ("ceil(N / 100) * time_ms", {"N": 101}, 2000),
        ("pi", {"pi": 3.0}, 3),
        ("e * 2", {"e": 1.0}, 2),
        ("packet_count * 2", {"packet_count": 4}, 8),
        ("min + 1", {"min": 2.0}, 3),
        ("N", {"N": 10**15}, 1e15),
        ("00 + 0_0 + 007.5 + 07e1", {}, 77.5),
        ("  1 + 1\t", {}, 2),
    ],
)
def test_value(text: str, given: dict[str, float], expected: float) -> None:
    assert value(text, **given) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("1 / 0", "no_value", "division by zero"),
        ("1 // 0", "no_value", "division by zero"),
        ("1 % N", "no_value", "division by zero"),
        ("0 ** -1", "no_value", "division by zero"),
        ("2 ** 101", "limit", "exponent 101 is beyond 100"),
        ("2 ** -101", "limit", "exponent -101"),
        ("log(0)", "no_value", "log has no value here"),
        ("log(-1)", "no_value", "log has no value here"),
        ("log(2, 1)", "no_value", "division by zero"),
        ("sqrt(-1)", "no_value", "sqrt has no value here"),
        ("(-8) ** 0.5", "no_value", "gives a complex number, which is not a finite number"),
        ("exp(1000)", "no_value", "exp has no value here"),
        ("1e200 * 1e200", "no_value", "inf"),
        ("1e999", "limit", "too large"),
        ("nope + 1", "unknown_name", "nope"),
        ("sin(1)", "unknown_name", "no function 'sin'"),
        ("N > 5", "wrong_kind", "a comparison is no number"),
        ("(N > 5) * 3", "wrong_kind", "a comparison is no number"),
        ("not N", "wrong_kind", "a comparison is no number"),
        ("N and 1", "wrong_kind", "a comparison is no number"),
        ("True", "unknown_name", "True"),
        ("'5'", "syntax", "expected a number"),
        ("N.real", "syntax", "not a variable name"),
        ("N[0]", "syntax", "unexpected"),
        ("(1, 2)", "syntax", "expected ')'"),
        ("max(1, (2)", "syntax", "the ( at column 4 is not closed"),
        ("1)", "syntax", "no ( before belongs to it"),
        ("1,5 * N", "syntax", "decimals have a point"),
        ("N^2", "syntax", "write ** for a power"),
        ("50%", "syntax", "estimates have no percentages"),
        ("[1]", "syntax", "expected a number"),
        ("max(*N)", "syntax", "expected a number"),
        ("round(N, 2 * N)", "syntax", "digits"),
        ("lambda: 1", "syntax", "unexpected"),
        ("N := 1", "syntax", "unexpected"),
        ("log(x=1)", "syntax", "unexpected"),
        ("log()", "syntax", "log takes 1 to 2"),
        ("min(1)", "syntax", "min takes at least 2"),
        ("1 if N", "syntax", "expected 'else'"),
        ("1 if N in 2 else 3", "syntax", "needs a list"),
        ("1 +", "syntax", "expected a number"),
        ("", "syntax", "expected a number"),
        ("2N", "syntax", "runs into a name"),
        ("1 + 007", "syntax", "begins with 0"),
        ("0_7", "syntax", "begins with 0"),
        ("1+" * 25 + "1", "limit", "nested deeper than 20"),
        ("(" * 30 + "1" + ")" * 30, "limit", "nested deeper than 20"),
        ("-" * 30 + "1", "limit", "nested deeper than 20"),
        ("2**" * 30 + "1", "limit", "nested deeper than 20"),
        ("1 " * 300, "limit", "600 characters"),
    ],
)
def test_refusal(text: str, code: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert caught.value.code == code
    assert reason in str(caught.value)


@pytest.mark.parametrize("given", [True, "3", None, math.inf, math.nan, 10**400, [1]])
def test_only_finite_numbers_are_variables(given: object) -> None:
    with pytest.raises(ExpressionError) as caught:
        value("N + 1", N=cast("float", given))
    assert caught.value.code == "wrong_kind"


def test_depth_20_is_allowed() -> None:
    assert value("1+" * 20 + "1") == 21
    assert value("(" * 20 + "1" + ")" * 20) == 1


def test_a_used_default_is_reported_and_a_given_value_is_not() -> None:
    bound = bind(parse_estimate("N * pages").root, {"N": 3})
    assert bound.defaulted == {"pages": 1}
    assert bound.values == {"N": 3, "pages": 1}


def test_with_a_tool_only_what_it_declares_holds() -> None:
    from tool_catalog_pipelines.expressions.variables import Variable

    declared = {"num_files": Variable(10, "files", (0, 100))}
    root = parse_estimate("2 * num_files").root
    assert bind(root, {}, declared).defaulted == {"num_files": 10}
    assert bind(root, {"num_files": 500}, declared).outside == ("num_files",)
    with pytest.raises(ExpressionError, match="unknown variable: N"):
        bind(parse_estimate("N").root, {}, declared)


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(ExpressionError, match="did you mean pages"):
        value("2 * page + 1")
