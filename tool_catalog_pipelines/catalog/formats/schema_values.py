"""JSON Schemas of others, made small and safe: references followed, allOf merged, all bounded.

Takes the dialects of OpenAPI 3.0 and 3.1, MCP and component descriptions; gives plain JSON Schema
of draft 2020-12 without any reference. Does not belong here: inputs of tools (schema_inputs.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

from tool_catalog_pipelines.catalog.formats.foreign import mapping, text_of
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.check_inputs import regex_problem

MAX_DEPTH = 6
MAX_VALUES = 400
"""Of one schema that is kept with a tool."""
MAX_STEPS = 20_000
"""Schemas looked at for one tool; mutual references multiply."""
MAX_ALL_STEPS = 2_000_000
"""Schemas looked at for one file."""
_MAX_CHAIN = 30
_MAX_REGEX_LENGTH = 500
_MAX_REPEATS = 4
_UNLIMITED = r"[*+]|\{\d*,\d*\}"
_MAX_DESCRIPTION = 200
_MAX_CHOICES = 200
TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")


class UnreadableError(Exception):
    """A part of a file that no tool can be made of: a reference that leads nowhere, for example."""


@dataclass(slots=True)
class References:
    """Follows the references of one file; counts what each tool and all of them need."""

    root: Mapping[str, Any]
    steps: int = field(default=0)
    all_steps: int = field(default=0)

    def begin(self) -> None:
        """The next tool begins."""
        self.steps = 0

    def follow(self, value: JsonValue) -> Mapping[str, Any]:
        """What a mapping says, with the target of its `$ref` filled in.

        Raises:
            UnreadableError: it leads nowhere, in circles or out of the file.
        """
        seen: list[str] = []
        found = mapping(value)
        beside: dict[str, Any] = {}
        while "$ref" in found:
            reference = found["$ref"]
            if not isinstance(reference, str) or reference in seen or len(seen) > _MAX_CHAIN:
                raise UnreadableError(f"the reference {reference!r} leads in circles")
            self.count()
            seen.append(reference)
            others = {key: inner for key, inner in found.items() if key != "$ref"}
            beside = {**others, **beside}
            found = mapping(self._target(reference))
        return {**found, **beside} if beside else found

    def count(self, size: int = 0) -> None:
        """One more schema of that many keys was looked at."""
        self.steps += 1 + size // 10
        self.all_steps += 1 + size // 10
        if self.steps > MAX_STEPS:
            raise UnreadableError("its schemas are too much work to read")
        if self.all_steps > MAX_ALL_STEPS:
            raise UnreadableError("the schemas of this file are too much work to read")

    def _target(self, reference: str) -> JsonValue:
        shown = reference[:100]
        if not reference.startswith("#"):
            raise UnreadableError(f"the reference {shown!r} leads out of the file")
        target: JsonValue = self.root
        parts = unquote(reference[1:]).split("/")[1:]
        for part in parts:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and key.isdecimal() and len(key) < 8:
                inner = cast("list[JsonValue]", target)
                target = inner[int(key)] if int(key) < len(inner) else None
            else:
                target = mapping(target).get(key)
        if not isinstance(target, Mapping):
            raise UnreadableError(f"the reference {shown!r} leads nowhere")
        return cast("Mapping[str, Any]", target)

    def flat(self, schema: JsonValue, within: tuple[int, ...] = ()) -> dict[str, Any]:
        """A schema with its reference followed and `allOf` merged into it."""
        found = dict(self.follow(schema))
        self.count(len(found))
        parts = found.pop("allOf", None)
        if not isinstance(parts, list) or len(within) > _MAX_CHAIN:
            return found
        for part in cast("list[JsonValue]", parts):
            target = self.follow(part)
            marker = id(target.get("properties", target))
            if marker not in within:
                found = _merged(self.flat(part, (*within, marker)), found)
                self.count(len(mapping(found.get("properties"))))
        return found


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both schemas at once; where they differ, the second counts."""
    merged = {**one, **other}
    for key in ("properties", "patternProperties"):
        if key in one and key in other:
            merged[key] = {**mapping(one[key]), **mapping(other[key])}
    if isinstance(one.get("required"), list) and isinstance(other.get("required"), list):
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def type_names(schema: Mapping[str, Any]) -> list[str]:
    """The types that a schema allows, without null; none if it does not say."""
    written = schema.get("type")
    names = cast("list[JsonValue]", written) if isinstance(written, list) else [written]
    found = [str(name) for name in names if isinstance(name, str) and name != "null"]
    if found or written is not None:
        return found
    if "properties" in schema:
        return ["object"]
    return ["array"] if "items" in schema else []


def safe_regex(pattern: JsonValue) -> str | None:
    """A regular expression that compiles here and cannot run for ages, or None."""
    if not isinstance(pattern, str) or not pattern or len(pattern) > _MAX_REGEX_LENGTH:
        return None
    if "\0" in pattern or _may_run_long(pattern) or regex_problem(pattern) is not None:
        return None
    return pattern


def regex_work(pattern: str, text: str) -> int:
    """About how many steps a search may take at worst, for a regular expression that is safe."""
    begins_fixed = pattern.startswith("^") and "|" not in pattern
    power = len(re.findall(_UNLIMITED, _bare(pattern))) + (0 if begins_fixed else 1)
    return (len(text) + 1) ** max(power, 1)


def _bare(pattern: str) -> str:
    """The regular expression with one letter for every escape and every class."""
    return re.sub(
        r"\[\^?\]?[^\]]*\]", "c", re.sub(r"\\.", "e", pattern, flags=re.DOTALL), flags=re.DOTALL
    )


def _may_run_long(pattern: str) -> bool:
    """Repeats inside repeats, or many repeats: time that grows fast with the text."""
    bare = _bare(pattern)
    optional = len(re.findall(r"(?<![(*+?}])\?", bare))
    if len(re.findall(_UNLIMITED, bare)) > _MAX_REPEATS or optional > 2 * _MAX_REPEATS:
        return True
    opened: list[int] = []
    for at, character in enumerate(bare):
        if character == "(":
            opened.append(at)
        elif character == ")" and opened:
            inner = bare[opened.pop() + 1 : at]
            is_repeated = re.match(r"[*+]|\{\d*,\d*\}|\{\d+\}", bare[at + 1 :])
            if is_repeated and re.search(r"[*+|}]|(?<!\()\?", inner):
                return True
    return False


def inlined(schema: JsonValue, references: References) -> tuple[dict[str, Any], bool]:
    """A schema without references, and whether something was left out because it is too large.

    Raises:
        UnreadableError: it refers to what is not there.
    """
    work = _Inlining(references)
    return work.schema(schema, 0, ()), work.is_cut


class _Inlining:
    def __init__(self, references: References) -> None:
        self._references = references
        self._left = MAX_VALUES
        self.is_cut = False

    def schema(self, value: JsonValue, depth: int, within: tuple[str, ...]) -> dict[str, Any]:
        """One schema, rebuilt from the keywords that are known and well formed."""
        self._left -= 1
        reference = mapping(value).get("$ref")
        if depth > MAX_DEPTH or self._left < 0 or (reference and reference in within):
            self.is_cut = True
            return {}
        if not isinstance(value, Mapping):
            return {}
        inside = (*within, str(reference)) if reference else within
        flat = self._references.flat(cast("JsonValue", value))
        built = _scalars(flat)
        self._composed(flat, built, depth + 1, inside)
        return built

    def _composed(
        self, flat: Mapping[str, Any], built: dict[str, Any], depth: int, within: tuple[str, ...]
    ) -> None:
        if isinstance(flat.get("properties"), Mapping):
            properties: dict[str, Any] = {}
            for key, inner in mapping(flat["properties"]).items():
                if self._left <= 0:
                    self.is_cut = True
                    break
                properties[key] = self.schema(inner, depth, within)
            built["properties"] = properties
        if isinstance(flat.get("items"), Mapping):
            built["items"] = self.schema(flat["items"], depth, within)
        extra = flat.get("additionalProperties")
        if isinstance(extra, bool):
            built["additionalProperties"] = extra
        elif isinstance(extra, Mapping):
            built["additionalProperties"] = self.schema(cast("JsonValue", extra), depth, within)
        for key in ("oneOf", "anyOf"):
            choices = flat.get(key)
            if isinstance(choices, list) and 0 < len(cast("list[Any]", choices)) <= 30:
                several = cast("list[JsonValue]", choices)
                # One of them may be cut to {}, which everything fits: more than one may match.
                built["anyOf"] = [self.schema(one, depth, within) for one in several]


def _scalars(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords without schemas inside."""
    built: dict[str, Any] = {}
    types = [name for name in type_names(flat) if name in TYPES]
    written = flat.get("type")
    may_be_null = flat.get("nullable") is True or (
        isinstance(written, list) and "null" in cast("list[Any]", written)
    )
    if types and len(types) == len(type_names(flat)):
        kinds = list(dict.fromkeys([*types, "null"] if may_be_null else types))
        built["type"] = kinds[0] if len(kinds) == 1 else kinds
    _texts_of(flat, built)
    _limits(flat, built)
    required = flat.get("required")
    if isinstance(required, list):
        names = [one for one in cast("list[Any]", required) if isinstance(one, str)]
        built["required"] = list(dict.fromkeys(names[:MAX_VALUES]))
    choices = flat.get("enum")
    if isinstance(choices, list) and 0 < len(cast("list[Any]", choices)) <= _MAX_CHOICES:
        several = cast("list[Any]", choices)
        plain = all(one is None or isinstance(one, str | int | float) for one in several)
        if plain:
            built["enum"] = [*several, None] if may_be_null and None not in several else several
    if "const" in flat and (flat["const"] is None or isinstance(flat["const"], str | int | float)):
        built["const"] = flat["const"]
    return built


def _texts_of(flat: Mapping[str, Any], built: dict[str, Any]) -> None:
    description = text_of(flat.get("description"))
    if description:
        is_long = len(description) > _MAX_DESCRIPTION
        built["description"] = (
            f"{description[: _MAX_DESCRIPTION - 3]}..." if is_long else description
        )
    name = flat.get("format")
    if isinstance(name, str) and len(name) < 60 and name.isprintable():
        built["format"] = name
    pattern = safe_regex(flat.get("pattern"))
    if pattern is not None:
        built["pattern"] = pattern


def _limits(flat: Mapping[str, Any], built: dict[str, Any]) -> None:
    for key in _NUMBERS:
        value = flat.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            built[key] = value
    for low, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if flat.get(strict) is True and low in built:  # as OpenAPI 3.0 writes it
            built[strict] = built.pop(low)
    for key in _COUNTS:
        value = flat.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            built[key] = value
