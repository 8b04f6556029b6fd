"""Functions on rows and numbers: groups, joins, percentiles, differences of values."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.functions import rows as rows_module
from tool_catalog_pipelines.execution.functions.differences import MAX_DEPTH, json_diff
from tool_catalog_pipelines.execution.functions.rows import group_rows, join_rows, percentiles
from tool_catalog_pipelines.execution.python_functions import FunctionContext

CONTEXT = FunctionContext(Path("/w"), Path("/r"), "run", "chain", "step")


def test_groups_are_ordered_by_size_and_their_numbers_are_summed_up() -> None:
    rows = [{"u": "a", "n": 1}, {"u": "b", "n": 2}, {"u": "b", "n": 4.5}, {"u": "b", "n": "x"}]
    answer = group_rows(CONTEXT, rows, ["u"], "n")
    assert answer["groups"] == [
        {"group": {"u": "b"}, "count": 3, "sum": 6.5, "mean": 3.25, "minimum": 2, "maximum": 4.5},
        {"group": {"u": "a"}, "count": 1, "sum": 1, "mean": 1, "minimum": 1, "maximum": 1},
    ]
    assert (answer["num_groups"], answer["total"]) == (2, 4)


def test_a_group_without_numbers_has_no_mean() -> None:
    (group,) = group_rows(CONTEXT, [{"u": "a", "n": True}], ["u"], "n")["groups"]
    assert (group["sum"], group["mean"], group["minimum"]) == (0, None, None)


def test_only_the_largest_groups_are_given_but_all_are_counted() -> None:
    answer = group_rows(CONTEXT, [{"u": n % 7} for n in range(100)], ["u"], top=3)
    assert [group["count"] for group in answer["groups"]] == [15, 15, 14]
    assert answer["num_groups"] == 7


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [(1, 1.0, True), (1, True, False), (0, False, False), ("1", 1, False), (None, 0, False)],
)
def test_values_group_as_json_compares_them(one: Any, other: Any, is_same: bool) -> None:
    answer = group_rows(CONTEXT, [{"k": one}, {"k": other}], ["k"])
    assert answer["num_groups"] == (1 if is_same else 2)


def test_lists_and_objects_can_be_grouped_by() -> None:
    rows = [{"k": {"a": 1, "b": [2]}}, {"k": {"b": [2], "a": 1}}, {"k": [2]}]
    assert [g["count"] for g in group_rows(CONTEXT, rows, ["k"])["groups"]] == [2, 1]


def test_a_join_gives_every_pair() -> None:
    left = [{"k": 1, "l": "a"}, {"k": 1, "l": "b"}, {"k": 2, "l": "c"}]
    right = [{"k": 1, "r": "x"}, {"k": 1, "r": "y"}, {"k": 3, "r": "z"}]
    answer = join_rows(CONTEXT, left, right, ["k"])
    assert [(row["l"], row["r"]) for row in answer["rows"]] == [
        ("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"),
    ]  # fmt: skip
    assert (answer["left_only"], answer["right_only"]) == (1, 1)


def test_a_left_join_keeps_rows_without_a_partner() -> None:
    answer = join_rows(CONTEXT, [{"k": 1}, {"k": 2}], [{"k": 2, "r": 5}], ["k"], "left")
    assert answer["rows"] == [{"k": 1}, {"k": 2, "r": 5}]


def test_a_field_of_both_sides_keeps_both_values() -> None:
    answer = join_rows(CONTEXT, [{"k": 1, "n": "l"}], [{"k": 1, "n": "r"}], ["k"])
    assert answer["rows"] == [{"k": 1, "n": "l", "n_right": "r"}]


def test_a_missing_field_joins_with_nothing() -> None:
    answer = join_rows(CONTEXT, [{"l": 1}, {"k": None}], [{"r": 1}, {"k": None}], ["k"])
    assert (answer["rows"], answer["left_only"], answer["right_only"]) == ([], 2, 2)


def test_a_join_that_explodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MAX_ROWS", 50)
    same = [{"k": 1}] * 20
    with pytest.raises(AttemptError, match="joined rows: 60, but the limit is 50"):
        join_rows(CONTEXT, same, same, ["k"])


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MAX_ROWS", 3)
    with pytest.raises(AttemptError, match="rows: 4, but the limit is 3"):
        group_rows(CONTEXT, [{}] * 4, ["k"])


def test_percentiles_are_those_of_numpy() -> None:
    chance = random.Random(5)
    percents = [0, 1, 33.3, 50, 90, 99.9, 100]
    for size in (1, 2, 3, 10, 101):
        values = [chance.uniform(-5, 5) for _ in range(size)]
        answer = percentiles(CONTEXT, values, percents)
        got = [entry["value"] for entry in answer["percentiles"]]
        assert got == pytest.approx(list(np.percentile(values, percents)))
        assert answer["mean"] == pytest.approx(float(np.mean(values)))
        assert (answer["minimum"], answer["maximum"]) == (min(values), max(values))


@pytest.mark.parametrize("values", [[], [1, "2"], [True], [None]])
def test_percentiles_of_anything_else_are_refused(values: list[Any]) -> None:
    with pytest.raises(AttemptError, match=r"no values|no numbers"):
        percentiles(CONTEXT, values)


def test_every_difference_has_its_place() -> None:
    left = {"a": {"b": [1, {"c": 2}]}, "x/y~z": 1, "gone": None}
    right = {"a": {"b": [1, {"c": 3}, 4]}, "x/y~z": True}
    answer = json_diff(CONTEXT, left, right)
    assert answer == {
        "is_equal": False,
        "is_complete": True,
        "differences": [
            {"path": "/a/b/1/c", "kind": "changed", "left": 2, "right": 3},
            {"path": "/a/b/2", "kind": "added", "left": None, "right": 4},
            {"path": "/x~1y~0z", "kind": "changed", "left": 1, "right": True},
            {"path": "/gone", "kind": "removed", "left": None, "right": None},
        ],
    }


def test_an_object_in_place_of_a_list_is_one_difference() -> None:
    (found,) = json_diff(CONTEXT, {"a": [1]}, {"a": {"0": 1}})["differences"]
    assert (found["path"], found["kind"]) == ("/a", "changed")


def test_fields_can_be_ignored_at_every_depth() -> None:
    left = {"at": 1, "rows": [{"at": 2, "n": 1}]}
    right = {"at": 5, "rows": [{"at": 6, "n": 1}]}
    assert json_diff(CONTEXT, left, right, ["at"])["is_equal"]
    assert not json_diff(CONTEXT, left, right)["is_equal"]


def test_differences_are_cut_at_the_limit() -> None:
    left, right = {str(n): 0 for n in range(10)}, {str(n): 1 for n in range(10)}
    answer = json_diff(CONTEXT, left, right, max_differences=4)
    assert (len(answer["differences"]), answer["is_complete"]) == (4, False)
    assert json_diff(CONTEXT, left, right, max_differences=10)["is_complete"]


def test_endless_nesting_is_refused() -> None:
    value: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 2):
        value = {"a": value}
    with pytest.raises(AttemptError, match="nested deeper"):
        json_diff(CONTEXT, value, value)
