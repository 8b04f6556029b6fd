"""Conditions on data that is wide, deep or made to multiply: limits are hit, and are said."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.expressions.jsonpath_steps import MAX_STEPS, Steps


class CountedSteps(Steps):
    """Steps that can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def take(self, count: int) -> None:
        super().take(count)
        self.taken += count


def nested_list(depth: int, inside: Any = 1) -> Any:
    value: Any = inside
    for _ in range(depth):
        value = [value]
    return value


def nested_object(depth: int) -> Any:
    value: Any = {"leaf": 1}
    for _ in range(depth):
        value = {"a": value}
    return value


MILLION = {"items": [0] * 1_000_000}
OBJECTS = {"items": [{"size": number, "name": "x"} for number in range(100_000)]}
SMALL = {"x": list(range(2_000)), "same": [[0] * 1_000] * 1_000, "text": ["y" * 100_000] * 1_000}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("$.items[*]", MILLION),
        ("$.items[?(@ > 0)]", MILLION),
        ("$.items[?(!@.a || !@.b || !@.c)]", MILLION),
        ("$..size", MILLION),
        ("$..*", OBJECTS),
        ("$..[?(@.size == 1)]", OBJECTS),
        ("$.items[?(@.size > $.items[0].size)][?(@ == 1)]", OBJECTS),
        ("$.x[?($.x[?(@ > 1)])]", SMALL),
        ("$.x[?(@ == 1 || $.x[?($.x[?(@ > 3000)])])]", SMALL),
        ("$.same[?(@ == $.same[0])]", SMALL),
        ("$.same[?($.text[?(@ == $.text[0])])]", SMALL),
        ("$.x" + "[0,0]" * 30, {"x": nested_list(40)}),
        ("$.x" + "['a','a','a']" * 30, {"x": nested_object(40)}),
        ("$..[?($.leaf == 1)]", {"a": nested_object(3_000), "leaf": 1}),
        ("$..[?($..leaf)]", {"a": nested_object(3_000), "leaf": 1}),
        ("$[::1]" + "[::-1]" * 3, [[[[0] * 90] * 90] * 90] * 90),
    ],
)
def test_a_search_ends_at_the_limit_and_says_so(path: str, document: Any) -> None:
    steps = CountedSteps()
    with pytest.raises(ExpressionError, match=f"more than {MAX_STEPS} steps") as caught:
        find_values(path, document, steps)
    assert caught.value.code == "limit"
    assert steps.taken <= MAX_STEPS


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("$.items[*].size", 100_000),
        ("$.items[?(@.size >= 50000)].size", 50_000),
        ("$.items[-3:].size", 3),
        ("$.items[99999].size", 1),
        ("$.items[::2]['size','name']", 100_000),
    ],
)
def test_what_is_usual_stays_below_the_limit(path: str, count: int) -> None:
    steps = CountedSteps()
    found = find_values(path, OBJECTS, steps)
    assert found == find_values(path, OBJECTS)
    assert len(found) == count
    assert steps.taken <= MAX_STEPS


def test_a_field_of_a_large_document_takes_a_step_for_each_name() -> None:
    steps = CountedSteps()
    assert find_values("$.items[5].size", OBJECTS, steps) == [5]
    assert steps.taken <= 5


@pytest.mark.parametrize(
    "path",
    [
        "$..leaf", "$..a", "$.a.a.a.leaf", "$..[?(@.leaf == 1)]", "$.items[?(@.size)]", "$", "$.*",
        "$.items[?(@.size > 3 && @.name == 'x' || !@.size)].size", "$.items[?(@ == $.items[0])]",
        "$.items[1:3]", "$.items[0,1,0]", "$['items'][*]['size','name']", "$.none", "$.items[::-1]",
        "$.list[?(@[0] == 1)]", "$.list[*][*]", "$.items[?(@.size == null)]",
    ],
)  # fmt: skip
def test_counting_changes_no_result(path: str) -> None:
    items = [{"size": 5, "name": "x"}, {"size": 2}, {"name": "x"}, {"size": None}]
    document = {"a": nested_object(3), "items": items, "list": [[1, 2], [], [1]]}
    assert find_values(path, document, Steps()) == find_values(path, document)


def test_the_limit_is_one_for_the_whole_condition_and_is_the_reason() -> None:
    one = "count_items($.items[*].size) == 100000"
    assert parse_condition(one).evaluate(OBJECTS).value is True
    many = parse_condition(" and ".join([one] * 6)).evaluate(OBJECTS)
    assert many.value is None
    assert f"looking for it takes more than {MAX_STEPS} steps" in many.because
    tree = many.explanation()
    assert "reason" not in tree["parts"][0]["parts"][0]["parts"][0]
    assert "steps" in tree["parts"][5]["parts"][0]["parts"][0]["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "exists($.items[*])",
        "not exists($.items[*])",
        "is_empty($.items[*])",
        "count_items($.items[*]) == 0",
        "exists(length($.items[*]))",
    ],
)
def test_what_was_given_up_does_not_count_as_missing(text: str) -> None:
    assert parse_condition(text).evaluate(MILLION).value is None


def test_a_part_that_does_not_need_the_search_still_decides() -> None:
    verdict = parse_condition("$.items[*] == 1 or $.items[0] == 0").evaluate(MILLION)
    assert verdict.value is True
    assert verdict.because == "$.items[0] is 0, which is == 0"


def test_depth_is_no_error() -> None:
    document = {"deep": nested_object(20_000), "x": 1}
    for text in ("exists($..leaf)", "exists($.deep..[?(@.leaf == 1)])"):
        assert parse_condition(text).evaluate(document).value is True
    assert parse_condition("$.deep == $.deep or $.x == 1").evaluate(document).value is True


def test_what_multiplies_takes_no_memory() -> None:
    document = {"x": nested_list(40), "items": MILLION["items"]}
    tracemalloc.start()
    for path in ("$.x" + "[0,0]" * 30, "$..x", "$.items[*]", "$.items[?(@ == 1)]"):
        assert parse_condition(f"{path} == 1").evaluate(document).value is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 250_000_000


@pytest.mark.parametrize(
    "path",
    [
        "$.x[?(@.s * 10000000000 == 1)]",
        "$.x[?(@.s + @.s == 'a')]",
        "$.x[?(@.a & @.b)]",
        "$.x[?(@.a | @.b)]",
        "$.x[?(@.a =~ '(a+)+$')]",
        "$.x[/a]",
        "$.x.`len`",
        "$.x.`sub(/a/, b)`",
        "$.x.`parent`",
        "$.x where $.y",
        "$..a..b",
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_parts_whose_steps_cannot_be_counted_are_refused(path: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition(f"{path} == 1")
    assert caught.value.code in ("limit", "syntax")
