"""Properties of estimates: round trip, arrays as scalars, enclosing intervals, true growth."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from expression_texts import NAMES, estimate_text
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import Expression, parse_estimate
from tool_catalog_pipelines.expressions.narrowing import Interval
from tool_catalog_pipelines.expressions.tree import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Logic,
    Name,
    Node,
    Unary,
    walk,
)

LEAVES = st.one_of(
    st.floats(0, 1e6).map(Constant), st.sampled_from(("N", "pages", "cost", "pi")).map(Name)
)


def grown(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    comparisons = st.builds(
        lambda a, b, symbol: Comparison((a, b), (symbol,)),
        parts, parts, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
    )  # fmt: skip
    tests = st.one_of(
        comparisons,
        st.builds(lambda a, b, s: Logic(s, (a, b)), comparisons, comparisons,
                  st.sampled_from(("and", "or"))),
        st.builds(Unary, st.just("not"), comparisons),
    )  # fmt: skip
    symbols = st.sampled_from(("+", "-", "*", "/", "//", "%", "**"))
    return st.one_of(
        st.builds(Binary, symbols, parts, parts),
        st.builds(Unary, st.just("-"), parts),
        st.builds(lambda n, a: Call(n, (a,)), st.sampled_from(("log", "exp", "ceil")), parts),
        st.builds(lambda a, b: Call("max", (a, b)), parts, parts),
        st.builds(Choice, tests, parts, parts),
    )


@given(st.recursive(LEAVES, grown, max_leaves=12))
def test_the_rendered_text_parses_to_the_same_tree(root: Node) -> None:
    text = Expression("", root, frozenset()).render()
    try:
        again = parse_estimate(text)
    except ExpressionError as error:
        assert error.code == "limit"
    else:
        assert again.root == root
        assert again.render() == text


def expressions(seed: int, count: int) -> Iterator[tuple[random.Random, Expression]]:
    chance = random.Random(seed)
    for _ in range(count):
        try:
            yield chance, parse_estimate(estimate_text(chance, chance.randint(1, 4)))
        except ExpressionError as error:
            assert error.code == "limit"


def scalar(expression: Expression, variables: dict[str, float]) -> float | None:
    try:
        return expression.evaluate(variables)
    except ExpressionError:
        return None


def jumps(expression: Expression) -> bool:
    """Whether a last digit can decide on a whole step."""
    return any(
        isinstance(node, Choice)
        or (isinstance(node, Binary) and node.symbol in ("//", "%"))
        or (isinstance(node, Call) and node.name in ("ceil", "floor", "round"))
        for node in walk(expression.root)
    )


def test_arrays_give_what_single_values_give() -> None:
    compared = failed = 0
    for chance, expression in expressions(seed=1, count=2_000):
        rows = chance.randint(1, 12)
        columns = {name: np.array([draw(chance) for _ in range(rows)]) for name in NAMES}
        singles = [scalar(expression, {n: float(c[i]) for n, c in columns.items()})
                   for i in range(rows)]  # fmt: skip
        try:
            values = expression.evaluate_rows(columns, rows)
        except ExpressionError:
            assert None in singles, expression.text
            failed += 1
            continue
        compared += 1
        assert None not in singles, expression.text
        for value, single in zip(np.broadcast_to(values, rows), singles, strict=True):
            assert single is not None
            is_same = value == pytest.approx(single, rel=1e-9, abs=1e-9)
            assert is_same or jumps(expression), expression.text
    assert compared > 500
    assert failed > 100


def draw(chance: random.Random) -> float:
    return chance.choice(
        (0.0, 1.0, 2.0, 10.0, -1.0, chance.uniform(-5, 50), chance.uniform(0, 1e4))
    )


def test_the_first_row_without_a_value_is_named_with_the_reason() -> None:
    column = np.ones(40_000)
    column[33_000] = 0
    with pytest.raises(ExpressionError, match=r"division by zero \(row 33000\)"):
        parse_estimate("1 / N").evaluate_rows({"N": column})


def test_a_branch_that_is_not_taken_needs_no_value() -> None:
    values = parse_estimate("1 / N if N > 0 and 1 / N < 9 else 0").evaluate_rows(
        {"N": np.array([0.0, 2.0, 4.0, 0.01])}
    )
    assert values.tolist() == [0.0, 0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    "columns",
    [
        {"N": np.array([True, False])},
        {"N": np.array(["1"])},
        {"N": np.array([1.0, np.nan])},
        {"N": np.array([[1.0]])},
        {"N": True},
        {"N": np.zeros(2), "pages": np.zeros(3)},
        {},
    ],
)
def test_columns_are_finite_numbers_of_one_length(columns: dict[str, np.ndarray]) -> None:
    with pytest.raises(ExpressionError):
        parse_estimate("N + pages").evaluate_rows({"pages": 1.0, **columns})


def test_whole_numbers_and_single_values_are_columns_too() -> None:
    expression = parse_estimate("N * pages")
    assert expression.evaluate_rows({"N": np.arange(3), "pages": 2}).tolist() == [0, 2, 4]
    assert parse_estimate("7").evaluate_rows({}, rows=2).tolist() == [7, 7]
    assert expression.evaluate_rows({"N": np.zeros(0), "pages": 2}).size == 0


def ranges_of(chance: random.Random) -> dict[str, Interval]:
    found: dict[str, Interval] = {}
    for name in NAMES:
        low = chance.choice((0.0, 1.0, 2.0, chance.uniform(-20, 20)))
        found[name] = Interval(low, low + chance.choice((0.0, 1.0, 0.3, 10.0, 500.0)))
    return found


def inside(chance: random.Random, found: Interval) -> float:
    return chance.choice((found.low, found.high, chance.uniform(found.low, found.high)))


def test_intervals_enclose_what_is_computed() -> None:
    enclosed = 0
    for chance, expression in expressions(seed=2, count=3_000):
        ranges = ranges_of(chance)
        try:
            found = expression.interval(ranges)
        except ExpressionError:
            continue
        for _ in range(10):
            value = expression.evaluate({n: inside(chance, r) for n, r in ranges.items()})
            assert found.holds(value), (expression.text, ranges, found, value)
            enclosed += 1
    assert enclosed > 5_000


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3 + 2 * N", 1, 23),
        ("N ** 2", 0, 100),
        ("abs(N)", 0, 10),
        ("N ** 3", -1, 1000),
        ("1 / (N + 2)", 1 / 12, 1),
        ("5 if N > 3 else 7", 5, 7),
        ("N * 2 if N >= 4 else 9", 8, 20),
        ("min(N, 3)", -1, 3),
        ("ceil(N / 3)", 0, 4),
        ("clamp(N, 0, 5)", 0, 5),
        ("(N + 2) % 20", 1, 12),
        ("sqrt(N + 1)", 0, 11**0.5),
    ],
)
def test_an_interval_is_exact_where_a_variable_occurs_once(
    text: str, low: float, high: float
) -> None:
    found = parse_estimate(text).interval({"N": Interval(-1, 10)})
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


BINARY = ("N + M", "N - M", "N * M", "N / M", "N // M", "N % M", "N ** M", "log(N, M)",
          "min(N, M)", "max(N, M)", "clamp(N, M, 5)", "clamp(3, N, M)", "N if M > 2 else 7",
          "abs(N - M)", "sqrt(abs(N)) * M", "(N + 1) ** 2 / M", "exp(N / 10) - M")  # fmt: skip


@pytest.mark.parametrize("text", BINARY)
def test_an_interval_is_no_wider_than_the_values_where_a_variable_occurs_once(text: str) -> None:
    """The least and the greatest of a fine grid come near to the ends, and never pass them."""
    chance = random.Random(text)
    expression, judged = parse_estimate(text), 0
    for _ in range(60):
        spans = {}
        for name in ("N", "M"):
            low = chance.choice((0.5, 1.5, 3.0, chance.uniform(-8, 8)))
            spans[name] = Interval(low, low + chance.choice((0.0, 0.5, 2.0, 6.0)))
        try:
            found = expression.interval(spans)
        except ExpressionError:
            continue
        lines = [np.linspace(span.low, span.high, 401) for span in spans.values()]
        n, m = (grid.ravel() for grid in np.meshgrid(*lines))
        values = expression.evaluate_rows({"N": n, "M": m})
        least, most = float(values.min()), float(values.max())
        # Between the points of the grid the values move on a little, and jumps lie between them.
        slack = 0.03 * (most - least) + 0.02 * max(map(abs, (least, most))) + 1e-9
        assert found.low - 1e-9 <= least <= found.low + slack, (spans, found, least)
        assert found.high - slack <= most <= found.high + 1e-9, (spans, found, most)
        judged += 1
    assert judged > 10


def test_a_remainder_of_huge_numbers_has_an_interval_too() -> None:
    ranges = {"N": Interval(0, 1e12), "M": Interval(3, 4)}
    assert parse_estimate("N % M").interval(ranges) == Interval(0, 4)


@pytest.mark.parametrize("text", ["1 / N", "log(N)", "sqrt(N)", "N ** 0.5", "N ** -1", "5 % N"])
def test_there_is_no_interval_where_a_value_is_missing(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_estimate(text).interval({"N": Interval(-1, 10)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", "constant"),
        ("7 + 2 * pages", "constant"),
        ("7 + 2 * N", "increasing"),
        ("100 / (N + 1)", "decreasing"),
        ("N ** 2", "increasing"),
        ("-N", "decreasing"),
        ("N * log2(N + 1)", "increasing"),
        ("N - N / 2", "unknown"),
        ("N % 7", "unknown"),
        ("10 if N > 5 else 2", "increasing"),
        ("N if N < 5 else 3", "unknown"),
        ("N if N < 5 else N * 2", "increasing"),
        ("max(3, ceil(N / 10))", "increasing"),
        ("2 ** (N / 100)", "increasing"),
        ("log(N + 2, 2)", "increasing"),
        ("1 / N", "unknown"),
    ],
)
def test_growth(text: str, expected: str) -> None:
    ranges = {"N": Interval(0, 1000), "pages": Interval(1, 10)}
    assert parse_estimate(text).growth("N", ranges) == expected


def test_claims_of_growth_hold() -> None:
    claims = 0
    for chance, expression in expressions(seed=3, count=3_000):
        ranges = ranges_of(chance)
        name = chance.choice(NAMES)
        claim = expression.growth(name, ranges)
        if claim == "unknown":
            continue
        fixed = {n: inside(chance, r) for n, r in ranges.items()}
        steps = sorted(inside(chance, ranges[name]) for _ in range(12))
        values = [expression.evaluate({**fixed, name: step}) for step in steps]
        claims += claim != "constant"
        for before, after in pairwise(values):
            slack = 1e-12 * max(abs(before), abs(after))
            assert claim == "decreasing" or after >= before - slack, (expression.text, ranges)
            assert claim == "increasing" or after <= before + slack, (expression.text, ranges)
    assert claims > 200


def test_importing_the_language_does_not_import_numpy() -> None:
    import subprocess

    code = (
        "import sys; from tool_catalog_pipelines.expressions import estimate, condition; "
        "sys.exit('numpy' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_any_text_is_an_expression_or_the_declared_error(text: str) -> None:
    try:
        parse_estimate(text).evaluate(dict.fromkeys(NAMES, 2.0))
    except ExpressionError:
        return
