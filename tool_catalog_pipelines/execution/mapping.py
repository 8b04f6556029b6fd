"""Data mapping: value expressions of a plan -> values, with conversion and defaults.

Errors name the line of the chain. Does not belong here: reading the chain (planning/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.errors import Position
from tool_catalog_pipelines.execution.context import AttemptError, UpstreamSkippedError
from tool_catalog_pipelines.execution.result import StepResult
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.planning.placeholders import Placeholder, template_parts
from tool_catalog_pipelines.planning.plan import (
    INPUTS,
    Constant,
    MappingOf,
    Reference,
    Template,
    ValueExpr,
)
from tool_catalog_pipelines.spec.base import TypeName
from tool_catalog_pipelines.spec.values import coerce_value


@dataclass(frozen=True, slots=True)
class Scope:
    """What value expressions can see: chain inputs, results of earlier steps, the current item."""

    inputs: Mapping[str, Any]
    upstream: Mapping[str, StepResult]
    item_name: str | None = None
    item: Any = None

    def with_item(self, name: str, item: Any) -> Scope:
        """The scope of one item of a foreach step."""
        return Scope(self.inputs, self.upstream, name, item)

    def document(self) -> dict[str, Any]:
        """Outputs by step and the inputs, as `when` and `foreach` see them."""
        outputs = {name: result.output for name, result in self.upstream.items()}
        known = {name: output for name, output in outputs.items() if output is not None}
        return {**known, INPUTS: dict(self.inputs)}


def evaluate(value: ValueExpr, scope: Scope) -> Any:
    """The value of an expression.

    Raises:
        AttemptError: nothing matches and there is no default, or a conversion fails.
        UpstreamSkippedError: the step referred to has no output and there is no default.
    """
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Template):
        return _template(value, scope)
    if isinstance(value, Reference):
        return _reference(value, scope)
    if isinstance(value, MappingOf):
        return {name: evaluate(field, scope) for name, field in value.fields.items()}
    return [evaluate(element, scope) for element in value.elements]


def evaluate_reference(reference: Reference, outputs: Mapping[str, Any]) -> Any:
    """A chain output, from the outputs of its steps; None where the step has none."""
    if outputs.get(reference.step) is None:
        return reference.default if reference.has_default else None
    found = find_values(reference.path, outputs[reference.step])
    return _converted(found, reference) if found else None


def _template(template: Template, scope: Scope) -> Any:
    parts = template_parts(template.text)
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        return _placeholder(parts[0], scope, template.position)
    return "".join(
        part if isinstance(part, str) else _as_text(_placeholder(part, scope, template.position))
        for part in parts
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _placeholder(placeholder: Placeholder, scope: Scope, position: Position | None) -> Any:
    value: Any = scope.inputs if placeholder.root == INPUTS else scope.item
    if placeholder.root not in (INPUTS, scope.item_name):
        raise AttemptError("MappingError", f"{placeholder} is not known here", position=position)
    for name in placeholder.fields:
        if not isinstance(value, Mapping) or name not in value:
            raise AttemptError(
                "MappingError", f"{placeholder} has no value in this run", position=position
            )
        value = cast("Mapping[str, Any]", value)[name]
    return value


def _reference(reference: Reference, scope: Scope) -> Any:
    document = _source(reference, scope)
    if document is None:
        if reference.has_default:
            return reference.default
        raise UpstreamSkippedError(f"step {reference.step} has no output and there is no default")
    path = _filled(reference, scope)
    try:
        found = find_values(path, document)
    except ExpressionError as error:
        raise AttemptError("MappingError", str(error), position=reference.position) from error
    if found:
        return _converted(found, reference)
    if reference.has_default:
        return reference.default
    raise AttemptError(
        "MappingError",
        f"{path} matches nothing in the output of step {reference.step}, and there is no default",
        position=reference.position,
    )


def _source(reference: Reference, scope: Scope) -> Any:
    if reference.step == INPUTS:
        return dict(scope.inputs)
    result = scope.upstream.get(reference.step)
    return result.output if result is not None and result.has_output else None


def _filled(reference: Reference, scope: Scope) -> str:
    """The path with placeholders as JSON literals, so that no value can change its structure."""
    return "".join(
        part
        if isinstance(part, str)
        else json.dumps(_placeholder(part, scope, reference.position), ensure_ascii=False)
        for part in template_parts(reference.path)
    )


def _converted(found: list[Any], reference: Reference) -> Any:
    """One match is the value itself; several, or a list type, are a list."""
    wanted = reference.type
    if wanted is not None and wanted.startswith("list["):
        elements: list[Any] = found
        if len(found) == 1 and isinstance(found[0], list):
            elements = cast("list[Any]", found[0])
        return [_as_type(element, wanted[5:-1], reference) for element in elements]
    value = found[0] if len(found) == 1 else found
    return value if wanted is None else _as_type(value, wanted, reference)


def _as_type(value: Any, wanted: str, reference: Reference) -> Any:
    try:
        return coerce_value(value, cast("TypeName", wanted))
    except ValueError as error:
        raise AttemptError("MappingError", str(error), position=reference.position) from error
