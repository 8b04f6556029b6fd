"""Foreign files for tests: text or values -> drafts, and values that went wrong in many ways."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.catalog.formats.draft import Converted
from tool_catalog_pipelines.catalog.formats.registry import recognise
from tool_catalog_pipelines.catalog.formats.validation import spec_of_draft
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.json_document import read_json_document
from tool_catalog_pipelines.spec.load import FOREIGN_JSON, read_foreign_file
from tool_catalog_pipelines.spec.tool import PatternSpec, ToolSpec

FOREIGN = Path(__file__).parent / "fixtures" / "foreign"
_JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e300, 10**200, "", "x", "\x1b[31m", "a" * 300, "../../etc/passwd",
    "(a+)+$", "[", "#/paths", "#", "https://x/y", "\u202eabc", [], {}, [[]], [None], {"$ref": "#"},
    {"$ref": "#/components/schemas/Pet"}, {"type": "array"},
    ["string", "null"], "{x}", "{{", "${secret:x}",
)  # fmt: skip


def converted(name: str) -> Converted:
    """What a fixture becomes, in the format that recognises it."""
    document = read_foreign_file(FOREIGN / name, name)
    known = recognise(document)
    assert known is not None, f"{name} is not recognised"
    return known.convert(document)


def converted_value(value: Any, file: str = "f.json") -> Converted:
    """The same for a value; what cannot be read as a file is a problem."""
    try:
        document = read_json_document(json.dumps(value), file, FOREIGN_JSON)
    except InvalidInputError as error:
        return Converted((), error.problems)
    known = recognise(document)
    return known.convert(document) if known else Converted(())


def tools_of(result: Converted) -> dict[str, ToolSpec]:
    """The checked tools by name; fails if one of the drafts is no tool."""
    return {spec.tool_name: spec for spec in map(spec_of_draft, result.drafts)}


def pattern_of(tool: ToolSpec) -> PatternSpec:
    """The only pattern of a tool."""
    (capability,) = tool.capabilities.values()
    (pattern,) = capability.patterns.values()
    return pattern


def notes_of(result: Converted, tool_name: str) -> dict[str, str]:
    """What became of each field that was not taken as written."""
    (draft,) = [one for one in result.drafts if one.document["tool_name"] == tool_name]
    return {line.field: line.became for line in draft.coerced}


def mutated(value: Any, seed: int) -> Any:
    """A copy in which a few places hold something else, are gone, or have another key."""
    chance = random.Random(seed)
    whole = copy.deepcopy(value)
    for _ in range(chance.randint(1, 6)):
        _mutate(whole, chance)
    return whole


def _mutate(value: Any, chance: random.Random) -> None:
    while True:
        if not isinstance(value, dict | list) or not value:
            return
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = chance.choice(keys)
        if isinstance(value[key], dict | list) and value[key] and chance.random() < 0.8:
            value = value[key]
            continue
        match chance.randint(0, 4):
            case 0:
                del value[key]
            case 1 if isinstance(value, dict):
                value[chance.choice(["../x", "", "a" * 300, "9", "\u202e", "a b", "é"])] = (
                    value.pop(key)
                )
            case 2 if isinstance(value, dict):
                value["$ref"] = chance.choice(
                    ["#", "#/paths", "x.yaml", "#/components/schemas/Pet"]
                )
            case _:
                value[key] = copy.deepcopy(chance.choice(_JUNK))
        return
