"""Two versions of a tool compared field by field, and whether the new one breaks its users. Pure.

A change is breaking when a chain that worked with the old version may fail or be refused with the
new one: less is accepted, less is returned, or more is demanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.spec.tool import InputSpec, PatternSpec, ToolSpec

_STATE = frozenset({"version", "status", "enabled"})
_EFFECTS = ("read", "local", "system")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. `why_breaking` is empty for a change that breaks nobody."""

    path: str
    old: Any
    new: Any
    why_breaking: str = ""

    @property
    def is_breaking(self) -> bool:
        """Whether a user of the old version may fail with the new one."""
        return bool(self.why_breaking)


def compare(old: ToolSpec, new: ToolSpec) -> tuple[Change, ...]:
    """Every field that differs, in the order of the tool file; number and state are left out."""
    reasons = dict(_reasons(old, new))
    documents = (_document(old), _document(new))
    found = _differences("", *documents)
    changes = [Change(path, a, b, _reason(path, reasons)) for path, a, b in found]
    return tuple(changes)


def breaks(changes: Sequence[Change]) -> bool:
    """Whether any of the changes is breaking."""
    return any(change.is_breaking for change in changes)


def _document(spec: ToolSpec) -> dict[str, Any]:
    document = spec.model_dump(mode="json", by_alias=True)
    return {key: _keyed(value) for key, value in document.items() if key not in _STATE}


def _keyed(value: Any) -> Any:
    """Lists of named things as mappings, so that they are compared by name, not by place."""
    if isinstance(value, dict):
        return {key: _keyed(v) for key, v in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        elements = cast("list[Any]", value)
        names = [_name(element) for element in elements]
        if elements and None not in names and len(set(names)) == len(names):
            return {name: _keyed(e) for name, e in zip(names, elements, strict=True)}
    return cast("Any", value)


def _name(element: object) -> str | None:
    return cast("dict[str, Any]", element).get("name") if isinstance(element, Mapping) else None


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
        for key in (*before, *(k for k in after if k not in before)):
            inner = f"{path}.{key}" if path else key
            yield from _differences(inner, before.get(key), after.get(key))
    elif old != new:
        yield path, old, new


def _reason(path: str, reasons: Mapping[str, str]) -> str:
    """The reason of the path itself, of something inside, or of the nearest thing around it."""
    inside = next((why for place, why in reasons.items() if place.startswith(f"{path}.")), "")
    if inside:
        return inside
    while path:
        if path in reasons:
            return reasons[path]
        path = path.rpartition(".")[0]
    return ""


def _reasons(old: ToolSpec, new: ToolSpec) -> Iterator[tuple[str, str]]:
    if old.environments != new.environments and new.environments:
        lost = set(old.environments) - set(new.environments)
        if lost or not old.environments:
            yield "environments", "it is no longer seen everywhere it was"
    if new.requires_auth and not old.requires_auth:
        yield "requires_auth", "it needs authentication now"
    for capability, group in old.capabilities.items():
        here = f"capabilities.{capability}"
        if capability not in new.capabilities:
            yield here, "the capability is gone"
            continue
        for name, pattern in group.patterns.items():
            there = f"{here}.patterns.{name}"
            after = new.capabilities[capability].patterns.get(name)
            if after is None:
                yield there, "the pattern is gone"
            else:
                yield from _pattern_reasons(there, pattern, after)


def _pattern_reasons(path: str, old: PatternSpec, new: PatternSpec) -> Iterator[tuple[str, str]]:
    if old.binding is not None and new.binding is None:
        yield f"{path}.binding", "it cannot be executed any more"
    if _EFFECTS.index(new.effects) > _EFFECTS.index(old.effects):
        yield f"{path}.effects", f"it may change more than before ({new.effects})"
    if new.policy.requires_approval and not old.policy.requires_approval:
        yield f"{path}.policy.requires_approval", "it needs an approval now"
    if old.policy.production_safe and not new.policy.production_safe:
        yield f"{path}.policy.production_safe", "it is not safe in production any more"
    outputs = {output.name: output for output in new.expected_outputs}
    for output in old.expected_outputs:
        after = outputs.get(output.name)
        if after is None:
            yield f"{path}.expected_outputs.{output.name}", "the output is gone"
        elif after.type != output.type:
            yield f"{path}.expected_outputs.{output.name}.type", "the output has another type"
    yield from _input_reasons(path, old, new)


def _input_reasons(path: str, old: PatternSpec, new: PatternSpec) -> Iterator[tuple[str, str]]:
    was_required = {spec.name for spec in old.required_inputs}
    for spec in new.required_inputs:
        if spec.name not in was_required:
            yield f"{path}.required_inputs.{spec.name}", "the input is required now"
    for name, spec in old.inputs.items():
        after = new.inputs.get(name)
        kind = "required_inputs" if name in was_required else "optional_inputs"
        if after is None:
            yield f"{path}.{kind}.{name}", "the input is gone"
        elif narrowing := _narrowing(spec, after):
            yield from ((f"{path}.{k}.{name}", narrowing) for k in (kind, _kind(new, name)))


def _kind(pattern: PatternSpec, name: str) -> str:
    required = any(spec.name == name for spec in pattern.required_inputs)
    return "required_inputs" if required else "optional_inputs"


def _narrowing(old: InputSpec, new: InputSpec) -> str:
    if old.type != new.type and (old.type, new.type) != ("integer", "number"):
        return "the input has another type"
    if new.allowed_values is not None and (
        old.allowed_values is None
        or any(value not in new.allowed_values for value in old.allowed_values)
    ):
        return "fewer values are allowed"
    if new.range is not None and (
        old.range is None or new.range[0] > old.range[0] or new.range[1] < old.range[1]
    ):
        return "the range is narrower"
    if new.validation is not None and new.validation != old.validation:
        return "values are checked by another expression"
    return ""
