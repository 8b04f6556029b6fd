"""Estimate expressions: values, errors, linear terms, hostile texts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import LinearTerm, parse_estimate, render_linear


@pytest.mark.parametrize(
    ("text", "variables", "value"),
    [
        ("6 + 0.02 * n", {"n": 100}, 8.0),
        ("2 ** 3 ** 2", {}, 512.0),
        ("-2 ** 2", {}, -4.0),
        ("7 // 2 + 7 % 2", {}, 4.0),
        ("log(8, 2) + log2(8) + log10(1000)", {}, 9.0),
        ("clamp(n, 0, 10) + max(1, 2, 3) + ceil(0.2)", {"n": 50}, 14.0),
        ("1 if n > 10 else 2", {"n": 11}, 1.0),
        ("  2*pi/pi ", {}, 2.0),
    ],
)
def test_value(text: str, variables: dict[str, float], value: float) -> None:
    assert parse_estimate(text).evaluate(variables) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "sin(1)",
        "1 2",
        "a.b",
        "'x'",
        "1 if 2",
        "log()",
        "x = 1",
        "__import__",
        "lambda: 1",
    ],
)
def test_broken_texts_are_refused_or_need_a_variable(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_estimate(text).evaluate({})


@pytest.mark.parametrize(
    "text", ["1 / 0", "10 ** 101", "exp(1000)", "log(0)", "sqrt(-1)", "(-8) ** 0.5"]
)
def test_values_that_are_no_finite_number_are_errors(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_estimate(text).evaluate({})


@pytest.mark.parametrize("value", [True, "3", math.inf, math.nan])
def test_variables_must_be_finite_numbers(value: object) -> None:
    with pytest.raises(ExpressionError):
        parse_estimate("n + 1").evaluate({"n": value})


def test_limits_on_length_and_depth() -> None:
    with pytest.raises(ExpressionError):
        parse_estimate("1+" * 300 + "1")
    with pytest.raises(ExpressionError):
        parse_estimate("(" * 50 + "1" + ")" * 50)


def test_unknown_function_names_what_exists() -> None:
    with pytest.raises(ExpressionError, match="log2"):
        parse_estimate("lgo2(4)")


def test_linear_terms_and_their_text() -> None:
    terms = parse_estimate("6 + 0.02 * n + 3 * ceil(m / 100) - k * 0.5").linear_terms()
    assert terms is not None
    found = [(t.coefficient, t.factor.text if t.factor else None) for t in terms]
    assert found == [(6, None), (0.02, "n"), (3, "ceil(m / 100)"), (-0.5, "k")]
    values = {"n": 5.0, "m": 250.0, "k": 2.0}
    again = parse_estimate(render_linear(terms))
    assert again.evaluate(values) == pytest.approx(6 + 0.02 * 5 + 3 * 3 - 0.5 * 2)


def test_many_terms_are_written_in_groups() -> None:
    """In one row they would be deeper than the limit, and could not be read again."""
    names = [f"v{number}" for number in range(30)]
    terms = [LinearTerm((-1) ** at * (at + 1.0), parse_estimate(n)) for at, n in enumerate(names)]
    text = render_linear(terms)
    values = {name: float(at + 2) for at, name in enumerate(names)}
    assert parse_estimate(text).evaluate(values) == sum(
        term.coefficient * values[name] for term, name in zip(terms, names, strict=True)
    )


def test_as_many_arguments_as_there_is_room_for() -> None:
    assert parse_estimate(f"max({', '.join(map(str, range(60)))})").evaluate({}) == 59


def test_a_sum_inside_a_quotient_is_not_linear() -> None:
    assert parse_estimate("1 / (n + 2)").linear_terms() is None


@given(
    st.lists(st.floats(0.01, 1000), min_size=1, max_size=4),
    st.floats(1, 1000),
)
def test_rendered_terms_have_the_same_value(coefficients: list[float], n: float) -> None:
    text = " + ".join(f"{c:.4g} * n" for c in coefficients)
    expression = parse_estimate(text)
    terms = expression.linear_terms()
    assert terms is not None
    value = expression.evaluate({"n": n})
    assert parse_estimate(render_linear(terms)).evaluate({"n": n}) == pytest.approx(value, rel=1e-3)


@given(st.text(alphabet="0123456789.+-*/()<>= abefilnostx,%'\"$[]", max_size=60))
def test_any_text_gives_a_value_or_an_expression_error(text: str) -> None:
    try:
        parse_estimate(text).evaluate({"n": 1.0})
    except ExpressionError:
        return
