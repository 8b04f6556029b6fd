"""The functions of the condition language, with fixed arity, and the mark for missing values.

A missing argument gives a missing result, except for `exists` and `is_empty`. Wrong kinds of
values give missing too: a condition never raises for the data it meets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.regexes import Deadline, search, unsearchable

MAX_PATTERN = 200
MAX_TEXT = 10_000


class _Missing:
    """The value of an operand that is not there."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its number of arguments; by default missing in gives missing out."""

    call: Callable[..., Any]
    arity: int
    takes_missing: bool = False
    takes_deadline: bool = False

    def __call__(self, arguments: Sequence[Any], deadline: Deadline) -> Any:
        """The result, or MISSING."""
        if not self.takes_missing and any(argument is MISSING for argument in arguments):
            return MISSING
        return self.call(*arguments, deadline) if self.takes_deadline else self.call(*arguments)


def _exists(value: Any) -> bool:
    return value is not MISSING


def _length(value: Any) -> Any:
    if value is None:
        return 0
    if isinstance(value, str | list | Mapping):
        return len(cast("list[Any]", value))
    return MISSING


def _count(value: Any) -> Any:
    """Number of elements; a single value that is no list counts as one."""
    if value is MISSING or value is None:
        return 0
    return len(cast("list[Any]", value)) if isinstance(value, list) else 1


def _is_empty(value: Any) -> bool:
    return value is MISSING or value is None or value in ("", [], {})


def contains(holder: Any, element: Any) -> Any:
    """A part of a text, an element of a list, a key of an object; missing for all else."""
    if isinstance(holder, str):
        return element in holder if isinstance(element, str) else MISSING
    if isinstance(holder, Mapping):
        return isinstance(element, str) and element in holder
    return element in cast("list[Any]", holder) if isinstance(holder, list) else MISSING


def _text_test(test: Callable[[str, str], bool]) -> Callable[[Any, Any], Any]:
    def check(text: Any, part: Any) -> Any:
        both = isinstance(text, str) and isinstance(part, str)
        return test(text, part) if both else MISSING

    return check


def _matches(text: Any, pattern: Any, deadline: Deadline) -> Any:
    """Regular expression search, with limits against patterns that never end.

    Raises:
        ExpressionError: the search is not made, so that nobody knows what it would give.
    """
    if not (isinstance(text, str) and isinstance(pattern, str)):
        return MISSING
    if len(pattern) > MAX_PATTERN:
        raise _given_up(f"the regular expression has more than {MAX_PATTERN} characters")
    if len(text) > MAX_TEXT:
        raise _given_up(f"the text has more than {MAX_TEXT} characters")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return MISSING
    why_not = unsearchable(pattern)
    if why_not is not None:
        raise _given_up(f"the regular expression cannot be searched: {why_not}")
    return search(pattern, text, deadline) is not None


def _given_up(why: str) -> ExpressionError:
    return ExpressionError(why, code="limit")


def _over_list(test: Callable[[list[bool]], bool]) -> Callable[[Any, Any], Any]:
    def check(values: Any, wanted: Any) -> Any:
        if not isinstance(values, list):
            return MISSING
        return test([value == wanted for value in cast("list[Any]", values)])

    return check


def _numbers(values: Any) -> Sequence[float] | None:
    if not isinstance(values, list):
        return None
    elements = cast("list[Any]", values)
    good = [v for v in elements if isinstance(v, int | float) and not isinstance(v, bool)]
    return good if len(good) == len(elements) else None


def _sum(values: Any) -> Any:
    numbers = _numbers(values)
    try:
        return MISSING if numbers is None else math.fsum(numbers)
    except (OverflowError, ValueError):  # too large, or infinities of both signs
        return MISSING


def _average(values: Any) -> Any:
    total = _sum(values)
    return total / len(values) if total is not MISSING and values else MISSING


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def check(left: Any, right: Any) -> Any:
        return MISSING if _numbers([left, right]) is None else test(left, right)

    return check


def _is(kind: type | tuple[type, ...]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if isinstance(value, bool):
            return kind is bool
        return isinstance(value, kind)

    return check


FUNCTIONS: Mapping[str, Function] = {
    "exists": Function(_exists, 1, takes_missing=True),
    "is_empty": Function(_is_empty, 1, takes_missing=True),
    "length": Function(_length, 1),
    "count_items": Function(_count, 1, takes_missing=True),
    "contains": Function(contains, 2),
    "has_item": Function(contains, 2),
    "contains_string": Function(_text_test(lambda text, part: part in text), 2),
    "starts_with": Function(_text_test(str.startswith), 2),
    "ends_with": Function(_text_test(str.endswith), 2),
    "matches_regex": Function(_matches, 2, takes_deadline=True),
    "any_match": Function(_over_list(any), 2),
    "all_match": Function(_over_list(all), 2),
    "is_string": Function(_is(str), 1),
    "is_number": Function(_is((int, float)), 1),
    "is_boolean": Function(_is(bool), 1),
    "is_array": Function(_is(list), 1),
    "is_object": Function(_is(dict), 1),
    "is_greater": Function(_ordered(lambda a, b: a > b), 2),
    "is_less": Function(_ordered(lambda a, b: a < b), 2),
    "sum": Function(_sum, 1),
    "average": Function(_average, 1),
}
