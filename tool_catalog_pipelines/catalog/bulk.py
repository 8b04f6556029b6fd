"""The same change of many tools: shown before it is made, refused as a whole if one is not valid.

A tool that somebody changed after the preview is a conflict; the others are changed. Does not
belong here: changing one tool (updating.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.catalog.diff import Change, compare
from tool_catalog_pipelines.catalog.editor import CatalogEditor
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.updating import merged
from tool_catalog_pipelines.errors import ConflictError, InvalidInputError, Problem
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.load import tool_from_value


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is changed in every tool: a merge patch, and tags that are added and removed."""

    patch: Mapping[str, Any]
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    def patch_for(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The merge patch for one tool."""
        if not (self.add_tags or self.remove_tags):
            return dict(self.patch)
        metadata = cast("Mapping[str, Any]", document.get("metadata") or {})
        found = metadata.get("tags")
        old = cast("list[Any]", found) if isinstance(found, list) else []
        tags = [*old, *(tag for tag in self.add_tags if tag not in old)]
        kept = [tag for tag in tags if tag not in self.remove_tags]
        if kept == old:
            return dict(self.patch)
        given = cast("Mapping[str, Any]", self.patch.get("metadata") or {})
        return {**self.patch, "metadata": {**given, "tags": kept or None}}


@dataclass(frozen=True, slots=True)
class Planned:
    """What would become of one tool."""

    tool: CatalogTool
    patch: Mapping[str, Any]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one tool: its new version, or why it was left as it is."""

    tool: str
    outcome: str
    note: str = ""


def planned(tools: Iterable[CatalogTool], change: BulkChange) -> tuple[Planned, ...]:
    """What would change in each tool; tools in which nothing would are left out.

    Raises:
        InvalidInputError: what is wrong with every tool that would not be valid.
    """
    found: list[Planned] = []
    problems: list[Problem] = []
    for tool in tools:
        document = tool.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        patch = change.patch_for(document)
        try:
            new = tool_from_value(merged(document, patch), tool.label)
        except InvalidInputError as error:
            problems += error.problems
            continue
        changes = compare(tool.spec, new)
        if changes:
            found.append(Planned(tool, patch, changes))
    if problems:
        raise InvalidInputError(problems)
    return tuple(found)


def make_changes(
    plan: Sequence[Planned], editor: CatalogEditor, origin: str, reason: str
) -> Iterator[Done]:
    """Change one tool after the other, each in a transaction of its own."""
    for one in plan:
        header = one.tool.header
        ref = ToolRef(header.tool_name, header.platform)
        try:
            saved = editor.update_tool(ref, one.patch, origin, header.version, reason)
        except ConflictError as error:
            yield Done(one.tool.label, "conflict", str(error))
        else:
            yield Done(saved.label, saved.outcome, saved.note)
