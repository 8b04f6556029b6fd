"""Tables and blocks: nothing is cut at the width of a terminal, and a pipe gets a line per row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tool_catalog_pipelines.cli.layout import block_lines, table_lines

ROWS = [
    {"tool": "linux/df", "runs": 7, "safe": True, "description": "Space on every file system"},
    {"tool": "windows/Win32_LogicalDisk", "runs": 12_000, "safe": False, "description": None},
]


def test_without_a_terminal_every_row_is_one_line() -> None:
    heading, *lines = table_lines(ROWS, None)
    assert heading.split() == ["tool", "runs", "safe", "description"]
    assert lines[0].split(maxsplit=3) == ["linux/df", "7", "yes", "Space on every file system"]
    assert lines[1].split() == ["windows/Win32_LogicalDisk", "12000", "no", "-"]
    assert all(line == line.rstrip() for line in lines)


def test_a_table_that_is_a_little_too_wide_folds_texts_between_words() -> None:
    lines = table_lines(ROWS, 65)
    assert max(map(len, lines)) <= 65
    assert lines[1].startswith("linux/df ")
    assert "Space on every file" in lines[1]
    assert lines[2].strip() == "system"


def test_a_table_that_would_cut_words_becomes_blocks() -> None:
    assert table_lines(ROWS, 40) == [
        "linux/df",
        "  runs: 7   safe: yes",
        "  Space on every file system",
        "windows/Win32_LogicalDisk",
        "  runs: 12000   safe: no",
    ]


def test_a_block_of_long_texts_has_a_line_for_each() -> None:
    row = {"tool": "linux/df", "description": "Space", "why": "disk in its name " * 5, "note": ""}
    assert block_lines(row, 40, one_each=True) == [
        "linux/df",
        "  Space",
        "  why: disk in its name disk in its",
        "    name disk in its name disk in its",
        "    name disk in its name",
    ]


@pytest.mark.parametrize("width", [None, 30, 200])
def test_what_a_terminal_would_act_on_is_escaped_and_lines_stay_lines(width: int | None) -> None:
    text = "\n".join(table_lines([{"name": "a\x1b[2J", "text": "one\ntwo"}], width))
    assert "\x1b" not in text
    assert "a\\x1b[2J" in text
    assert "one; two" in text


words = st.text(st.sampled_from("ab-語"), min_size=1, max_size=9)
texts = st.lists(words, max_size=12).map(" ".join)


@given(st.lists(st.tuples(words, texts, texts), max_size=4))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(
    cells: list[tuple[str, str, str]],
) -> None:
    lines = table_lines([{"name": a, "one": b, "other": c} for a, b, c in cells], 48)
    assert all(cell_len(line) <= 48 for line in lines)
    shown = " ".join(lines).split()
    assert all(word in shown for row in cells for text in row for word in text.split())
