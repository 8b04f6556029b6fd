"""Comparing two values of any shape, place by place.

Does not belong here: differences of text files, which `diff` shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext
from tool_catalog_pipelines.spec.values import same_json

MAX_DEPTH = 100
_Difference = dict[str, Any]


def json_diff(
    context: FunctionContext,
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    ignore: tuple[str, ...] | list[str] = (),
    max_differences: int = 1000,
) -> dict[str, Any]:
    """Where two objects differ: what was added, removed or changed, as JSON Pointers (RFC 6901).

    Fields whose name is in `ignore` are left out at every depth. Lists are compared place by
    place.
    """
    del context
    found = _differences(left, right, "", frozenset(ignore), 0)
    differences = list(islice(found, max_differences + 1))
    return {
        "is_equal": not differences,
        "is_complete": len(differences) <= max_differences,
        "differences": differences[:max_differences],
    }


def _differences(
    left: Any, right: Any, at: str, ignore: frozenset[str], depth: int
) -> Iterator[_Difference]:
    if depth > MAX_DEPTH:
        raise AttemptError("InputError", f"the objects are nested deeper than {MAX_DEPTH}")
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        pairs = _parts(
            cast("Mapping[str, Any]", left), cast("Mapping[str, Any]", right), at, ignore
        )
    elif isinstance(left, list) and isinstance(right, list):
        lefts, rights = cast("list[Any]", left), cast("list[Any]", right)
        pairs = _parts(dict(enumerate(lefts)), dict(enumerate(rights)), at, frozenset())
    else:
        if not same_json(left, right):
            yield {"path": at, "kind": "changed", "left": left, "right": right}
        return
    for place, one, other in pairs:
        if len(one) != len(other):
            kind = "added" if other else "removed"
            yield {"path": place, "kind": kind, "left": _only(one), "right": _only(other)}
        else:
            yield from _differences(one[0], other[0], place, ignore, depth + 1)


def _parts(
    left: Mapping[Any, Any], right: Mapping[Any, Any], at: str, ignore: frozenset[str]
) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Each key of the two with its place and its value on both sides; a missing one is empty."""
    for key in dict.fromkeys((*left, *right)):
        if key not in ignore:
            place = f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield place, [left[key]] if key in left else [], [right[key]] if key in right else []


def _only(values: list[Any]) -> Any:
    return values[0] if values else None
