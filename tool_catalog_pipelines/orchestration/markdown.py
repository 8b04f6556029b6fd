"""Tables in Markdown for the Dagster UI. Texts of people are shown as they are, never as markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_MARKUP = re.compile(r"([\\`*_\[\]<>|~#!&])")


def markdown_table(rows: Sequence[Mapping[str, object]], total: int | None = None) -> str:
    """A table with the columns of the first row; in words if there is none.

    Args:
        rows: what is shown.
        total: how many there are, if only the first are shown.
    """
    if not rows:
        return "None."
    columns = list(rows[0])
    lines = [_line(columns), _line(["---"] * len(columns), is_markup=True)]
    lines += [_line([row.get(column, "") for column in columns]) for row in rows]
    more = (total or 0) - len(rows)
    return "\n".join(lines) + (f"\n\nand {more} more" if more > 0 else "")


def _line(cells: Sequence[object], is_markup: bool = False) -> str:
    texts = [str(cell) if is_markup else plain(str(cell)) for cell in cells]
    return f"| {' | '.join(texts)} |"


def plain(text: str) -> str:
    """A text in one line that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
