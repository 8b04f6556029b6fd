"""`schema.json` of a community component: what it is and which attributes it takes.

Such a component is code of its own, so the tool has no binding. Does not belong here: components
as code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    NOT_SAID,
    Trail,
    description_of,
    elements,
    identifier,
    mapping,
    printable,
    text_of,
    texts,
    tool_name,
    version_of,
    without_secrets,
)
from tool_catalog_pipelines.catalog.formats.schema_inputs import schema_inputs
from tool_catalog_pipelines.catalog.formats.schema_values import UnreadableError
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.tool import Category

_KEPT = (
    "icon",
    "author",
    "x-dagster-io",
    "x-dagster-provides",
    "x-dagster-consumes",
    "dependencies",
)


class ComponentFormat:
    """One component: `component_type` and `attributes`, or a JSON Schema with a title."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "component"

    def recognises(self, document: Document) -> bool:
        """Whether there are attributes of something that is named."""
        keys = document.value
        if "tool_name" in keys or "capabilities" in keys:
            return False
        if "attributes" in keys and ("component_type" in keys or "type" in keys):
            return isinstance(keys["attributes"], dict)
        is_named = document.file.rpartition("/")[2] == "schema.json"
        return (
            is_named and isinstance(keys.get("properties"), dict) and bool(_written_name(document))
        )

    def convert(self, document: Document) -> Converted:
        """The one draft, or the problem."""
        try:
            return Converted((_draft(document),))
        except UnreadableError as error:
            where = document.position(())
            return Converted((), (Problem(str(error), where, "correct the file", "component"),))


def _written_name(document: Document) -> str:
    for key in ("component_type", "type", "name", "title"):
        value = document.value.get(key)
        if isinstance(value, str) and value.strip() and value != "object":
            return value.rpartition(".")[2] if key in ("component_type", "type") else value
    return ""


def _draft(document: Document) -> Draft:
    trail = Trail(document)
    keys = document.value
    written = _written_name(document)
    name = tool_name(written)
    if name is None:
        raise UnreadableError(f"no tool can be called '{printable(written)}'")
    if name != written:
        trail.note("tool_name", written, name, "names hold letters, digits, . _ -")
    label = text_of(keys.get("name")) or text_of(keys.get("title")) or name
    description = description_of(
        keys.get("description"), label, "description", trail, ("description",)
    )
    schema, where = _attributes(document)
    required, optional = schema_inputs(schema, where, trail)
    category = _category(keys.get("category"), trail)
    trail.note(
        "platform, effects", NOT_SAID, "multi-platform, system", "the format does not say them"
    )
    made = {
        "tool_name": name,
        "platform": "multi-platform",
        "version": version_of(keys.get("version"), trail, ("version",)),
        "category": category,
        "description": description,
        "capabilities": {
            identifier(text_of(keys.get("category")) or "component"): {
                "description": label,
                "patterns": {
                    "default": {
                        "description": description,
                        "effects": "system",
                        "required_inputs": required,
                        "optional_inputs": optional,
                    }
                },
            }
        },
        "metadata": _metadata(keys, label),
    }
    return Draft(made, document.position(()), trail.coerced)


def _attributes(document: Document) -> tuple[Mapping[str, Any], DocumentPath]:
    """The attributes as one object schema, and the path of its properties."""
    attributes = mapping(document.value.get("attributes"))
    if isinstance(attributes.get("properties"), Mapping) and isinstance(
        attributes.get("type"), str
    ):
        return attributes, ("attributes", "properties")
    if not attributes:
        return document.value, ("properties",)
    required = [key for key, one in attributes.items() if mapping(one).get("required") is True]
    required.extend(str(one) for one in elements(document.value.get("required")))
    described = {
        key: {**one, "description": one.get("description") or one.get("label")}
        for key, one in ((key, mapping(value)) for key, value in attributes.items())
        if one
    }
    return {"type": "object", "properties": described, "required": required}, ("attributes",)


def _category(written: JsonValue, trail: Trail) -> str:
    text = text_of(written)
    if text in get_args(Category):
        return text
    trail.note("category", text or NOT_SAID, "automation", "not a category of tools", ("category",))
    return "automation"


def _metadata(keys: Mapping[str, Any], label: str) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "source_format": "component",
        "kind": "dagster-component",
        "title": label[:200],
        "component_type": text_of(keys.get("component_type"))[:300],
        "component_category": text_of(keys.get("category"))[:100],
        "tags": texts(keys.get("tags"))[:50],
        **{key: without_secrets(keys.get(key)) for key in _KEPT},
    }
    return {key: value for key, value in found.items() if value}
