"""Hits as a short list for a language model: one small row per tool, within a budget of tokens.

Does not belong here: choosing among them (selection/), calling a model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.search.document import document_of

CHARACTERS_PER_TOKEN = 3.0
"""Fewer than tokenizers of today take for English or JSON (about 4), so that a budget holds."""
NAME_CHARACTERS = 48
DESCRIPTION_CHARACTERS = 110
TAGS = 6


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Rows, their size, and how many tools did not fit."""

    rows: tuple[dict[str, Any], ...]
    tokens: int
    left_out: int


def shortlist(tools: Iterable[CatalogTool], budget_tokens: int) -> Shortlist:
    """The first tools that fit into a budget, in their order; a row is never cut in two."""
    rows: list[dict[str, Any]] = []
    tokens = left_out = 0
    for tool in tools:
        row = row_of(tool)
        size = tokens_of(row)
        if left_out or tokens + size > budget_tokens:
            left_out += 1
            continue
        rows.append(row)
        tokens += size
    return Shortlist(tuple(rows), tokens, left_out)


def row_of(tool: CatalogTool) -> dict[str, Any]:
    """What a model needs to choose: name, what it does, what it can, tags, what it would cost."""
    document = document_of(tool)
    patterns = tool.spec.patterns
    return {
        "tool": _cut(f"{tool.header.platform}/{tool.header.tool_name}", NAME_CHARACTERS),
        "does": _cut(document.description, DESCRIPTION_CHARACTERS),
        "can": list(document.capabilities[:TAGS]),
        "tags": list(document.tags[:TAGS]),
        "effects": _strongest(pattern.effects for pattern in patterns),
        "safe": all(pattern.policy.production_safe for pattern in patterns),
    }


def tokens_of(row: object) -> int:
    """Tokens of a row as compact JSON, estimated high."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN) + 1


def _strongest(effects: Iterable[str]) -> str:
    order = ("read", "local", "system")
    return max(effects, key=order.index, default="read")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
