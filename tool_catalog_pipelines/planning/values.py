"""What a person wrote in `with:` or `transform:` -> value expression (planning/plan.py).

Belongs here: reading one value, walking an expression. Does not belong here: whether what it
refers to exists (planning/references.py), or filling it in (execution/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from tool_catalog_pipelines.planning.findings import Findings
from tool_catalog_pipelines.planning.placeholders import Placeholder, template_parts
from tool_catalog_pipelines.planning.plan import (
    Constant,
    ListOf,
    MappingOf,
    Reference,
    Template,
    ValueExpr,
)
from tool_catalog_pipelines.spec.chain import ReferenceSpec, ValueSpec
from tool_catalog_pipelines.spec.reader import DocumentPath


def parse_value(value: ValueSpec, path: DocumentPath, findings: Findings) -> ValueExpr:
    """The expression of a written value; problems are noted, and then it is a null constant.

    A mapping with the key `from` is a reference. Lists and mappings of constants are constants.
    """
    if isinstance(value, str):
        return _text(value, path, findings)
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        if "from" in fields:
            return _reference(fields, path, findings)
        return _mapping(fields, path, findings)
    if isinstance(value, list | tuple):
        elements = cast("list[Any] | tuple[Any, ...]", value)
        return _list(elements, path, findings)
    return Constant(value)


def _text(text: str, path: DocumentPath, findings: Findings) -> ValueExpr:
    parts = template_parts(text)
    if any(isinstance(part, Placeholder) for part in parts):
        return Template(text, findings.position(path))
    return Constant("".join(str(part) for part in parts))


def _mapping(fields: Mapping[str, Any], path: DocumentPath, findings: Findings) -> ValueExpr:
    parsed = {key: parse_value(value, (*path, key), findings) for key, value in fields.items()}
    constants = {key: part.value for key, part in parsed.items() if isinstance(part, Constant)}
    return Constant(constants) if len(constants) == len(parsed) else MappingOf(parsed)


def _list(
    elements: list[Any] | tuple[Any, ...], path: DocumentPath, findings: Findings
) -> ValueExpr:
    parsed = [parse_value(value, (*path, at), findings) for at, value in enumerate(elements)]
    constants = [part.value for part in parsed if isinstance(part, Constant)]
    return Constant(constants) if len(constants) == len(parsed) else ListOf(tuple(parsed))


def _reference(fields: Mapping[str, Any], path: DocumentPath, findings: Findings) -> ValueExpr:
    try:
        spec = ReferenceSpec.model_validate(fields)
    except ValidationError as error:
        findings.add_model(path, error, ReferenceSpec)
        return Constant(None)
    return reference(spec, path, findings)


def reference(spec: ReferenceSpec, path: DocumentPath, findings: Findings) -> Reference:
    """The expression of a reference that stands at `path`."""
    return Reference(
        step=spec.from_,
        path=spec.path,
        type=spec.type,
        default=spec.default if spec.has_default else None,
        has_default=spec.has_default,
        position=findings.position(path),
    )


def leaves(
    value: ValueExpr, path: DocumentPath
) -> Iterator[tuple[DocumentPath, Constant | Template | Reference]]:
    """The parts of an expression that are no lists or mappings, with their paths, as written."""
    if isinstance(value, MappingOf):
        for key, field in value.fields.items():
            yield from leaves(field, (*path, key))
    elif isinstance(value, ListOf):
        for at, element in enumerate(value.elements):
            yield from leaves(element, (*path, at))
    else:
        yield path, value
