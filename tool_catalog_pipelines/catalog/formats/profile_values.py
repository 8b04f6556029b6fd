"""Estimates, policies, preferences and words of optimisation profiles, made fit for the grammar.

Does not belong here: the shape of the file (profiles.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.catalog.formats.foreign import Trail
from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import DocumentPath

_VARIABLES: Mapping[str, tuple[str, float]] = {
    "N": ("count", 0),
    "pages": ("count", 1),
    "p95_latency": ("ms", 100),
    "cost": ("cost_units", 1),
    "time_ms": ("ms", 1000),
}
"""What the evaluator of these files assumed when nothing was said."""
_PREFERENCES = ("speed", "accuracy", "cost", "complexity", "completeness")
_FLAGS = ("requires_approval", "production_safe")


def word_of(value: JsonValue, allowed: tuple[str, ...]) -> str | None:
    """The allowed word that a text is, or begins with; None if it is none."""
    if not isinstance(value, str):
        return None
    plain = value.strip().lower()
    joined = {word.replace("-", "").replace("_", ""): word for word in allowed}
    first = re.split(r"[ (,;]", plain, maxsplit=1)[0]
    found = joined.get(first.replace("-", "").replace("_", ""))
    return found or (
        "single_item" if plain.startswith("single_") and "single_item" in allowed else None
    )


def estimates_of(given: Mapping[str, Any], trail: Trail, where: DocumentPath) -> dict[str, Any]:
    """Time and cost with the variables that they use; one that cannot be read stays unknown."""
    found: dict[str, Any] = {}
    used: set[str] = set()
    for key in ("time_estimate_ms", "cost_estimate"):
        written = given.get(key)
        if written is None:
            continue
        text = _readable(written)
        if text is None:
            why = "it cannot be read, or uses other variables, so that it stays unknown"
            trail.note(key, written, "left out", why, (*where, key))
            continue
        found[key] = text
        used |= parse_estimate(text).free_variables
    variables = {
        name: {"unit": _VARIABLES[name][0], "default": _VARIABLES[name][1]} for name in sorted(used)
    }
    if variables:
        names = ", ".join(f"{name} = {_VARIABLES[name][1]:g}" for name in variables)
        trail.note("variables", "not declared", names, "defaults of these files", where)
        found["variables"] = variables
    return found


def _readable(written: JsonValue) -> str | None:
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    try:
        expression = parse_estimate(str(written))
        defaults = {name: default for name, (_, default) in _VARIABLES.items()}
        if expression.free_variables - defaults.keys() or expression.evaluate(defaults) < 0:
            return None
    except ExpressionError:
        return None
    return str(written)


def policy_of(given: Mapping[str, Any], trail: Trail, where: DocumentPath) -> dict[str, Any]:
    """The limits that are numbers and flags; what is none of ours is noted."""
    found: dict[str, Any] = {}
    numbers = {
        "max_cost": "max_cost",
        "max_N_immediate": "max_N_immediate",
        "max_execution_time": "max_execution_time_s",
    }
    for key, value in given.items():
        path = (*where, key)
        if key in numbers:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and (value > 0 or (value == 0 and key != "max_execution_time")):
                found[numbers[key]] = value
            else:
                trail.note(f"policy.{key}", value, "left out", "not a number that limits", path)
        elif key in _FLAGS:
            if isinstance(value, bool):
                found[key] = value
            else:
                strict = key == "requires_approval"
                found[key] = strict
                why = "neither true nor false; the strict one is taken"
                trail.note(f"policy.{key}", value, str(strict).lower(), why, path)
        elif key != "requires_background_if":
            trail.note(f"policy.{key}", value, "left out", "no limit that is known", path)
    return found


def condition_of(given: Mapping[str, Any], trail: Trail, where: DocumentPath) -> str | None:
    """`requires_background_if`, if it can be read."""
    written = given.get("requires_background_if")
    if written is None:
        return None
    try:
        parse_condition(str(written))
    except ExpressionError as error:
        field = "policy.requires_background_if"
        trail.note(field, written, "left out", error.message, (*where, "requires_background_if"))
        return None
    return str(written)


def preferences_of(given: Mapping[str, Any], trail: Trail, where: DocumentPath) -> dict[str, float]:
    """Scores from 0 to 1."""
    found: dict[str, float] = {}
    for key, value in given.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _PREFERENCES and is_number and 0 <= value <= 1:
            found[key] = value
        else:
            why = "not a score from 0 to 1, or not a wish that is known"
            trail.note(f"preference_match.{key}", value, "left out", why, (*where, key))
    return found
