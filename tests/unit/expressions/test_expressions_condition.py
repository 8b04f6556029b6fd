"""Conditions: three-valued truth, precedence, paths, reasons, hostile texts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError

CONTEXT: dict[str, Any] = {
    "full": {"mounts": ["/", "/data"]},
    "disks": {"filesystems": [{"use": 90, "on": "/"}, {"use": 10, "on": "/x"}]},
    "inputs": {"limit": 80, "name": "web-1"},
    "use": 0.97,
    "none": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", True),
        ("count_items($.full.mounts) > 1", True),
        ("$.disks.filesystems[?(@.use >= 80)].on == '/'", True),
        ("inputs.limit >= 80 and inputs.limit < 81", True),
        ("use >= 95%", True),
        ("7 % 4 == 3", True),
        ("not (1 > 2) and 'a' in ['a', 'b']", True),
        ("1 == 2 or 3 == 3 and 4 == 5", False),
        ("inputs.name not in ['web-1']", False),
        ("starts_with(inputs.name, 'web') and matches_regex(inputs.name, '-[0-9]$')", True),
        ("exists($.nothing)", False),
        ("is_empty(none)", True),
        ("$.nothing > 1", None),
        ("$.nothing > 1 or true", True),
        ("$.nothing > 1 and false", False),
        ("not ($.nothing > 1)", None),
        ("inputs.name > 3", None),
        ("average([1, 2, 3]) == 2 and sum([1, 2]) == 3", True),
    ],
)
def test_verdict(text: str, value: bool | None) -> None:
    assert parse_condition(text).evaluate(CONTEXT).value is value


def test_the_reason_names_the_part_and_its_value() -> None:
    verdict = parse_condition("count_items($.full.mounts) > 5 and use > 0").evaluate(CONTEXT)
    assert verdict.because == "count_items($.full.mounts) is 2, which is not > 5"


@pytest.mark.parametrize("text", ["1 >", "and", "foo(1)", "length(1, 2)", "$.a[", "'open", "1 ! 2"])
def test_broken_conditions_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_condition(text)


def test_regular_expressions_that_may_never_end_are_unknown() -> None:
    text = "matches_regex('{}!', '(a|aa)+$')"
    assert parse_condition(text.format("a" * 500)).evaluate({}).value is None


def test_what_a_condition_reads_is_known() -> None:
    condition = parse_condition("$.a.b > 1 and inputs.x == 2 or c")
    assert condition.paths == ("$.a.b",)
    assert condition.names == {"inputs.x", "c"}


@given(st.text(alphabet="$.@[]()?'\"<>=! andortins019,_%", max_size=60))
def test_any_text_gives_a_verdict_or_an_expression_error(text: str) -> None:
    try:
        parse_condition(text).evaluate(CONTEXT)
    except ExpressionError:
        return
