"""Parts that the legacy tool files share: inputs, outputs, estimates, policies, words of choice.

Values of those files were never checked by a program, so each is taken as far as it can be and
every step away from what is written is noted. Does not belong here: the shapes of the files
(legacy_full.py, legacy_short.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from tool_catalog_pipelines.catalog.formats.foreign import (
    MASK,
    NOT_SAID,
    Names,
    Trail,
    description_of,
    elements,
    identifier,
    is_secret,
    mapping,
    text_of,
    texts,
)
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.spec.base import JsonValue, TypeName
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import Category, Platform, Scope
from tool_catalog_pipelines.spec.values import coerce_value, value_problem

_TYPES: Mapping[str, TypeName] = {
    "str": "string", "text": "string", "int": "integer", "float": "number", "double": "number",
    "bool": "boolean", "list": "array", "dict": "object", "map": "object",
}  # fmt: skip
_PLATFORMS = {"docker": "container", "cross-platform": "multi-platform"}
_CATEGORIES = {"network_device_configuration": "network", "file": "filesystem"}
_SCOPES = {"single": "single_item", "multiple": "multiple_items", "all": "exhaustive"}
_COMPLETENESS = {"full": "complete"}
_DEFAULTS = {"N": 0.0, "pages": 1.0, "p95_latency": 100.0, "cost": 1.0, "time_ms": 1000.0}
_UNITS = (("_ms", "ms"), ("latency", "ms"), ("_time", "ms"), ("_seconds", "s"), ("_kb", "KiB"))
_PREFERENCES = ("speed", "accuracy", "cost", "complexity", "completeness")


def rest(value: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """What a mapping says besides the known keys."""
    return {key: inner for key, inner in value.items() if key not in known}


def choice(
    written: JsonValue,
    allowed: Sequence[str],
    others: Mapping[str, str],
    otherwise: str,
    note: tuple[Trail, str, DocumentPath],
) -> str:
    """One of the allowed words; other spellings are translated, unknown ones become neutral."""
    trail, field, path = note
    text = text_of(written)
    if text in allowed:
        return text
    became = others.get(text.lower(), text.lower())
    if became not in allowed:
        became = otherwise
    if text or written is not None:
        trail.note(field, text or written, became, "not one of the allowed words", path)
    return became


def platform_of(written: JsonValue, trail: Trail, path: DocumentPath) -> str:
    """The platform of a tool."""
    return choice(written, get_args(Platform), _PLATFORMS, "custom", (trail, "platform", path))


def category_of(written: JsonValue, trail: Trail, path: DocumentPath) -> str:
    """The category of a tool."""
    return choice(written, get_args(Category), _CATEGORIES, "system", (trail, "category", path))


def scope_of(written: JsonValue, trail: Trail, field: str, path: DocumentPath) -> str:
    """The scope of a pattern."""
    return choice(written, get_args(Scope), _SCOPES, "single_item", (trail, field, path))


def completeness_of(written: JsonValue, trail: Trail, field: str, path: DocumentPath) -> str:
    """The completeness of a pattern."""
    allowed = ("complete", "partial", "summary")
    return choice(written, allowed, _COMPLETENESS, "complete", (trail, field, path))


def inputs_of(
    pattern: Mapping[str, Any], keys: Sequence[str], trail: Trail, path: DocumentPath, field: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Required and optional inputs of some lists; `required: false` counts wherever it stands."""
    required: list[dict[str, Any]] = []
    optional: list[dict[str, Any]] = []
    names = Names()
    for key in keys:
        for at, raw in enumerate(elements(pattern.get(key))):
            where = (*path, key, at)
            written = mapping(raw)
            must = written.get("required", key == "required_inputs") in (True, "true")
            if key == "required_inputs" and not must:
                why = "an input that is not required is optional"
                trail.note(
                    f"{field}.optional_inputs", text_of(written.get("name")), key, why, where
                )
            spec = _input(written, names, trail, where, f"{field}.inputs.{at}")
            (required if must else optional).append(spec)
    return required, optional


def _input(
    raw: Mapping[str, Any], names: Names, trail: Trail, path: DocumentPath, field: str
) -> dict[str, Any]:
    written = text_of(raw.get("name"))
    name = names.take(identifier(written))
    if name != written:
        trail.note(f"{field}.name", written or NOT_SAID, name, "not an identifier", path)
    kind = _type(raw.get("type"), trail, path, f"{field}.type")
    description = description_of(
        raw.get("description"), f"The input {name}", f"{field}.description", trail, path
    )
    spec: dict[str, Any] = {"name": name, "type": kind, "description": description}
    _take_rules(spec, raw, trail, path, field)
    _take_default(spec, raw, trail, path, field)
    _take_examples(spec, raw, trail, path, field)
    return spec


def _type(written: JsonValue, trail: Trail, path: DocumentPath, field: str) -> TypeName:
    text = text_of(written).lower()
    if text in get_args(TypeName):
        return cast("TypeName", text)
    kind = _TYPES.get(text, "string")
    trail.note(field, text or NOT_SAID, kind, "another name of the type", path)
    return kind


def _take_rules(
    spec: dict[str, Any], raw: Mapping[str, Any], trail: Trail, path: DocumentPath, field: str
) -> None:
    allowed = elements(raw.get("allowed_values") or raw.get("enum"))
    if allowed:
        values = [_coerced(value, spec["type"]) for value in allowed]
        spec["allowed_values"] = [value for value in values if value is not None]
    validation = raw.get("validation", raw.get("pattern"))
    if validation is None:
        return
    if not isinstance(validation, str) or spec["type"] not in ("string", "array"):
        why = "a regular expression is for texts"
        trail.note(f"{field}.validation", validation, "left out", why, path)
        return
    try:
        re.compile(validation)
    except re.error as error:
        trail.note(f"{field}.validation", validation, "left out", str(error), path)
    else:
        spec["validation"] = validation


def _take_default(
    spec: dict[str, Any], raw: Mapping[str, Any], trail: Trail, path: DocumentPath, field: str
) -> None:
    given = raw.get("default")
    if given is None:
        return
    where = f"{field}.default"
    if is_secret(spec["name"]):
        trail.note(where, MASK, "left out", "it looks like a secret", path)
        return
    value = _coerced(given, spec["type"])
    problem = _problem(value, spec) if value is not None else f"is no {spec['type']}"
    if problem:
        trail.note(where, given, "left out", f"the value {problem}", path)
        return
    if value != given or type(value) is not type(given):
        became = "true" if value is True else "false" if value is False else str(value)
        trail.note(where, given, became, f"the type is {spec['type']}", path)
    spec["default"] = value


def _take_examples(
    spec: dict[str, Any], raw: Mapping[str, Any], trail: Trail, path: DocumentPath, field: str
) -> None:
    kept: list[Any] = []
    for given in elements(raw.get("examples")):
        value = _coerced(given, spec["type"])
        if is_secret(spec["name"]):
            trail.note(f"{field}.examples", MASK, "left out", "it looks like a secret", path)
        elif value is None or _problem(value, spec):
            why = "it breaks the rules of its own input"
            trail.note(f"{field}.examples", given, "left out", why, path)
        else:
            kept.append(value)
    if kept:
        spec["examples"] = kept


def _coerced(value: JsonValue, kind: TypeName) -> JsonValue:
    """The value as that type, or None."""
    try:
        return coerce_value(value, kind)
    except ValueError:
        return None


def _problem(value: JsonValue, spec: Mapping[str, Any]) -> str | None:
    return value_problem(
        value, spec["type"], None, spec.get("allowed_values"), spec.get("validation")
    )


def outputs_of(
    raw: JsonValue, trail: Trail, path: DocumentPath, field: str
) -> list[dict[str, Any]]:
    """The declared outputs of a pattern."""
    outputs: list[dict[str, Any]] = []
    names = Names()
    for at, element in enumerate(elements(raw)):
        written = mapping(element)
        name = names.take(identifier(text_of(written.get("name"))))
        where = (*path, at)
        kind = _type(written.get("type"), trail, where, f"{field}.{at}.type")
        outputs.append(
            {"name": name, "type": kind, "description": text_of(written.get("description"))}
        )
    return outputs


def estimates_of(
    raw: Mapping[str, Any], trail: Trail, path: DocumentPath, field: str
) -> dict[str, Any]:
    """Estimates with the variables that they use; what cannot be read stays unknown."""
    found: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for key in ("time_estimate_ms", "cost_estimate"):
        written = raw.get(key)
        if written is None or isinstance(written, bool):
            continue
        text = str(written)
        try:
            names = parse_estimate(text).free_variables
        except ExpressionError as error:
            trail.note(f"{field}.{key}", text, "unknown", error.message, (*path, key))
            continue
        found[key] = text
        for name in sorted(names - variables.keys()):
            variables[name] = {"unit": _unit(name), "default": _DEFAULTS.get(name, 1.0)}
            became = f"default {variables[name]['default']:g}, unit {variables[name]['unit']}"
            why = "declared by the import: the file does not say what it is"
            trail.note(f"{field}.variables.{name}", NOT_SAID, became, why, (*path, key))
    return {"variables": variables, **found} if variables else found


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS if name.lower().endswith(ending)), "count")


def policy_of(
    raw: Mapping[str, Any], trail: Trail, path: DocumentPath, field: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The policy in our words, and what it says besides."""
    names = {
        "max_cost": "max_cost",
        "max_N_immediate": "max_N_immediate",
        "requires_background_if": "requires_background_if",
        "requires_approval": "requires_approval",
        "approval_required": "requires_approval",
        "production_safe": "production_safe",
        "max_execution_time": "max_execution_time_s",
        "timeout_seconds": "max_execution_time_s",
        "allowed_environments": "allowed_environments",
    }
    policy: dict[str, Any] = {}
    for written, name in names.items():
        value = raw.get(written)
        if value is None:
            continue
        if name in ("requires_approval", "production_safe") and not isinstance(value, bool):
            became = _coerced(value, "boolean")
            trail.note(f"{field}.{name}", value, str(became).lower(), "a boolean", (*path, written))
            value = bool(became)
        policy[name] = value
    return policy, rest(raw, *names)


def preferences_of(raw: JsonValue) -> dict[str, float]:
    """How well a pattern serves each wish, where the file says so with a number from 0 to 1."""
    given = mapping(raw)
    return {
        key: float(given[key])
        for key in _PREFERENCES
        if isinstance(given.get(key), int | float) and 0 <= given[key] <= 1
    }


def effects_of(
    policy: Mapping[str, Any], requires_admin: bool, trail: Trail, path: DocumentPath, field: str
) -> str:
    """What a pattern may change, on the safe side: those files do not say it."""
    is_harmless = (
        policy.get("production_safe") is True
        and not policy.get("requires_approval")
        and not requires_admin
    )
    effects = "read" if is_harmless else "system"
    why = "safe in production without approval" if is_harmless else "it may change the system"
    trail.note(f"{field}.effects", NOT_SAID, effects, why, path)
    return effects


def tags_of(raw: JsonValue, trail: Trail, path: DocumentPath) -> list[str]:
    """Tags, each once."""
    tags = texts(raw)
    if len(tags) < len(elements(raw)):
        repeated = f"{len(elements(raw))} tags"
        trail.note("metadata.tags", repeated, f"{len(tags)} tags", "each tag once", path)
    return tags


def fitting_example(
    raw: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]], pattern: Mapping[str, Any]
) -> dict[str, Any] | None:
    """An example of a pattern, if it fits the inputs that are declared."""
    inputs: dict[str, Any] = {}
    for name, given in mapping(raw.get("inputs")).items():
        spec = declared.get(name)
        value = _coerced(given, spec["type"]) if spec is not None else None
        if spec is None or value is None or value == MASK or _problem(value, spec):
            return None
        inputs[name] = value
    if any(spec["name"] not in inputs for spec in pattern["required_inputs"]):
        return None
    return {"name": text_of(raw.get("name")) or "example", "inputs": inputs}
