"""Parts of a plan in words for people: durations, values and their sources, limits, retries.

Belongs here: one line for one thing. Does not belong here: which lines are shown, and where
(planning/explain_text.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tool_catalog_pipelines.planning.plan import (
    Constant,
    Foreach,
    ListOf,
    MappingOf,
    Reference,
    Template,
    ValueExpr,
)
from tool_catalog_pipelines.spec.chain import ChainInputSpec, RetrySpec
from tool_catalog_pipelines.spec.tool import PolicySpec


def duration(ms: float) -> str:
    """Milliseconds in the unit that reads best: `12 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`."""
    if ms < 999.5:
        return f"{ms:.3g} ms"
    seconds = ms / 1000
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def amount(value: float) -> str:
    """A number of cost units, without needless digits."""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def literal(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def value_lines(name: str, value: ValueExpr) -> Iterator[str]:
    """Where a value comes from; a mapping or list takes one line for each of its parts."""
    match value:
        case Constant():
            yield f"{name} = {literal(value.value)}"
        case Template():
            yield f"{name} = {literal(value.text)} (filled in)"
        case Reference():
            yield f"{name} <- {source(value)}"
        case MappingOf():
            for key, field in value.fields.items():
                yield from value_lines(f"{name}.{key}", field)
        case ListOf():
            for at, element in enumerate(value.elements):
                yield from value_lines(f"{name}[{at}]", element)


def source(reference: Reference) -> str:
    """A reference: `disks $.filesystems as list[string], else []`."""
    as_type = f" as {reference.type}" if reference.type else ""
    default = f", else {literal(reference.default)}" if reference.has_default else ""
    return f"{reference.step} {reference.path}{as_type}{default}"


def repetition(foreach: Foreach) -> str:
    """The list that a step runs over, and its limits."""
    return (
        f"for each {foreach.as_} in {foreach.path}, "
        f"at most {foreach.max}, {foreach.parallel} at a time"
    )


def retries(retry: RetrySpec) -> str:
    """How often, after what and with which pauses a step is tried again."""
    if retry.attempts == 1:
        return "none"
    pauses = f"{retry.backoff} pauses from {retry.first_s:g} s"
    limit = f" to {retry.max_s:g} s" if retry.backoff == "exponential" else ""
    return f"{retry.attempts} attempts on {', '.join(retry.on)}, {pauses}{limit}"


def input_rules(spec: ChainInputSpec) -> str:
    """Type, default and limits of an input of the chain."""
    rules = [spec.type, "required" if spec.is_required else f"default {literal(spec.default)}"]
    if spec.range is not None:
        rules.append(f"from {spec.range[0]:g} to {spec.range[1]:g}")
    if spec.allowed_values is not None:
        rules.append(f"one of {', '.join(map(literal, spec.allowed_values))}")
    if spec.validation is not None:
        rules.append(f"matching {spec.validation}")
    return ", ".join(rules)


def policy_notes(policy: PolicySpec) -> tuple[str, ...]:
    """Every limit that a policy sets, one note each."""
    notes = (
        (policy.requires_approval, "requires approval"),
        (not policy.production_safe, "not safe in production"),
        (policy.max_execution_time_s, f"at most {policy.max_execution_time_s or 0:g} s"),
        (policy.max_cost is not None, f"cost at most {policy.max_cost or 0:g}"),
        (policy.max_n_immediate is not None, f"at most {policy.max_n_immediate or 0:g} at once"),
        (policy.requires_background_if, f"in the background if {policy.requires_background_if}"),
        (
            policy.allowed_environments is not None,
            f"only in {', '.join(policy.allowed_environments or ()) or 'no environment'}",
        ),
        (policy.required_permissions, f"needs {', '.join(policy.required_permissions)}"),
    )
    return tuple(text for applies, text in notes if applies)
