"""The beginning of a JSONPath: which step, input or output field it certainly goes through.

Only plain leading fields are read (`$.full.mounts[0]` -> full, mounts); filters, wildcards and
functions end the reading. Evaluation of paths is in expressions/jsonpath.py.
"""

from __future__ import annotations

import re

_FIELD = re.compile(
    r"""(?:\.(?P<plain>[A-Za-z_][\w-]*)|\[(?P<quote>['"])(?P<quoted>[^'"]+)(?P=quote)\])"""
    r"(?=\.|\[|$)"
)


def leading_fields(path: str) -> tuple[str, ...]:
    """The field names with which a path begins; empty if it begins with anything else."""
    text = path.strip()
    text = text.removeprefix("$") if text.startswith("$") else f".{text}"
    fields: list[str] = []
    at = 0
    while match := _FIELD.match(text, at):
        fields.append(match["plain"] or match["quoted"])
        at = match.end()
    return tuple(fields)
