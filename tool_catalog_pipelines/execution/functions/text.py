"""Functions on lines and rows: grouping, ranking."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext

VARYING = r"0x[0-9a-fA-F]+|\b[0-9a-f]{12,}\b|\d+([.:,-]\d+)*"


def rank_lines(
    context: FunctionContext, lines: Sequence[str], top: int = 20, mask: str = VARYING
) -> dict[str, Any]:
    """Group lines that are equal but for what `mask` matches, most frequent first."""
    del context
    try:
        pattern = re.compile(mask)
    except re.error as error:
        raise AttemptError(
            "InputError", f"the input mask is no regular expression: {error}"
        ) from error
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for line in lines:
        text = pattern.sub("#", line).strip()
        counts[text] += 1
        examples.setdefault(text, line.strip())
    groups = [
        {"count": count, "text": text[:300], "example": examples[text][:300]}
        for text, count in counts.most_common(top)
    ]
    return {"groups": groups, "total": len(lines)}


def top_rows(
    context: FunctionContext, rows: Sequence[Mapping[str, Any]], by: str, top: int = 10
) -> dict[str, Any]:
    """The rows with the largest numbers in one field, largest first."""
    del context
    numbered = [row for row in rows if isinstance(row.get(by), int | float)]
    if rows and not numbered:
        known = ", ".join(sorted(rows[0])) or "none"
        raise AttemptError("InputError", f"no row has a number in {by!r}; fields: {known}")
    ordered = sorted(numbered, key=lambda row: float(row[by]), reverse=True)
    return {"rows": [dict(row) for row in ordered[:top]], "total": len(rows)}
