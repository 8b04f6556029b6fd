"""What `tool-catalog selection ...` answers: documents in, documents out, nothing else touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from tool_catalog_pipelines.cli.batch import Document
from tool_catalog_pipelines.cli.fields import Fields
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import parse_estimate
from tool_catalog_pipelines.selection.ambiguity import closeness
from tool_catalog_pipelines.selection.context import context_of, is_number
from tool_catalog_pipelines.selection.estimates import ASSUMED
from tool_catalog_pipelines.selection.normalisation import FEATURES, normalise
from tool_catalog_pipelines.selection.policy import ALL_PERMISSIONS, Limits, judge
from tool_catalog_pipelines.selection.preference import known_mode, preference_of
from tool_catalog_pipelines.selection.scoring import (
    Entrant,
    checked_weights,
    mode_weights,
    ranked,
)
from tool_catalog_pipelines.spec.tool import PolicySpec

_CONFIG = ("max_cost", "max_time_ms", "environment", "available_permissions",
           "require_production_safe", "require_approval_for_elevated")  # fmt: skip
MAX_CANDIDATES = 5_000
"""Of one ranking; candidates that are all equally good are compared in pairs."""


def preference(document: Document) -> dict[str, Any]:
    """`query`, `mode` -> `mode`, `confidence`."""
    fields = Fields(document, ("query", "mode"))
    query, mode = fields.text("query", ""), fields.text("mode")
    fields.check()
    found = preference_of(query or "", mode)
    return {"mode": found.mode, "confidence": found.confidence}


def context(document: Document) -> dict[str, Any]:
    """`query`, `metadata` -> the estimated variables."""
    fields = Fields(document, ("query", "metadata"))
    query, metadata = fields.text("query", ""), fields.mapping("metadata")
    fields.check()
    return dict(context_of(query or "", metadata).variables)


def rank(document: Document) -> dict[str, Any]:
    """`mode` or `weights`, `candidates`, `normalised` -> order, scores, features, closeness."""
    fields = Fields(document, ("mode", "weights", "candidates", "normalised"))
    mode, given = fields.text("mode"), fields.mapping("weights")
    candidates = fields.mapping("candidates")
    is_normalised = fields.flag("normalised")
    if candidates is None:
        fields.add("there are no candidates", 'write {"candidates": {"id": {"time_ms": 5}}}')
    if len(candidates or {}) > MAX_CANDIDATES:
        problem = Problem(f"more than {MAX_CANDIDATES} candidates", hint="rank fewer", code="limit")
        raise InvalidInputError([problem])
    if mode and given is not None:
        fields.add("there are a mode and weights", "keep one of them")
    figures = {
        name: _figures(fields, name, value, is_normalised)
        for name, value in (candidates or {}).items()
    }
    fields.check()
    weights = (
        mode_weights(known_mode(mode or "balanced")) if given is None else checked_weights(given)
    )
    features = {n: raw if is_normalised else normalise(raw) for n, raw in figures.items()}
    names = list(figures)
    entrants = [Entrant(n, features[n], None if is_normalised else figures[n]) for n in names]
    order = ranked(entrants, weights)
    close = closeness([score for _, score in order[:2]], [features[names[i]] for i, _ in order[:2]])
    return {
        "order": [names[index] for index, _ in order],
        "scores": {names[index]: score for index, score in order},
        "features": features,
        "gap": close.gap,
        "ambiguous": close.is_ambiguous,
        "question": close.question,
    }


def policy(document: Document) -> dict[str, Any]:
    """`config`, `pattern`, `context` -> allowed, requires_approval, violations."""
    fields = Fields(document, ("config", "pattern", "context"))
    config, pattern = fields.mapping("config") or {}, fields.mapping("pattern") or {}
    context = fields.mapping("context") or {}
    fields.check()
    limits = _limits(config)
    spec, time_ms, cost = _pattern(pattern, context)
    verdict = judge(spec, limits, time_ms, cost, context)
    return {
        "allowed": verdict.is_allowed,
        "requires_approval": verdict.requires_approval,
        "violations": [
            {"rule": one.rule, "severity": one.severity, "message": one.message}
            for one in verdict.violations
        ],
        "reason": verdict.reason or None,
    }


def _figures(fields: Fields, name: str, value: Any, is_normalised: bool) -> dict[str, float]:
    if not isinstance(value, dict):
        fields.add(f"candidate {name} is {value!r}", "write its figures as an object")
        return {}
    figures: dict[str, float] = {}
    for key, figure in cast("dict[str, Any]", value).items():
        if key not in FEATURES:
            fields.add(f"candidate {name} has no figure {key!r}", f"known: {', '.join(FEATURES)}")
        elif figure is not None and not is_number(figure):
            fields.add(f"{key} of candidate {name} is {figure!r}", "write a finite number")
        elif figure is not None and is_normalised and not 0 <= figure <= 1:
            fields.add(f"{key} of candidate {name} is {figure!r}", "normalised is from 0 to 1")
        elif figure is not None:
            figures[key] = float(figure)
    return figures


def _limits(config: Mapping[str, Any]) -> Limits:
    fields = Fields(config, _CONFIG)
    permissions = fields.texts("available_permissions")
    limits = Limits(
        max_cost=fields.number("max_cost"),
        max_time_ms=fields.number("max_time_ms"),
        environment=fields.text("environment", "production") or "production",
        available_permissions=ALL_PERMISSIONS if permissions is None else frozenset(permissions),
        require_production_safe=fields.flag("require_production_safe", default=True),
        require_approval_for_elevated=fields.flag("require_approval_for_elevated", default=True),
    )
    fields.check()
    return limits


def _pattern(
    pattern: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[PolicySpec, float | None, float | None]:
    """The policy of a pattern that is written flat or under `policy`, its time and its cost.

    Without the mark that it is safe in production it counts as unsafe.
    """
    outer = Fields(pattern)
    merged = {**pattern, **(outer.mapping("policy") or {})}
    outer.check()
    fields = Fields(merged)
    condition = _condition(fields, merged.get("requires_background_if"))
    approval, is_safe = fields.flag("requires_approval"), fields.flag("production_safe")
    numbers = {key: fields.number(key) for key in ("max_cost", "max_N_immediate",
               "max_execution_time_s")}  # fmt: skip
    for key, value in numbers.items():
        if value is not None and value < 0:
            fields.add(f"{key} is {value:g}", "a number from 0 on")
    time_ms = _estimated(fields, merged, ("time_ms", "time_estimate_ms"), context)
    cost = _estimated(fields, merged, ("cost", "cost_units", "cost_estimate"), context)
    environments = fields.texts("allowed_environments")
    permissions = fields.texts("required_permissions") or ()
    fields.check()
    spec = PolicySpec.model_construct(
        max_cost=numbers["max_cost"],
        max_n_immediate=numbers["max_N_immediate"],
        max_execution_time_s=numbers["max_execution_time_s"],
        requires_background_if=condition,
        requires_approval=approval,
        production_safe=is_safe,
        allowed_environments=environments,
        required_permissions=permissions,
    )
    return spec, time_ms, cost


def _condition(fields: Fields, value: Any) -> str | None:
    """A condition; true, false and numbers are conditions too."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or is_number(value):
        return json.dumps(value)
    fields.add(f"requires_background_if is {value!r}", "write a condition")
    return None


def _estimated(
    fields: Fields, pattern: Mapping[str, Any], keys: tuple[str, ...], context: Mapping[str, Any]
) -> float | None:
    """The first of the keys that is there: a number, or an expression over the context."""
    key = next((key for key in keys if pattern.get(key) is not None), keys[0])
    value = pattern.get(key)
    if not isinstance(value, str):
        return fields.number(key)
    known = {name: one for name, one in context.items() if is_number(one)}
    try:
        return parse_estimate(value).evaluate({**ASSUMED, **known})
    except ExpressionError as error:
        fields.add(f"{key} {value!r}: {error.message}", error.hint or "write a number")
        return None
