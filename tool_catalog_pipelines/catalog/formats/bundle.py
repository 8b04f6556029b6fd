"""Our own bundle: many tools in one file, as `tool-catalog export --bundle` writes it."""

from __future__ import annotations

from typing import Any, cast

from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.reader import Document

MARK = "tool_catalog_bundle"
FORMAT = 1


class BundleFormat:
    """`tool_catalog_bundle: 1` and `tools`, a list of what tool files hold."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "bundle"

    def recognises(self, document: Document) -> bool:
        """Whether the file says that it is a bundle."""
        return MARK in document.value

    def convert(self, document: Document) -> Converted:
        """The tools as they are written; a problem for whatever is no tool."""
        if document.value[MARK] != FORMAT or not isinstance(document.value.get("tools"), list):
            where = document.position((MARK,))
            hint = f"this release reads `{MARK}: {FORMAT}` with a list `tools`"
            return Converted((), (Problem("this bundle cannot be read", where, hint),))
        drafts: list[Draft] = []
        problems: list[Problem] = []
        for index, tool in enumerate(cast("list[Any]", document.value["tools"])):
            where = document.position(("tools", index))
            if isinstance(tool, dict):
                drafts.append(Draft(cast("dict[str, Any]", tool), where))
            else:
                problems.append(Problem("not a tool", where, "write a mapping with tool_name"))
        return Converted(tuple(drafts), tuple(problems))
