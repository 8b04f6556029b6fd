"""Checking and converting single values against what was declared."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.spec.base import TypeName
from tool_catalog_pipelines.spec.values import (
    coerce_value,
    describe_value,
    has_type,
    same_json,
    value_problem,
)

TYPES: tuple[TypeName, ...] = ("string", "integer", "number", "boolean", "array", "object")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("x", "string"), (5, "integer"), (5, "number"), (5.5, "number"), (True, "boolean"),
        ([], "array"), ((1,), "array"), ({}, "object"),
    ],
)  # fmt: skip
def test_values_of_the_declared_type_are_right(value: Any, type_: TypeName) -> None:
    assert value_problem(value, type_) is None


@pytest.mark.parametrize(
    ("value", "type_", "problem"),
    [
        ("abc", "integer", "must be a whole number, but is the text 'abc'"),
        (True, "integer", "must be a whole number, but is true"),
        (5.5, "integer", "must be a whole number, but is the number 5.5"),
        (False, "number", "must be a number, but is false"),
        (math.inf, "number", "must be a number, but is the number inf"),
        (math.nan, "number", "must be a number, but is the number nan"),
        (1, "boolean", "must be true or false, but is the number 1"),
        (5, "string", "must be text, but is the number 5"),
        (None, "string", "must be text, but is empty (null)"),
        ("a", "array", "must be a list, but is the text 'a'"),
        ([1], "object", "must be a mapping, but is a list of 1 value"),
        ({"a": 1}, "array", "must be a list, but is a mapping with the keys 'a'"),
    ],
)
def test_a_wrong_type_is_said_in_words(value: Any, type_: TypeName, problem: str) -> None:
    assert value_problem(value, type_) == problem


def test_a_range_includes_its_ends() -> None:
    assert value_problem(1, "integer", (1, 5)) is None
    assert value_problem(5, "integer", (1, 5)) is None
    assert value_problem(6, "integer", (1, 5)) == "must be between 1 and 5, but is the number 6"


def test_allowed_values_are_compared_as_json() -> None:
    assert value_problem(1.0, "number", allowed_values=[1]) is None
    assert value_problem(True, "boolean", allowed_values=[1]) is not None
    assert (
        value_problem("disk", "string", allowed_values=("cpu", "memory"))
        == "must be one of 'cpu', 'memory', but is the text 'disk'"
    )


def test_a_regular_expression_is_searched_in_texts() -> None:
    assert value_problem("/etc", "string", validation="^/") is None
    problem = value_problem("etc", "string", validation="^/")
    assert problem == "must match the regular expression '^/', but is the text 'etc'"


def test_rules_hold_for_each_element_of_a_list() -> None:
    assert value_problem([1, 5], "array", (1, 5)) is None
    problem = value_problem(["/a", "b"], "array", validation="^/")
    assert problem is not None
    assert problem.startswith("is wrong in element 1, which must match")
    assert value_problem(["md", "pdf"], "array", allowed_values=["md"]) is not None
    assert value_problem(["md"], "array", allowed_values=[["md"]]) is None


def test_an_empty_list_of_allowed_values_allows_nothing() -> None:
    assert value_problem("x", "string", allowed_values=[]) is not None


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("5", "integer", 5), (" -5 ", "integer", -5), (5.0, "integer", 5),
        ("5", "number", 5), ("1.5", "number", 1.5), ("1e3", "number", 1000.0),
        (".5", "number", 0.5), ("true", "boolean", True), ("FALSE", "boolean", False),
        (5, "string", "5"), (5.0, "string", "5"), (1.5, "string", "1.5"), (True, "string", "true"),
        ((1, 2), "array", [1, 2]), ("x", "string", "x"),
    ],
)  # fmt: skip
def test_safe_conversions(value: Any, type_: TypeName, expected: Any) -> None:
    converted = coerce_value(value, type_)
    assert (converted, type(converted)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("5.5", "integer"), (5.5, "integer"), (True, "integer"), ("five", "integer"),
        ("", "integer"), ("\u0665", "integer"), ("1_000", "integer"), ("9" * 301, "integer"),
        ("nan", "number"), ("inf", "number"), ("1e999", "number"), (math.nan, "number"),
        ("yes", "boolean"), ("1", "boolean"), (1, "boolean"), (0.0, "boolean"),
        (None, "string"), ([], "string"), ({}, "string"), (math.inf, "string"),
        ("[1]", "array"), ("a,b", "array"), ({}, "array"), ("{}", "object"), ([], "object"),
    ],
)  # fmt: skip
def test_unsafe_conversions_are_refused(value: Any, type_: TypeName) -> None:
    with pytest.raises(ValueError, match=r"^must be .*, but is "):
        coerce_value(value, type_)


@given(ANYTHING, st.sampled_from(TYPES))
def test_whatever_is_converted_has_the_type(value: Any, type_: TypeName) -> None:
    try:
        converted = coerce_value(value, type_)
    except ValueError:
        assert value_problem(value, type_) is not None
    else:
        assert has_type(converted, type_)
        assert value_problem(converted, type_) is None
        assert same_json(coerce_value(converted, type_), converted)


@given(st.integers(-(10**15), 10**15))
def test_whole_numbers_survive_the_way_through_text(number: int) -> None:
    assert coerce_value(coerce_value(number, "string"), "integer") == number


@given(ANYTHING)
def test_a_description_is_short_and_one_line(value: Any) -> None:
    words = describe_value(value)
    assert len(words) < 120
    assert "\n" not in words


def test_a_huge_number_can_be_described() -> None:
    assert describe_value(10**5000) == "the number of more than 300 digits"
