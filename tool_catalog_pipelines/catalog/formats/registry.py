"""Which foreign formats can be read, in the order in which a file is tried."""

from __future__ import annotations

from tool_catalog_pipelines.catalog.formats.bundle import BundleFormat
from tool_catalog_pipelines.catalog.formats.components import ComponentFormat
from tool_catalog_pipelines.catalog.formats.draft import Format
from tool_catalog_pipelines.catalog.formats.legacy_full import LegacyFullFormat
from tool_catalog_pipelines.catalog.formats.legacy_short import (
    LegacyApiFormat,
    LegacyFlatFormat,
    LegacyRegistryFormat,
    LegacyWrapperFormat,
)
from tool_catalog_pipelines.catalog.formats.mcp import McpFormat
from tool_catalog_pipelines.catalog.formats.openapi import OpenApiFormat
from tool_catalog_pipelines.catalog.formats.profiles import ProfilesFormat
from tool_catalog_pipelines.catalog.formats.toolspec import ToolSpecFormat
from tool_catalog_pipelines.spec.reader import Document


def known_formats() -> tuple[Format, ...]:
    """Every format; the first that recognises a file reads it."""
    return (
        BundleFormat(),
        OpenApiFormat(),
        LegacyFullFormat(),
        LegacyWrapperFormat(),
        LegacyRegistryFormat(),
        LegacyApiFormat(),
        ToolSpecFormat(),
        McpFormat(),
        ProfilesFormat(),
        ComponentFormat(),
        # Last, because it asks for little: a name, a platform and a category.
        LegacyFlatFormat(),
    )


def recognise(document: Document) -> Format | None:
    """The format of a file, or None for our own and for what nobody knows."""
    return next((known for known in known_formats() if known.recognises(document)), None)


def format_names() -> tuple[str, ...]:
    """Names of the formats, for people."""
    return tuple(known.name for known in known_formats())
