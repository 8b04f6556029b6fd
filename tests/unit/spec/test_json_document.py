"""Reading JSON: same values, places and strictness as the reader of YAML."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.errors import InvalidInputError, Position
from tool_catalog_pipelines.spec.json_document import read_json_document
from tool_catalog_pipelines.spec.reader import ROOT_LIST, Limits, read_document

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text('ab \\"{}[],:é\n/', max_size=8)
)
KEYS = st.text('abc"\\{', min_size=1, max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def problems(text: str, limits: Limits | None = None) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        read_json_document(text, "f.json", limits or Limits())
    return [str(problem) for problem in caught.value.problems]


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, min_size=1, max_size=5),
    st.integers(0, 3),
)
def test_values_and_places_are_those_of_the_yaml_reader(
    value: dict[str, object], indent: int
) -> None:
    text = json.dumps(value, indent=indent or None, ensure_ascii=False)
    fast, slow = read_json_document(text, "f"), read_document(text, "f")
    assert fast.value == slow.value
    assert dict(fast.positions) == dict(slow.positions)
    assert dict(fast.key_positions) == dict(slow.key_positions)
    assert {path: fast.number_texts[path] for path in slow.number_texts} == dict(slow.number_texts)


def test_a_list_is_read_where_it_is_allowed() -> None:
    document = read_json_document('\n[{"a": 1}, 2]', "f", Limits(allows_list=True))
    assert document.value == {ROOT_LIST: [{"a": 1}, 2]}
    assert document.position((ROOT_LIST, 0, "a")) == Position("f", 2, 8)
    assert document.position((ROOT_LIST, 1)) == Position("f", 2, 12)
    assert "a list" in problems("[1]")[0]


def test_the_same_list_in_yaml() -> None:
    document = read_document("- a: 1\n- 2\n", "f", Limits(allows_list=True))
    assert document.value == {ROOT_LIST: [{"a": 1}, 2]}
    assert document.position((ROOT_LIST, 0, "a")) == Position("f", 1, 6)


def test_numbers_keep_how_they_were_written() -> None:
    assert read_json_document('{"version": 1.10}', "f").number_texts["version",] == "1.10"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n "a": 2}', "f.json:2:2: duplicate key 'a'"),
        ('{"x": {"b": [{"c": 1, "c": 1}]}}', "duplicate key 'c'"),
        ('{"a": NaN}', "f.json:1:7: NaN is not a number"),
        ('{"a": -Infinity}', "is not a number that can be kept"),
        ('{"a": 1e999}', "too large for a number"),
        ('{"a": %s}' % ("1" * 400), "400 digits"),
        ('{"a": 1,}', "f.json:1:9: not JSON"),
        ("{\n'a': 1}", "f.json:2:1: not JSON"),
        ('{"a": "\\u0000"}', "\\u0000"),
        ('{"a": "x\\ud800y"}', "\\ud800"),
        ('{"a\\u202e": 1}', "invisible character"),
        ("", "not JSON"),
        ("7", "a single value"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    assert said in problems(text)[0]


def test_pairs_of_surrogates_and_escaped_backslashes_are_fine() -> None:
    assert read_json_document(r'{"a": "\ud83d\ude00", "b": "\\u0000"}', "f").value == {
        "a": "\U0001f600",
        "b": "\\u0000",
    }


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"a":' * 60 + "1" + "}" * 60,
        "[" * 90_000,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    said = problems(text, Limits(allows_list=True))[0]
    assert "levels deep" in said or "not JSON" in said


def test_floods_of_values_are_refused_before_they_are_made() -> None:
    limits = Limits(max_nodes=1000)
    assert "values" in problems('{"a": [%s1]}' % ("1," * 3000), limits)[0]
    assert "bytes" in problems('{"a": "%s"}' % ("x" * 100), Limits(max_bytes=50))[0]
