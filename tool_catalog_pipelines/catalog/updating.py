"""Changing fields of a version that exists: patch, check, choose the next number.

Does not belong here: saving the result (saving.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Connection

from tool_catalog_pipelines.catalog import tool_rows
from tool_catalog_pipelines.catalog.diff import breaks, compare
from tool_catalog_pipelines.catalog.naming import Chosen
from tool_catalog_pipelines.catalog.versioning import next_version, spelled
from tool_catalog_pipelines.errors import ConflictError, InvalidInputError
from tool_catalog_pipelines.spec.load import tool_from_value
from tool_catalog_pipelines.spec.tool import ToolSpec

_BY_COMMAND = {
    "status": "use enable, disable or deprecate",
    "enabled": "use enable or disable",
    "tool_name": "save it as a new tool",
    "platform": "save it as a new tool",
}


def updated_spec(
    connection: Connection, chosen: Chosen, patch: Mapping[str, Any], expected: str | None
) -> ToolSpec:
    """The version with the patch applied and its next free number.

    A patch that gives no version gets the next major number if it breaks users of the tool, else
    the next patch.

    Raises:
        ConflictError: somebody else changed the tool since the writer looked.
        InvalidInputError: the patch is not allowed, or its result is not valid.
    """
    version = chosen.one()
    label = chosen.name.label
    if expected is not None and spelled(expected) != version.version:
        raise ConflictError(
            f"{label} is at {version.version}, not at {expected} any more; "
            f"look at it again (tool-catalog diff {label} {expected} {version.version}) and repeat"
        )
    for key, hint in _BY_COMMAND.items():
        if key in patch:
            raise InvalidInputError.one(f"{key} is not changed by an update", hint)
    old = tool_rows.spec_of(connection, version.id)
    document = old.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    new = tool_from_value(merged(document, patch), f"{label}@{version.version}")
    if "version" in patch:
        return new
    taken = {row.version for row in tool_rows.versions_of(connection, chosen.name)}
    number = next_version(version.version, taken, is_breaking=breaks(compare(old, new)))
    return new.model_copy(update={"version": number})


def merged(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396): mappings are merged, null removes, all else replaces."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            inner: Any = result.get(key)
            base = cast("dict[str, Any]", inner if isinstance(inner, dict) else {})
            result[key] = merged(base, cast("Mapping[str, Any]", value))
        else:
            result[key] = value
    return result
