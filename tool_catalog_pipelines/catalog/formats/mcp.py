"""What a Model Context Protocol server answers to `tools/list`.

The tools have no binding, so they are listed and searched but not executable. Hints of the server
about effects are its own claim; the draft says so. Does not belong here: talking to such a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tool_catalog_pipelines.catalog.formats.draft import Converted, Draft
from tool_catalog_pipelines.catalog.formats.foreign import (
    NOT_SAID,
    Names,
    Trail,
    description_of,
    elements,
    mapping,
    named,
    printable,
    text_of,
    tool_names,
    without_secrets,
)
from tool_catalog_pipelines.catalog.formats.schema_inputs import schema_inputs
from tool_catalog_pipelines.catalog.formats.schema_values import (
    References,
    UnreadableError,
    inlined,
    type_names,
)
from tool_catalog_pipelines.errors import Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import ROOT_LIST, Document, DocumentPath

MAX_TOOLS = 5_000
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_PLACES: tuple[DocumentPath, ...] = (("result", "tools"), ("tools",), (ROOT_LIST,))


class McpFormat:
    """A list of tools, `{tools: [...]}` or the whole JSON-RPC response."""

    @property
    def name(self) -> str:
        """Shown in reports."""
        return "mcp"

    def recognises(self, document: Document) -> bool:
        """Whether there is a list whose first mapping has an inputSchema."""
        return _place(document) is not None

    def convert(self, document: Document) -> Converted:
        """One draft per tool; whatever is no tool is a problem."""
        place = _place(document) or ("tools",)
        tools = elements(document.value_at(place))
        if len(tools) > MAX_TOOLS:
            message = f"{len(tools)} tools, more than the {MAX_TOOLS} allowed"
            return Converted((), (Problem(message, document.position(place), "split the list"),))
        names = tool_names()
        drafts: list[Draft] = []
        problems = list(_next_page(document))
        for at, tool in enumerate(tools):
            where = (*place, at)
            try:
                drafts.append(_draft(document, mapping(tool), where, names))
            except UnreadableError as error:
                position = document.position(where)
                problems.append(Problem(str(error), position, "correct this tool", "tool"))
        return Converted(tuple(drafts), tuple(problems))


def _place(document: Document) -> DocumentPath | None:
    for place in _PLACES:
        tools = elements(document.value_at(place))
        if any("inputSchema" in mapping(tool) for tool in tools):
            return place
    return None


def _next_page(document: Document) -> list[Problem]:
    """A list that goes on is not whole."""
    for path in (("result", "nextCursor"), ("nextCursor",)):
        if document.value_at(path):
            hint = "ask the server for the next page and import that too"
            message = "the list goes on at 'nextCursor'; only this page was read"
            return [Problem(message, document.position(path), hint, "page")]
    return []


def _draft(document: Document, tool: Mapping[str, Any], where: DocumentPath, names: Names) -> Draft:
    trail = Trail(document)
    written = tool.get("name")
    if not isinstance(written, str) or not isinstance(tool.get("inputSchema"), Mapping):
        raise UnreadableError("a tool needs a 'name' and an 'inputSchema'")
    name = named(written, names, trail, (*where, "name"))
    if name is None:
        raise UnreadableError(f"no tool can be called '{printable(written)}'")
    title = text_of(tool.get("title")) or text_of(mapping(tool.get("annotations")).get("title"))
    description = description_of(
        tool.get("description"), title or name, "description", trail, (*where, "description")
    )
    required, optional = schema_inputs(
        tool["inputSchema"], (*where, "inputSchema", "properties"), trail
    )
    pattern: dict[str, Any] = {
        "description": description,
        **_effects(tool, trail, (*where, "annotations")),
        "required_inputs": required,
        "optional_inputs": optional,
        "expected_outputs": _outputs(tool, trail, (*where, "outputSchema")),
    }
    neutral = "multi-platform, 1.0.0, automation"
    trail.note("platform, version, category", NOT_SAID, neutral, "the format does not say them")
    made = {
        "tool_name": name,
        "platform": "multi-platform",
        "version": "1.0.0",
        "category": "automation",
        "description": description,
        **({} if _may_repeat(tool) else {"retries": 0}),
        "capabilities": {
            "call": {"description": title or description, "patterns": {"default": pattern}}
        },
        "metadata": _metadata(tool, title),
    }
    if "retries" in made:
        trail.note("retries", NOT_SAID, "0", "a repeated call may act twice")
    return Draft(made, document.position(where), trail.coerced, {(): where})


def _may_repeat(tool: Mapping[str, Any]) -> bool:
    hints = mapping(tool.get("annotations"))
    return hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True


def _effects(tool: Mapping[str, Any], trail: Trail, where: DocumentPath) -> dict[str, Any]:
    hints = mapping(tool.get("annotations"))
    claimed = "read" if hints.get("readOnlyHint") is True else "system"
    shown = ", ".join(f"{key} {str(hints[key]).lower()}" for key in _HINTS if key in hints)
    trail.note("effects", shown or NOT_SAID, claimed, "a claim of the server, not checked", where)
    limitations = ["what the server says about effects is its own claim"] if shown else []
    if claimed == "system" and hints.get("destructiveHint") is True:
        limitations.append("the server says that it may destroy")
    return {"effects": claimed, "limitations": limitations}


def _outputs(tool: Mapping[str, Any], trail: Trail, where: DocumentPath) -> list[dict[str, Any]]:
    schema = tool.get("outputSchema")
    if not isinstance(schema, Mapping):
        return []
    plain, is_cut = inlined(schema, References(mapping(schema)))
    if is_cut:
        why = "larger than is kept; what is missing is not checked"
        trail.note("expected_outputs.result.schema", "the schema", "its upper part", why, where)
    kinds = type_names(plain)
    kind = kinds[0] if len(kinds) == 1 else "object"
    return [{"name": "result", "type": kind, "schema": plain}]


def _metadata(tool: Mapping[str, Any], title: str) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "source_format": "mcp",
        "title": title[:200],
        "annotations": dict(mapping(tool.get("annotations"))),
        "_meta": without_secrets(tool.get("_meta")),
    }
    return {key: value for key, value in found.items() if value}
