"""Rows as lines of text: a table where it fits, else a block for each row.

A terminal is narrow: a table is shown only if no name in it must be cut. Without a terminal every
row is one line, as `grep` and `cut` want it. Pure. Does not belong here: printing (output.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from tool_catalog_pipelines.cli.harmless import one_line

_GAP = "  "
_BETWEEN_FIELDS = "   "
_NARROWEST = 24
"""Characters that a column of texts needs so that people can still read it."""
_WITHOUT_LABEL = frozenset({"description"})
_WRAPPER = Console(width=80, file=None, markup=False)


def table_lines(rows: Sequence[Mapping[str, object]], width: int | None) -> list[str]:
    """Rows under the keys of the first as columns, or as blocks where `width` is too narrow.

    Args:
        rows: all with the same keys; the first value names the row.
        width: characters of a line; None if there is no limit.
    """
    if not rows:
        return []
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    grid = [names, *cells]
    natural = [max(cell_len(line[at]) for line in grid) for at in range(len(names))]
    widths = natural if width is None else _widths(grid, natural, width)
    if widths is None:
        return [line for row in rows for line in block_lines(row, width or 0)]
    is_number = [
        isinstance(value, int | float) and not isinstance(value, bool) for value in rows[0].values()
    ]
    return [text for line in grid for text in _table_row(line, widths, is_number)]


def block_lines(row: Mapping[str, object], width: int, one_each: bool = False) -> list[str]:
    """A row as a block: its name, then `key: value` side by side or each on a line of its own.

    Values that are empty are left out.
    """
    (_, title), *fields = row.items()
    said = [_field(name, value) for name, value in fields if value not in (None, "")]
    lines = [_cell(title)]
    line = ""
    for field in said:
        joined = f"{line}{_BETWEEN_FIELDS}{field}" if line else field
        if line and (one_each or cell_len(joined) > width - len(_GAP)):
            lines += _hanging(line, width)
            joined = field
        line = joined
    return [*lines, *_hanging(line, width)] if line else lines


def _widths(
    grid: Sequence[Sequence[str]], natural: Sequence[int], width: int
) -> Sequence[int] | None:
    """Width of every column so that all fit and no word is cut; None if there is none."""
    room = width - len(_GAP) * (len(natural) - 1)
    if sum(natural) <= room:
        return natural
    longest_word = [max(_longest_word(line[at]) for line in grid) for at in range(len(natural))]
    least = [
        wanted if at == 0 else max(word, min(wanted, _NARROWEST))
        for at, (wanted, word) in enumerate(zip(natural, longest_word, strict=True))
    ]
    spare = room - sum(least)
    if spare < 0:
        return None
    lacking = sum(natural) - sum(least)
    return [
        low + spare * (wanted - low) // lacking
        for low, wanted in zip(least, natural, strict=True)
    ]  # fmt: skip


def _table_row(
    cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]
) -> Iterator[str]:
    columns = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for at in range(max(len(column) for column in columns)):
        parts = [column[at] if at < len(column) else "" for column in columns]
        padded = [
            _padded(part, width, right)
            for part, width, right in zip(parts, widths, is_number, strict=True)
        ]
        yield _GAP.join(padded).rstrip()


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _hanging(text: str, width: int) -> list[str]:
    """A text below the name of its block; what follows its first line is indented further."""
    first, *rest = _wrapped(text, max(width - 2 * len(_GAP), _NARROWEST))
    return [_GAP + first, *(2 * _GAP + line for line in rest)]


def _wrapped(text: str, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    return [line.plain.rstrip() for line in Text(text).wrap(_WRAPPER, width, overflow="fold")]


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)


def _field(name: str, value: object) -> str:
    return _cell(value) if name in _WITHOUT_LABEL else f"{name}: {_cell(value)}"


def _cell(value: object) -> str:
    """A value in one line, harmless for a terminal; its width is that of what is printed."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:,.2f}" if isinstance(value, float) else str(value)
    return one_line("; ".join(text.splitlines()))
