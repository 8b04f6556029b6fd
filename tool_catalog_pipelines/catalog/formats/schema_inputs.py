"""A property of a JSON Schema -> one typed input of a tool, with a note of all that is lost.

Does not belong here: where the value goes in a call (the formats).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.catalog.formats.foreign import (
    MASK,
    Names,
    Trail,
    description_of,
    elements,
    identifier,
    is_secret,
    mapping,
    printable,
)
from tool_catalog_pipelines.catalog.formats.schema_values import (
    TYPES,
    References,
    UnreadableError,
    regex_work,
    safe_regex,
    type_names,
)
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.values import value_problem

MAX_INPUTS = 400
MAX_CHOICES = 500
_MAX_KEPT_BYTES = 4000
_MAX_REGEX_WORK = 1_000_000
_LARGEST = sys.float_info.max
_NOT_KEPT = (
    "minLength", "maxLength", "multipleOf", "uniqueItems", "minItems", "maxItems", "not",
    "patternProperties", "dependentRequired", "if",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """One value that a call takes, as its file describes it.

    Attributes:
        written: the name in the file.
        schema: its schema, not yet resolved.
        path: where it stands in the file.
        description: what the file says about it outside of the schema.
        otherwise: the type when the schema names none.
    """

    written: str
    schema: JsonValue
    path: DocumentPath
    description: JsonValue = None
    otherwise: TypeName = "object"


class InputMaker:
    """Makes the inputs of one tool; names are unique within it."""

    def __init__(self, references: References, trail: Trail) -> None:
        self._references = references
        self._trail = trail
        self._names = Names()

    def make(self, wanted: Property) -> dict[str, Any]:
        """The input as a tool file holds it.

        Raises:
            UnreadableError: its schema refers to what is not there.
        """
        flat = self._references.flat(wanted.schema)
        name = self._name(wanted)
        field = f"inputs.{name}"
        kind, rules = self._type(flat, wanted, field)
        described = wanted.description or flat.get("description") or flat.get("title")
        made: dict[str, Any] = {
            "name": name,
            "type": kind,
            "description": description_of(
                described,
                printable(wanted.written) or name,
                f"{field}.description",
                self._trail,
                wanted.path,
            ),
        }
        self._rules(made, rules, wanted, field)
        self._values(made, flat, wanted, field)
        return made

    def _name(self, wanted: Property) -> str:
        name = self._names.take(identifier(wanted.written))
        if name != wanted.written:
            why = "names of inputs are small letters, digits and _, each once"
            self._trail.note("inputs.name", wanted.written, name, why, wanted.path)
        return name

    def _type(
        self, flat: Mapping[str, Any], wanted: Property, field: str
    ) -> tuple[TypeName, Mapping[str, Any]]:
        """The type, and the schema whose rules hold for it."""
        kinds = type_names(flat)
        choices = [*elements(flat.get("oneOf")), *elements(flat.get("anyOf"))][:50]
        if not kinds and choices:
            return self._type_of_union(choices, wanted, field)
        if not kinds and isinstance(flat.get("enum"), list):
            kinds = [_type_of_values(elements(flat["enum"]))]
        kinds = list(dict.fromkeys(kinds))
        if len(kinds) == 1 and kinds[0] in TYPES:
            return cast("TypeName", kinds[0]), flat
        became = wanted.otherwise if len(kinds) < 2 else "object"
        given = " or ".join(kinds) or "no type"
        why = "several types cannot be said" if len(kinds) > 1 else "not a type that is known"
        self._trail.note(f"{field}.type", given, became, why, wanted.path)
        return became, {}

    def _type_of_union(
        self, choices: list[Any], wanted: Property, field: str
    ) -> tuple[TypeName, Mapping[str, Any]]:
        flats = [self._references.flat(choice) for choice in choices]
        real = [flat for flat in flats if flat.get("type") != "null"]
        kinds = {tuple(type_names(flat)) for flat in real}
        kind = next(iter(kinds))[0] if len(kinds) == 1 and next(iter(kinds)) else "object"
        known = cast("TypeName", kind) if kind in TYPES else "object"
        if len(real) == 1 and kind in TYPES:
            return known, real[0]
        self._trail.note(
            f"{field}.type",
            "oneOf / anyOf",
            known,
            "one of several shapes cannot be said",
            wanted.path,
        )
        return known, {}

    def _rules(
        self, made: dict[str, Any], rules: Mapping[str, Any], wanted: Property, field: str
    ) -> None:
        """Range, regular expression and allowed values; of the elements, for a list."""
        if made["type"] == "array":
            inner = self._references.flat(rules.get("items"))
            if len(type_names(inner)) == 1:
                rules = {**inner, "uniqueItems": rules.get("uniqueItems")}
        kinds = type_names(rules)
        if made["type"] in ("integer", "number") or kinds in (["integer"], ["number"]):
            self._range(made, rules, wanted, field)
        if made["type"] == "string" or kinds == ["string"]:
            self._regex(made, rules.get("pattern"), wanted, field)
        self._choices(made, rules.get("enum", _const(rules)), wanted, field)
        lost = [key for key in _NOT_KEPT if rules.get(key)]
        if lost:
            self._trail.note(field, ", ".join(lost), "left out", "no rule of inputs", wanted.path)

    def _range(
        self, made: dict[str, Any], rules: Mapping[str, Any], wanted: Property, field: str
    ) -> None:
        low, is_low_strict = _bound(rules, "minimum", "exclusiveMinimum")
        high, is_high_strict = _bound(rules, "maximum", "exclusiveMaximum")
        if low is None and high is None:
            return
        if made["type"] == "integer":
            low = low + 1 if is_low_strict and low is not None else low
            high = high - 1 if is_high_strict and high is not None else high
        elif is_low_strict or is_high_strict:
            why = "an end of a range is always allowed"
            self._trail.note(f"{field}.range", "exclusive", "inclusive", why, wanted.path)
        ends = [-_LARGEST if low is None else low, _LARGEST if high is None else high]
        if ends[0] > ends[1] or max(map(abs, ends)) > _LARGEST:
            self._trail.note(
                f"{field}.range", "an empty range", "left out", "no value fits", wanted.path
            )
            return
        made["range"] = ends

    def _regex(
        self, made: dict[str, Any], pattern: JsonValue, wanted: Property, field: str
    ) -> None:
        if pattern is None:
            return
        safe = safe_regex(pattern)
        if safe is not None:
            made["validation"] = safe
            return
        why = "it does not compile here, or may run for ages"
        self._trail.note(
            f"{field}.validation", printable(str(pattern)), "left out", why, wanted.path
        )

    def _choices(
        self, made: dict[str, Any], choices: JsonValue, wanted: Property, field: str
    ) -> None:
        if not isinstance(choices, list):
            return
        given = cast("list[JsonValue]", choices)
        where = f"{field}.allowed_values"
        if len(given) > MAX_CHOICES:
            count = f"{len(given)} values"
            self._trail.note(where, count, "any value", f"more than {MAX_CHOICES}", wanted.path)
            return
        kind = made["type"]
        fits = given if kind == "array" else [one for one in given if self._fits(made, one)]
        if kind == "array":
            fits = [one for one in given if self._fits(made, [one])]
        if len(fits) < len(given) and any(one is not None for one in given if one not in fits):
            why = "they do not fit the type or the other rules"
            self._trail.note(
                where, f"{len(given) - len(fits)} values", "left out", why, wanted.path
            )
        if fits:
            made["allowed_values"] = fits

    def _values(
        self, made: dict[str, Any], flat: Mapping[str, Any], wanted: Property, field: str
    ) -> None:
        """Default and examples: kept where they fit, and never a secret."""
        default = flat.get("default")
        if default is not None and self._may_keep(made, default, wanted, f"{field}.default"):
            made["default"] = default
        given = [*elements(flat.get("examples")), flat.get("example")][:5]
        kept = [one for one in given if one is not None]
        examples = [one for one in kept if self._may_keep(made, one, wanted, f"{field}.examples")]
        if examples:
            made["examples"] = examples

    def _may_keep(
        self, made: dict[str, Any], value: JsonValue, wanted: Property, field: str
    ) -> bool:
        if isinstance(value, str) and value and is_secret(wanted.written):
            self._trail.note(field, MASK, "left out", "it may be a secret", wanted.path)
            return False
        if _is_large(value) or not self._fits(made, value):
            why = "too large, or it does not fit the input"
            self._trail.note(field, value, "left out", why, wanted.path)
            return False
        return True

    def _fits(self, made: Mapping[str, Any], value: JsonValue) -> bool:
        """Does a value fit the input? What would take ages to find out does not."""
        pattern: str | None = made.get("validation")
        for text in (value, *elements(value)):
            work = regex_work(pattern, text) if pattern and isinstance(text, str) else 0
            if work > _MAX_REGEX_WORK:
                return False
            self._references.count(work // 50)
        problem = value_problem(
            value, made["type"], made.get("range"), made.get("allowed_values"), pattern
        )
        return problem is None


def _is_large(value: JsonValue) -> bool:
    if isinstance(value, str):
        return len(value) > _MAX_KEPT_BYTES
    return isinstance(value, list | Mapping) and len(str(cast("Any", value))) > _MAX_KEPT_BYTES


def _const(rules: Mapping[str, Any]) -> list[JsonValue] | None:
    return [rules["const"]] if rules.get("const") is not None else None


def _bound(rules: Mapping[str, Any], key: str, strict: str) -> tuple[Any, bool]:
    """One end of a range, and whether it is itself excluded; both dialects."""
    value, other = rules.get(key), rules.get(strict)
    if _is_number(other):
        return other, True
    return (value, other is True) if _is_number(value) else (None, False)


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _type_of_values(values: Any) -> str:
    kinds = {type(value).__name__ for value in values if value is not None}
    names = {"str": "string", "int": "integer", "bool": "boolean"}
    if len(kinds) == 1:
        return names.get(next(iter(kinds)), "number" if kinds == {"float"} else "object")
    return "number" if kinds == {"int", "float"} else "object"


def properties_of(flat: Mapping[str, Any]) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The properties of an object schema, and the names of those that are required."""
    required = [one for one in elements(flat.get("required")) if isinstance(one, str)]
    return mapping(flat.get("properties")), frozenset(required)


def schema_inputs(
    schema: JsonValue, where: DocumentPath, trail: Trail
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The properties of an object schema that refers to itself only, as inputs.

    Args:
        schema: the object schema.
        where: where its properties stand in the file.
        trail: gets the notes.

    Returns:
        The required ones and the optional ones.

    Raises:
        UnreadableError: it is no object, or refers to what is not there.
    """
    references = References(mapping(schema))
    flat = references.flat(schema)
    if type_names(flat) not in (["object"], []):
        raise UnreadableError("its inputs are no mapping")
    if flat.get("oneOf") or flat.get("anyOf"):
        why = "one of several shapes cannot be said; common properties are inputs"
        trail.note("inputs", "oneOf / anyOf", "common properties", why, where)
    properties, required = properties_of(flat)
    if len(properties) > MAX_INPUTS:
        raise UnreadableError(f"{len(properties)} inputs, more than the {MAX_INPUTS} allowed")
    maker = InputMaker(references, trail)
    found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for name, written in properties.items():
        path = (*where, name)
        found[name not in required].append(maker.make(Property(name, written, path)))
    return found
