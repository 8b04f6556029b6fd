"""Which tools of a snapshot somebody wants: by platform, state, owner, tag, metadata, text. Pure.

Works on any snapshot, so it needs no database. Finding tools by meaning is another matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.catalog.records import CatalogTool


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """What a tool must have; what is None or empty does not restrict.

    `metadata` holds dotted paths and the text of the value wanted there; for a list, of one of its
    elements.
    """

    text: str = ""
    platform: str | None = None
    category: str | None = None
    status: str | None = None
    owner: str | None = None
    tag: str | None = None
    capability: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()


def matching(tools: Iterable[CatalogTool], wanted: ToolFilter) -> Iterator[CatalogTool]:
    """Those of the tools that have everything that is wanted."""
    return (tool for tool in tools if _matches(tool, wanted))


def _matches(tool: CatalogTool, wanted: ToolFilter) -> bool:
    header = tool.header
    state = header.status if header.enabled else "disabled"
    if wanted.platform not in (None, header.platform) or wanted.status not in (None, state):
        return False
    document = tool.document()
    pairs = ((wanted.category, document.get("category")), (wanted.owner, document.get("owner")))
    if any(value is not None and value != found for value, found in pairs):
        return False
    if wanted.capability is not None and wanted.capability not in document["capabilities"]:
        return False
    metadata = cast("Mapping[str, Any]", document.get("metadata") or {})
    tags = (("tags", wanted.tag),) if wanted.tag is not None else ()
    if not all(_has(metadata, path, value) for path, value in (*wanted.metadata, *tags)):
        return False
    return wanted.text.lower() in _text_of(tool, document, metadata)


def _text_of(tool: CatalogTool, document: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Where a text is looked for: name, description, capabilities, and all metadata."""
    words = (tool.label, document["description"], *document["capabilities"], str(metadata))
    return " ".join(words).lower()


def _has(metadata: Mapping[str, Any], path: str, value: str) -> bool:
    found: Any = metadata
    for part in path.split("."):
        found = cast("Mapping[str, Any]", found).get(part) if isinstance(found, Mapping) else None
    elements = cast("list[Any]", found) if isinstance(found, list) else [found]
    return any(element is not None and str(element) == value for element in elements)
