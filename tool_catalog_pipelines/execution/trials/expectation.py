"""Comparing the result of a call with what is expected of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

_SHOWN = 200


def difference(expected: Any, actual: Any, where: str = "output") -> str | None:
    """The first place where an output is not as expected, or None.

    Of an object only the expected keys count; lists have the same length; numbers may differ in
    their type, not in their value.
    """
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return f"{where} is {_shown(actual)}, not an object"
        return _in_object(
            cast("Mapping[str, Any]", expected), cast("Mapping[str, Any]", actual), where
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return _in_list(cast("list[Any]", expected), cast("list[Any]", actual), where)
    if expected == actual and isinstance(expected, bool) == isinstance(actual, bool):
        return None
    return f"{where} is {_shown(actual)}, not {_shown(expected)}"


def _in_object(expected: Mapping[str, Any], actual: Mapping[str, Any], where: str) -> str | None:
    for key, value in expected.items():
        if key not in actual:
            return f"{where} lacks {key}; it has {', '.join(actual) or 'nothing'}"
        found = difference(value, actual[key], f"{where}.{key}")
        if found:
            return found
    return None


def _in_list(expected: list[Any], actual: list[Any], where: str) -> str | None:
    for at, (one, other) in enumerate(zip(expected, actual, strict=False)):
        found = difference(one, other, f"{where}[{at}]")
        if found:
            return found
    if len(expected) != len(actual):
        return f"{where} has {len(actual)} elements, not {len(expected)}"
    return None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
