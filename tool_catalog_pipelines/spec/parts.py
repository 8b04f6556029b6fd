"""A value of a document -> a model, without conversion between types.

Belongs here: how strictly files are read. `"5"` is no number and `yes` is no boolean in a file,
but a version written `1.10` is the text 1.10, not the number 1.1.
"""

from __future__ import annotations

import json
from typing import TypeVar, cast

from tool_catalog_pipelines.spec.base import JsonValue, SpecModel
from tool_catalog_pipelines.spec.reader import Document, DocumentPath

T = TypeVar("T", bound=SpecModel)
_VERSION_KEYS = frozenset({"version", "version_a", "version_b"})


def parse_part(model: type[T], document: Document, path: DocumentPath) -> T:
    """The value at a path as a model.

    Raises:
        pydantic.ValidationError: it does not fit; locations begin at `path`.
    """
    value = _with_version_texts(document, path)
    # From JSON, strict mode still takes lists as tuples; `with_` is no way to write `with`.
    return model.model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)


def _with_version_texts(document: Document, start: DocumentPath) -> JsonValue:
    value: JsonValue = document.value_at(start)
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, JsonValue]", value)
    written: dict[str, JsonValue] = {
        key: document.number_texts[*start, key]
        for key in _VERSION_KEYS & fields.keys()
        if (*start, key) in document.number_texts
    }
    dependencies = fields.get("dependencies")
    if start == () and isinstance(dependencies, list):
        elements = cast("list[JsonValue]", dependencies)
        written["dependencies"] = [
            _with_version_texts(document, ("dependencies", at)) for at in range(len(elements))
        ]
    return {**fields, **written}
