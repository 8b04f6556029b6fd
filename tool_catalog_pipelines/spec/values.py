"""Does one value fit what was declared for it: type, range, allowed values, regular expression?

Used wherever a declared input gets a value: defaults and examples in files, inputs of a run,
arguments of a step. Pure. Does not belong here: which inputs exist or are required
(planning/inputs.py), JSON Schemas of outputs (execution/).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tool_catalog_pipelines.expressions.regexes import Deadline, SlowRegexError, search
from tool_catalog_pipelines.spec.base import JsonValue, TypeName

_SHOWN_LENGTH = 60
_LONGEST_BITS = 1000
"""Python refuses to write out whole numbers that are much longer than this."""
_TYPE_WORDS: Mapping[TypeName, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_INTEGER = re.compile(r"[-+]?\d{1,300}", re.ASCII)
_NUMBER = re.compile(
    r"[-+]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][-+]?\d{1,4})?", re.ASCII
)


def describe_type(type: TypeName) -> str:
    """A declared type in words: `a whole number`."""
    return _TYPE_WORDS[type]


def describe_value(value: JsonValue) -> str:
    """A value with its type in words, cut to a readable length: `the text 'abc'`."""
    match value:
        case None:
            words = "empty (null)"
        case bool():
            words = "true" if value else "false"
        case str():
            words = f"the text {_shown(repr(value))}"
        case int() | float():
            words = f"the number {_shown(_number_text(value))}"
        case Mapping():
            words = _mapping_words(cast("Mapping[Any, Any]", value))
        case list() | tuple():
            count = len(cast("Sequence[Any]", value))
            words = f"a list of {count} {'value' if count == 1 else 'values'}"
        case _:
            words = f"an object of the kind {type(value).__name__}"
    return words


def _mapping_words(value: Mapping[Any, Any]) -> str:
    keys = ", ".join(repr(key) for key in list(value)[:10])
    return f"a mapping with the keys {_shown(keys)}" if keys else "an empty mapping"


def value_problem(
    value: JsonValue,
    type: TypeName,
    range: tuple[float, float] | None = None,
    allowed_values: Sequence[JsonValue] | None = None,
    validation: str | None = None,
) -> str | None:
    """What is wrong with a value, or None.

    The rest of a sentence whose subject is the input: `must be a whole number, but is the text
    'abc'`. Nothing is converted: see `coerce_value`. In a list, range, allowed values and the
    regular expression hold for each element, unless the list itself is an allowed value.

    Args:
        value: the value, as JSON knows it.
        type: the declared type.
        range: smallest and largest number; both are allowed.
        allowed_values: the only values, compared as JSON (true is not 1).
        validation: a regular expression that is searched in texts.
    """
    if not has_type(value, type):
        return f"must be {_TYPE_WORDS[type]}, but is {describe_value(value)}"
    deadline = Deadline()
    if type == "array" and not (allowed_values and _is_among(value, allowed_values)):
        for at, element in enumerate(cast("Sequence[Any]", value)):
            problem = _scalar_problem(element, range, allowed_values, validation, deadline)
            if problem:
                return f"is wrong in element {at}, which {problem}"
        return None
    return _scalar_problem(value, range, allowed_values, validation, deadline)


def has_type(value: JsonValue, type: TypeName) -> bool:
    """Is the value of the declared type? A whole number is a number; true is no number."""
    match type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return _is_number(value)
        case "array":
            return isinstance(value, list | tuple)
        case "object":
            return isinstance(value, Mapping)


def coerce_value(value: JsonValue, type: TypeName) -> JsonValue:
    """The value as the declared type, converted only where nothing can be lost.

    `"5"` and `5.0` become 5 for an integer, `"true"` becomes True, numbers and true / false become
    text as JSON writes them. Lists, mappings and null are never converted.

    Raises:
        ValueError: the value cannot be of that type; same wording as `value_problem`.
    """
    if has_type(value, type):
        return list(cast("Sequence[Any]", value)) if isinstance(value, tuple) else value
    converted = _converted(value, type)
    if converted is None:
        raise ValueError(f"must be {_TYPE_WORDS[type]}, but is {describe_value(value)}")
    return converted


def _converted(value: JsonValue, type: TypeName) -> JsonValue:
    """The converted scalar, or None when there is no safe conversion."""
    if type == "string":
        return _as_text(value)
    if type == "boolean":
        text = value.strip().lower() if isinstance(value, str) else ""
        return {"true": True, "false": False}.get(text)
    if type == "integer":
        return _as_integer(value)
    if type == "number" and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return _as_number(value.strip())
    return None


def _as_text(value: JsonValue) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number_text(value) if _is_number(value) else None


def _as_integer(value: JsonValue) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return None


def _as_number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _scalar_problem(
    value: JsonValue,
    range: tuple[float, float] | None,
    allowed_values: Sequence[JsonValue] | None,
    validation: str | None,
    deadline: Deadline,
) -> str | None:
    return (
        _choice_problem(value, allowed_values)
        or _range_problem(value, range)
        or _regex_problem(value, validation, deadline)
    )


def _choice_problem(value: JsonValue, allowed: Sequence[JsonValue] | None) -> str | None:
    if allowed is None or _is_among(value, allowed):
        return None
    shown = ", ".join(_shown(repr(choice)) for choice in allowed[:20])
    more = ", ..." if len(allowed) > 20 else ""
    return f"must be one of {shown}{more}, but is {describe_value(value)}"


def _range_problem(value: JsonValue, range: tuple[float, float] | None) -> str | None:
    if range is None or not _is_number(value) or range[0] <= value <= range[1]:
        return None
    low, high = (_number_text(bound) for bound in range)
    return f"must be between {low} and {high}, but is {describe_value(value)}"


def _regex_problem(value: JsonValue, validation: str | None, deadline: Deadline) -> str | None:
    if validation is None or not isinstance(value, str):
        return None
    try:
        if search(validation, value, deadline):
            return None
    except SlowRegexError:
        shown = f"{_shown(repr(validation))}, which takes too long with {describe_value(value)}"
        return f"cannot be compared with the regular expression {shown}"
    return f"must match the regular expression {validation!r}, but is {describe_value(value)}"


def _is_among(value: JsonValue, allowed: Sequence[JsonValue]) -> bool:
    return any(same_json(value, choice) for choice in allowed)


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """Are two values equal as JSON? 1 equals 1.0, but true does not equal 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        left, right = cast("Mapping[Any, Any]", one), cast("Mapping[Any, Any]", other)
        return left.keys() == right.keys() and all(same_json(left[k], right[k]) for k in left)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        ones, others = cast("Sequence[Any]", one), cast("Sequence[Any]", other)
        return len(ones) == len(others) and all(map(same_json, ones, others))
    return one == other


def _number_text(number: float) -> str:
    """A number as a person writes it: 100000 rather than 100000.0."""
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    if isinstance(number, int) and number.bit_length() > _LONGEST_BITS:
        return "of more than 300 digits"
    return str(number)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}..."
