"""The condition language, part by part: functions, Kleene's logic, percentages, explanations."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError

CONTEXT: dict[str, Any] = {
    "t": True,
    "f": False,
    "zero": 0,
    "text": "disk full",
    "items": [1, 2, 3],
    "same": [2, 2],
    "nothing": None,
    "blank": "",
    "object": {"a": 1},
    "mixed": [1, "a"],
    "big": 10**400,
    "nan": float("nan"),
}


def verdict(text: str) -> bool | None:
    return parse_condition(text).evaluate(CONTEXT).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("exists(text)", True),
        ("exists(nothing)", True),
        ("exists(absent)", False),
        ("exists($.object.b)", False),
        ("is_empty(blank) and is_empty(nothing) and is_empty(absent)", True),
        ("is_empty(text)", False),
        ("is_empty(zero)", False),
        ("length(text) == 9 and length(items) == 3 and length(object) == 1", True),
        ("length(nothing) == 0", True),
        ("length(5)", None),
        ("length(absent)", None),
        ("contains(text, 'disk') and contains(items, 2) and contains(object, 'a')", True),
        ("contains(text, 5)", None),
        ("contains(object, items)", False),
        ("has_item(items, 4)", False),
        ("starts_with(text, 'disk') and ends_with(text, 'full')", True),
        ("starts_with(items, 1)", None),
        ("contains_string(text, 'k f')", True),
        ("matches_regex(text, '^d.sk')", True),
        ("matches_regex(text, '^full')", False),
        ("matches_regex(items, 'a')", None),
        (r"matches_regex('10.0.0.1', '^(\d+\.){3}\d+$')", True),
        (r"matches_regex('ten', '^(\d+\.){3}\d+$')", False),
        ("any_match(items, 2)", True),
        ("all_match(items, 2)", False),
        ("all_match(same, 2)", True),
        ("all_match([], 2)", True),
        ("any_match([], 2)", False),
        ("any_match(text, 'd')", None),
        ("count_items(items) == 3 and count_items(text) == 1 and count_items(absent) == 0", True),
        ("is_string(text) and is_number(zero) and is_boolean(t)", True),
        ("is_number(t)", False),
        ("is_array(items) and is_object(object)", True),
        ("is_string(absent)", None),
        ("is_greater(3, 2) and is_less(2, 3)", True),
        ("is_greater('b', 'a')", None),
        ("sum(items) == 6 and average(items) == 2", True),
        ("sum(mixed)", None),
        ("average([])", None),
        ("sum([]) == 0", True),
    ],
)
def test_functions(text: str, value: bool | None) -> None:
    assert verdict(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("   ", True),
        ("5", True),
        ("zero", False),
        ("-1", True),
        ("0.0", False),
        ("items", True),
        ("nothing", False),
        ("null == nothing", True),
        ("absent == null", None),
        ("t == true and f == false", True),
        ("95% == 0.95 and 50 % 7 == 1 and 50%7 == 1", True),
        ("0.97 >= 95%", True),
        ("12.5% * 8 == 1", True),
        ("1 + 2 * 3 == 7 and 2 ** 3 ** 2 == 512 and -2 ** 2 == -4", True),
        ("7 // 2 == 3 and -7 % 3 == 2", True),
        ("log(8, 2) == 3 and max(1, 2) == 2 and ceil(1.2) == 2", True),
        ("clamp(sum(items), 0, 5) == 5", True),
        ("pi > 3 and e < 3", True),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("1 < absent < 0", None),
        ("not true or true", True),
        ("not t == f", True),
        ("true or false and false", True),
        ("1 == 1 and not 'x' in 'abc'", True),
        ("'b' < 'c'", True),
        ("'b' < 1", None),
        ("text + 1 > 0", None),
        ("1 / zero > 0", None),
        ("(1 if t else 2) == 1", True),
        ("(1 if absent else 2) == 1", None),
        ("2 in items and 'a' in object and 'disk' in text", True),
        ("5 not in items", True),
        ("1 in [$.zero, $.items[0]] and [$.zero] == [0]", True),
        ("items == [1, 2, 3]", True),
        ("[1, absent] == [1]", None),
        ("big > 1", True),
        ("big * 2 > 1", None),
        ("nan == nan", None),
        ("$.items[?(@ > 1)] == [2, 3]", True),
    ],
)
def test_meaning(text: str, value: bool | None) -> None:
    assert verdict(text) is value


def test_kleene_tables() -> None:
    """With false < unknown < true, `and` is the least and `or` the greatest."""
    words = {False: "f", None: "absent", True: "t"}
    order = (False, None, True)
    for left, right in itertools.product(order, order):
        least = order[min(order.index(left), order.index(right))]
        greatest = order[max(order.index(left), order.index(right))]
        assert verdict(f"{words[left]} and {words[right]}") is least
        assert verdict(f"{words[left]} or {words[right]}") is greatest
    assert [verdict(f"not {words[one]}") for one in order] == [True, None, False]


def test_unknown_is_false_for_a_step_and_a_violation_for_a_policy() -> None:
    unknown = parse_condition("absent > 1").evaluate(CONTEXT)
    assert not unknown.lets_step_run
    assert unknown.violates_policy
    false = parse_condition("zero > 1").evaluate(CONTEXT)
    assert not false.lets_step_run
    assert not false.violates_policy


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("zero > 1", "zero is 0, which is not > 1"),
        ("absent > 1", "absent is missing, which cannot be compared with 1"),
        ("1 < absent", "1, which cannot be compared with absent, which is missing"),
        ("zero > 1 or absent", "absent is missing"),
        ("t or absent", "t is true"),
        ("2 in items", "2, which is in [1, 2, 3]"),
        ("5 not in items", "5, which is not in [1, 2, 3]"),
        ("1 < 3 < 2", "3, which is not < 2"),
        ("not (zero > 1)", "not (zero is 0, which is not > 1)"),
        ("nothing != null", "nothing is null, which is not != null"),
        ("text in [1, 'a', true]", "text is 'disk full', which is not in [1, 'a', true]"),
        ("2 ** 3 ** 2 == 512", "2 ** 3 ** 2 is 512, which is == 512"),
        ("-zero - 2 * zero > 1", "-zero - 2 * zero is 0 (zero is 0), which is not > 1"),
        (
            "zero + absent > 1",
            "zero + absent is missing (zero is 0, absent is missing), "
            "which cannot be compared with 1",
        ),
        ("1 / zero", "1 / zero is unknown: division by zero"),
        ("big * 2", "big * 2 is unknown: a number is too large to calculate with"),
        ("sum(items) + 1 > 9", "sum(items) + 1 is 7 (sum(items) is 6), which is not > 9"),
    ],
)
def test_the_reason_names_what_decided(text: str, because: str) -> None:
    assert parse_condition(text).evaluate(CONTEXT).because == because


def test_the_explanation_marks_what_decided() -> None:
    tree = parse_condition("t and zero > 1").evaluate(CONTEXT).explanation()
    assert tree["value"] is False
    assert [(part["part"], part["value"], part["decides"]) for part in tree["parts"]] == [
        ("t", True, False),
        ("zero > 1", False, True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "matches_regex(text, '(')",
        "$.a[?(@.b =~ '(a+)+$')]",
        "$..a..b..c == 1",
        "length(1, 2)",
        "x if y",
        "a.b.",
        "1 not 2",
        "round(1, zero)",
        "[1, 2",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_condition(text)


def test_a_regular_expression_that_does_not_end_is_unknown() -> None:
    context = {"text": "a" * 5_000 + "!"}
    many = " or ".join(["matches_regex(text, '(a|aa|a?a)*$')"] * 20)
    assert parse_condition(many).evaluate(context).value is None


@pytest.mark.parametrize(
    ("pattern", "text", "why"),
    [
        ("a" * 201, "a", "has more than 200 characters"),
        ("a", "a" * 10_001, "the text has more than 10000 characters"),
        ("((a{99}){99}){99}", "a", "cannot be searched: its repeats within repeats"),
    ],
)
def test_a_search_that_is_not_made_is_unknown_and_says_why(
    pattern: str, text: str, why: str
) -> None:
    context = {"pattern": pattern, "text": text}
    for function in ("", "exists", "is_empty", "not"):
        condition = parse_condition(f"{function}(matches_regex(text, pattern))")
        found = condition.evaluate(context)
        assert found.value is None, function
        assert why in found.because


@pytest.mark.parametrize(
    "text",
    [
        "a and (b or c)",
        "not a == b",
        "(a and b) and c",
        "x in [1, 'a']",
        "$.a in [$.b, $.c[0], $.d]",
        "(1 if a else 2) > 3",
        '"it\'s" == x',
        "95% < $.a[*].b",
    ],
)
def test_the_rendered_text_parses_to_the_same_tree(text: str) -> None:
    condition = parse_condition(text)
    assert parse_condition(condition.render()).root == condition.root
