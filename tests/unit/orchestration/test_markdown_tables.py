"""Tables in Markdown show what they are given, whatever it holds."""

from __future__ import annotations

from tool_catalog_pipelines.orchestration.markdown import markdown_table


def test_a_table_has_the_columns_of_its_first_row() -> None:
    text = markdown_table([{"tool": "df", "points": 70}, {"tool": "ps"}])
    assert text == "| tool | points |\n| --- | --- |\n| df | 70 |\n| ps |  |"


def test_no_rows_are_said_in_words() -> None:
    assert markdown_table([]) == "None."


def test_rows_that_are_not_shown_are_counted() -> None:
    assert markdown_table([{"tool": "df"}], 3).endswith("\n\nand 2 more")


def test_texts_cannot_break_the_table_or_become_markup() -> None:
    evil = "a | b\n\n| c | <img src=x onerror=alert(1)> ![x](http://y) `code` \\| *bold*"
    lines = markdown_table([{"reason": evil}]).splitlines()
    assert len(lines) == 3
    assert lines[2].count("|") - lines[2].count("\\|") == 2
    for mark in ("<", "![", "](", "`", "*"):
        assert mark not in lines[2].replace(f"\\{mark[0]}", "")
