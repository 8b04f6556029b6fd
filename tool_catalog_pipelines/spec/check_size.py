"""How large one tool may be, in whatever format it comes: as large as a YAML file of ours can hold.

The readers of foreign formats take larger files than that; a tool that could be imported but
neither be shown nor exported would be lost. Does not belong here: sizes of files (source_text.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.notes import Notes
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.source_text import MAX_FILE_BYTES
from tool_catalog_pipelines.spec.yaml_nodes import MAX_NODES, MAX_SCALAR_LENGTH


def check_size(document: Document, notes: Notes) -> None:
    """Texts, number of values, and size as a whole."""
    count, length = 0, 0
    waiting: list[tuple[DocumentPath, JsonValue]] = [((), document.value)]
    while waiting:
        path, value = waiting.pop()
        count += 1
        if isinstance(value, Mapping):
            fields = cast("Mapping[str, JsonValue]", value)
            length += sum(map(len, fields))
            count += len(fields)
            waiting.extend(((*path, key), inner) for key, inner in fields.items())
        elif isinstance(value, list):
            elements = cast("list[JsonValue]", value)
            waiting.extend(((*path, at), inner) for at, inner in enumerate(elements))
        else:
            size = len(value) if isinstance(value, str) else len(json.dumps(value))
            length += size
            if size > MAX_SCALAR_LENGTH:
                message = f"a text of {size} characters, more than the {MAX_SCALAR_LENGTH} allowed"
                notes.add(path, message, "keep it in a file that the tool reads", "size")
    if count > MAX_NODES:
        message = f"the tool has {count} values, more than the {MAX_NODES} allowed"
        notes.add((), message, "keep bulk values in a file that the tool reads", "size")
    if length > MAX_FILE_BYTES:
        message = f"the tool holds {length} characters, more than the {MAX_FILE_BYTES} allowed"
        notes.add((), message, "keep bulk values in a file that the tool reads", "size")
