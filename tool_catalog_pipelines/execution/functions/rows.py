"""Functions on rows and numbers that other steps gave: grouping, joining, percentiles.

Everything is in memory and bounded. Does not belong here: ranking and lines of text (text.py),
reading files (files.py).
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext

MAX_ROWS = 1_000_000
"""More rows than this belong into a database; also the limit of what a join may give."""


def group_rows(
    context: FunctionContext,
    rows: Sequence[Mapping[str, Any]],
    by: Sequence[str],
    number: str | None = None,
    top: int = 100,
) -> dict[str, Any]:
    """Group rows by equal values of some fields, largest group first.

    Each group has a count and, if `number` names a field, sum, mean, minimum and maximum of the
    numbers in it. A field that a row lacks counts as null.
    """
    del context
    _check_size("rows", rows)
    members: dict[Hashable, list[Mapping[str, Any]]] = {}
    for row in rows:
        members.setdefault(_key(row, by), []).append(row)
    ordered = sorted(members.values(), key=len, reverse=True)
    groups = [_group(found, by, number) for found in ordered[:top]]
    return {"groups": groups, "num_groups": len(members), "total": len(rows)}


def _group(rows: Sequence[Mapping[str, Any]], by: Sequence[str], number: str | None) -> Any:
    group: dict[str, Any] = {"group": {name: rows[0].get(name) for name in by}, "count": len(rows)}
    if number is not None:
        numbers = [float(row[number]) for row in rows if _is_number(row.get(number))]
        group["sum"] = sum(numbers)
        group["mean"] = statistics.fmean(numbers) if numbers else None
        group["minimum"] = min(numbers, default=None)
        group["maximum"] = max(numbers, default=None)
    return group


def join_rows(
    context: FunctionContext,
    left: Sequence[Mapping[str, Any]],
    right: Sequence[Mapping[str, Any]],
    on: Sequence[str],
    keep: Literal["matched", "left"] = "matched",
) -> dict[str, Any]:
    """Put rows of two lists together where some fields are equal.

    With keep `left`, rows of the left list without a partner stay as they are. A field that both
    rows have and that is not joined on gets the ending `_right` in its second value. A row that
    lacks a field to join on has no partner.
    """
    del context
    _check_size("left", left)
    _check_size("right", right)
    partners: dict[Hashable, list[Mapping[str, Any]]] = {}
    for row in right:
        if _has_all(row, on):
            partners.setdefault(_key(row, on), []).append(row)
    rows: list[dict[str, Any]] = []
    used: set[Hashable] = set()
    left_only = 0
    for row in left:
        found = partners.get(_key(row, on), []) if _has_all(row, on) else []
        if found:
            used.add(_key(row, on))
        else:
            left_only += 1
        rows += [_merged(row, partner, on) for partner in found]
        rows += [dict(row)] if not found and keep == "left" else []
        _check_size("joined rows", rows)
    right_only = len(right) - sum(len(partners[key]) for key in used)
    return {"rows": rows, "left_only": left_only, "right_only": right_only}


def _merged(left: Mapping[str, Any], right: Mapping[str, Any], on: Sequence[str]) -> dict[str, Any]:
    merged = dict(left)
    for name, value in right.items():
        if name not in on:
            merged[f"{name}_right" if name in left else name] = value
    return merged


def percentiles(
    context: FunctionContext, values: Sequence[float], percents: Sequence[float] = (50, 90, 95, 99)
) -> dict[str, Any]:
    """Percentiles of numbers by linear interpolation, with count, mean and extremes.

    The method is number 7 of Hyndman and Fan (1996), which is the default of NumPy.
    """
    del context
    _check_size("values", values)
    wrong = [value for value in values if not _is_number(value)]
    if wrong:
        raise AttemptError(
            "InputError", f"{len(wrong)} values are no numbers, such as {wrong[0]!r}"
        )
    if not values:
        raise AttemptError("InputError", "there are no values; give at least one number")
    ordered = sorted(float(value) for value in values)
    return {
        "count": len(ordered),
        "mean": statistics.fmean(ordered),
        "minimum": ordered[0],
        "maximum": ordered[-1],
        "percentiles": [{"percent": p, "value": _quantile(ordered, p / 100)} for p in percents],
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _key(row: Mapping[str, Any], names: Sequence[str]) -> Hashable:
    """What makes rows equal; 1 and 1.0 are, 1 and true are not."""
    return tuple(_comparable(row.get(name)) for name in names)


def _comparable(value: Any) -> Hashable:
    if isinstance(value, dict | list):
        return ("json", json.dumps(value, sort_keys=True))
    return (isinstance(value, bool), cast("Hashable", value))


def _has_all(row: Mapping[str, Any], names: Sequence[str]) -> bool:
    return all(row.get(name) is not None for name in names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_size(what: str, values: Sequence[Any]) -> None:
    if len(values) > MAX_ROWS:
        raise AttemptError("InputError", f"{what}: {len(values)}, but the limit is {MAX_ROWS}")
