"""Texts of bindings with their placeholders filled in: `{input}`, and `{{`, `}}` for braces.

References to secrets are resolved afterwards, so that no input's value can name a secret: a text
is cut at its references first. Does not belong here: what the texts are for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tool_catalog_pipelines.execution.secrets import REFERENCE, UsedSecrets

TOKEN = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}")


def filled_text(
    text: str,
    inputs: Mapping[str, Any],
    secrets: UsedSecrets | None = None,
    quoted: Callable[[str], str] = str,
) -> str:
    """A text with its placeholders filled; `quoted` makes a value fit for where it is put."""
    parts: list[str] = []
    end = 0
    for match in REFERENCE.finditer(text):
        parts.append(_filled(text[end : match.start()], inputs, quoted))
        parts.append(secrets.resolved(match[0]) if secrets is not None else match[0])
        end = match.end()
    parts.append(_filled(text[end:], inputs, quoted))
    return "".join(parts)


def only_placeholder(text: str) -> str | None:
    """The input that is the whole text, or None."""
    match = TOKEN.fullmatch(text)
    return match["name"] if match else None


def as_text(value: Any) -> str:
    """A value as it stands in a text: strings as they are, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _filled(text: str, inputs: Mapping[str, Any], quoted: Callable[[str], str]) -> str:
    def replacement(match: re.Match[str]) -> str:
        name = match["name"]
        return match.group()[0] if name is None else quoted(as_text(inputs.get(name)))

    return TOKEN.sub(replacement, text)
