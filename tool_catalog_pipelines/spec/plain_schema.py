"""Is a JSON Schema plainly well formed? A fast yes for what nearly all schemas look like.

The meta schema of draft 2020-12 decides everything else, some hundred times slower
(spec/check_binding.py). A yes here must be a yes there; a no here means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from tool_catalog_pipelines.spec.base import JsonValue

_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})
_MAX_DEPTH = 30


def is_plain_schema(schema: JsonValue, depth: int = 0) -> bool:
    """True only for a schema that the meta schema accepts too."""
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return False
    for key, value in cast("dict[str, JsonValue]", schema).items():
        if key in _SIMPLE:
            if not _SIMPLE[key](value):
                return False
        elif not _has_plain_schemas(key, value, depth + 1):
            return False
    return True


def _has_plain_schemas(key: str, value: JsonValue, depth: int) -> bool:
    if key in ("properties", "$defs"):
        if not isinstance(value, dict):
            return False
        inner = list(cast("Mapping[str, JsonValue]", value).values())
    elif key in ("items", "additionalProperties", "not"):
        inner = [value]
    elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if not isinstance(value, list) or not value:
            return False
        inner = cast("list[JsonValue]", value)
    else:
        return False
    return all(is_plain_schema(one, depth) for one in inner)


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_type(value: JsonValue) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return _is_text_list(value) and bool(value) and set(cast("list[str]", value)) <= _TYPES


def _is_text_list(value: JsonValue) -> bool:
    if not isinstance(value, list):
        return False
    texts = cast("list[JsonValue]", value)
    return all(isinstance(one, str) for one in texts) and len(set(texts)) == len(texts)


_SIMPLE: Mapping[str, Callable[[JsonValue], bool]] = {
    "type": _is_type,
    "required": _is_text_list,
    "title": _is_text,
    "description": _is_text,
    "format": _is_text,
    "enum": lambda value: isinstance(value, list),
    "const": lambda _: True,
    "minimum": _is_number,
    "maximum": _is_number,
    "exclusiveMinimum": _is_number,
    "exclusiveMaximum": _is_number,
    "minLength": _is_count,
    "maxLength": _is_count,
    "minItems": _is_count,
    "maxItems": _is_count,
    "minProperties": _is_count,
    "maxProperties": _is_count,
}
