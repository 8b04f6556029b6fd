"""Small readers: placeholders, the beginning of paths, durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.planning.paths import leading_fields
from tool_catalog_pipelines.planning.placeholders import (
    Placeholder,
    placeholders,
    template_parts,
)
from tool_catalog_pipelines.planning.wording import duration


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", ("plain",)),
        ("", ()),
        ("{item}", (Placeholder("item", ()),)),
        ("a {inputs.x} b", ("a ", Placeholder("inputs", ("x",)), " b")),
        ("{item.size.0}{item}", (Placeholder("item", ("size", "0")), Placeholder("item", ()))),
        ("%{{http_code}} {item}", ("%{http_code} ", Placeholder("item", ()))),
        ('{"a": {"b": 1}}', ('{"a": {"b": 1}}',)),
        ("awk '{print $1}'", ("awk '{print $1}'",)),
        ("{} { item } {1}", ("{} { item } {1}",)),
    ],
)
def test_a_text_is_cut_into_plain_parts_and_placeholders(text: str, parts: tuple[object, ...]):
    assert template_parts(text) == parts


@given(st.text(alphabet="{}ab.1 $"))
def test_no_text_without_doubled_braces_loses_a_character(text: str):
    rebuilt = "".join(map(str, template_parts(text)))
    assert rebuilt == text or "{{" in text
    assert len(placeholders(text)) <= text.count("}")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("$", ()),
        ("$.a", ("a",)),
        ("$.full.mounts[0].x", ("full", "mounts")),
        ("$['full'][\"my mounts\"].x", ("full", "my mounts", "x")),
        ("$.a[?(@.b >= {inputs.c})].d", ("a",)),
        ("$.a.`len`", ("a",)),
        ("$.a..b", ("a",)),
        ("$..a", ()),
        ("$[*].a", ()),
        ("$.*", ()),
        ("$.a,b", ()),
        ("$.a | $.b", ()),
    ],
)
def test_only_certain_fields_at_the_beginning_of_a_path_are_read(
    path: str, fields: tuple[str, ...]
):
    assert leading_fields(path) == fields


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 ms"),
        (6.2, "6.2 ms"),
        (999.6, "1 s"),
        (1500, "1.5 s"),
        (59_960, "1 min"),
        (200_000, "3 min 20 s"),
        (7_200_000, "2 h"),
        (7_500_000, "2 h 5 min"),
    ],
)
def test_durations_are_told_in_the_unit_that_reads_best(ms: float, words: str):
    assert duration(ms) == words
