"""Placeholders in texts and paths: `{inputs.x}`, `{item}`, `{item.field}`; `{{item}}` is literal.

The one grammar of placeholders in chains: planning checks them, execution fills them in. Braces
around anything that is not a dotted name (JSON, awk programs) are plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*"
_TOKEN = re.compile(rf"\{{\{{(?P<literal>{_NAME})\}}\}}|\{{(?P<name>{_NAME})\}}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder; `root` is `inputs` or the name of the item, `fields` the way inside it."""

    root: str
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return "{" + ".".join((self.root, *self.fields)) + "}"


def template_parts(text: str) -> tuple[str | Placeholder, ...]:
    """A text cut into plain parts and placeholders, in order; `{{name}}` becomes `{name}`."""
    parts: list[str | Placeholder] = []
    plain = ""
    end = 0
    for match in _TOKEN.finditer(text):
        plain += text[end : match.start()]
        end = match.end()
        if match["name"] is None:
            plain += "{" + match["literal"] + "}"
            continue
        if plain:
            parts.append(plain)
            plain = ""
        root, *fields = match["name"].split(".")
        parts.append(Placeholder(root, tuple(fields)))
    plain += text[end:]
    return (*parts, plain) if plain else tuple(parts)


def placeholders(text: str) -> tuple[Placeholder, ...]:
    """The placeholders of a text, in order."""
    return tuple(part for part in template_parts(text) if isinstance(part, Placeholder))
