"""The YAML reader: values of the core schema, exact places, and a refusal of everything else."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tool_catalog_pipelines.errors import InvalidInputError, Position
from tool_catalog_pipelines.spec.reader import MAX_PROBLEMS, Document, read_document
from tool_catalog_pipelines.spec.source_text import MAX_FILE_BYTES
from tool_catalog_pipelines.spec.yaml_nodes import MAX_DEPTH, MAX_NODES

SAMPLE = dedent(
    """\
    # a comment
    chain: demo
    steps:
      disks: {tool: df, with: {path: "/", depth: 2}}
      list:
        - first
        - name: second
          size: 5
    empty:
    """
)


def read(text: str | bytes) -> Document:
    return read_document(text, "f.yaml")


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        read(text)
    return [f"{p.position} {p.message}" for p in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("Off", "Off"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("NULL", None), ("nULL", "nULL"), ("''", ""),
        ("5", 5), ("-5", -5), ("+5", 5), ("010", 10), ("0o17", 15), ("0x1F", 31),
        ("1_000", "1_000"), ("0b11", "0b11"), ("1:30", "1:30"),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-2", -0.015),
        ("1.2.0", "1.2.0"), ("2026-01-01", "2026-01-01"), ("-", ["x"]),
        ("'5'", "5"), ('"true"', "true"), ("! 5", "5"), ("!!str 5", "5"), ("=", "="), ("e5", "e5"),
        (".", "."), ("+", "+"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    text = "a:\n  - x" if written == "-" else f"a: {written}"
    found = read(text).value["a"]
    assert (found, type(found)) == (value, type(value))


def test_on_is_a_key_like_any_other() -> None:
    assert read("on: 1\nyes: 2\nno: 3").value == {"on": 1, "yes": 2, "no": 3}


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 2, 1),
        (("chain",), 2, 8),
        (("steps",), 3, 1),
        (("steps", "disks"), 4, 3),
        (("steps", "disks", "tool"), 4, 17),
        (("steps", "disks", "with"), 4, 21),
        (("steps", "disks", "with", "path"), 4, 34),
        (("steps", "list", 0), 6, 7),
        (("steps", "list", 1), 7, 7),
        (("steps", "list", 1, "size"), 8, 13),
        (("empty",), 9, 1),
    ],
)
def test_the_place_of_a_value(path: tuple[str | int, ...], line: int, column: int) -> None:
    assert read(SAMPLE).position(path) == Position("f.yaml", line, column)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("chain",), 2, 1),
        (("steps", "disks", "with", "depth"), 4, 39),
        (("steps", "list", 1, "size"), 8, 7),
        (("steps", "list", 0), 6, 7),
    ],
)
def test_the_place_of_a_key(path: tuple[str | int, ...], line: int, column: int) -> None:
    assert read(SAMPLE).key_position(path) == Position("f.yaml", line, column)


def test_an_unknown_path_has_the_place_of_its_nearest_ancestor() -> None:
    document = read(SAMPLE)
    assert document.position(("steps", "disks", "when", 3)) == document.position(("steps", "disks"))
    assert document.position(("nothing",)) == document.position(())


def test_columns_count_characters_not_bytes() -> None:
    document = read("ä: {ö: ü, b: c}\n")
    assert document.position(("ä", "b")) == Position("f.yaml", 1, 14)


def test_an_alias_gives_the_value_again_with_its_own_place() -> None:
    document = read("a: &x {k: 1}\nb: *x\n")
    assert document.value == {"a": {"k": 1}, "b": {"k": 1}}
    assert document.position(("b",)) == Position("f.yaml", 2, 4)
    assert document.position(("b", "k")) == Position("f.yaml", 1, 11)


def test_numbers_keep_how_they_were_written() -> None:
    assert read("a: {version: 1.10}").number_texts == {("a", "version"): "1.10"}


def test_values_can_be_looked_up_by_path() -> None:
    document = read(SAMPLE)
    assert document.value_at(("steps", "list", 1, "size")) == 5
    assert document.value_at(("steps", "list", 7)) is None
    assert document.value_at(("chain", "x")) is None


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read(b"\xef\xbb\xbfa: 1").value == {"a": 1}


def test_line_ends_of_windows_are_line_ends() -> None:
    assert read(b"a: 1\r\nb: 2\r\n").position(("b",)).line == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(encoding: str) -> None:
    (problem,) = problems("chain: demo\nversion: 1.0.0\n".encode(encoding))
    assert "encoded as" in problem


def test_invalid_utf_8_is_found_where_it_stands() -> None:
    assert problems("a: ä\nb: caf".encode() + b"\xe9\n") == [
        "f.yaml:2:7 the byte 0xe9 is not valid UTF-8"
    ]


def test_every_forbidden_character_is_reported() -> None:
    found = problems("a: \x07\nb: \x1b[31m\n")
    assert [line.split()[0] for line in found] == ["f.yaml:1:4", "f.yaml:2:4"]


def test_a_lone_surrogate_is_refused() -> None:
    assert "U+D800" in problems("a: \ud800")[0]


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "bytes" in problems(b"#" * (MAX_FILE_BYTES + 1))[0]
    assert read("a: 1\n" + "#" * (MAX_FILE_BYTES - 5)).value == {"a": 1}


def test_a_text_that_is_too_long_is_refused() -> None:
    assert "200000 characters" in problems("a: " + "x" * 200_000)[0]


def test_depth_is_limited_also_through_aliases() -> None:
    deepest = MAX_DEPTH - 1
    assert read("a: " + "[" * deepest + "]" * deepest).value["a"]
    assert "levels of nesting" in problems("a: " + "[" * (deepest + 1) + "]" * (deepest + 1))[0]
    half = "a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 30 + "*a" + "]" * 30
    assert "levels of nesting" in problems(half)[0]


def test_the_number_of_values_is_limited() -> None:
    assert "values" in problems("a:\n" + "- x\n" * (MAX_NODES + 1))[0]


def test_all_problems_are_found_in_the_order_of_their_places() -> None:
    text = "a: 1\na: 2\n1: x\nb: !!python/name:os.system x\nc: {d: 1, d: 2}\n---\ne: 1\n"
    assert [line.split()[0] for line in problems(text)] == [
        "f.yaml:2:1", "f.yaml:3:1", "f.yaml:4:4", "f.yaml:5:11", "f.yaml:6:1",
    ]  # fmt: skip


def test_the_number_of_problems_is_limited() -> None:
    assert len(problems("a: 1\n" * 1000)) == MAX_PROBLEMS


HOSTILE = {
    "brackets": "a: " + "[" * 500_000,
    "braces": "{" * 500_000,
    "dashes": "- " * 400_000,
    "questions": "? " * 400_000,
    "tag directives": "%TAG !a! x\n" * 60_000,
    "directives": "%FOO x\n" * 60_000 + "---\na: 1",
    "documents": "--- a\n" * 100_000,
    "anchors": "a:\n" + "".join(f"- &a{n} x\n" for n in range(60_000)),
    "aliases": "x: &a 1\na:\n" + "- *a\n" * 100_000,
    "colons": ":" * 900_000,
    "bangs": "!" * 900_000,
    "blanks": " " * 900_000,
    "words": "x " * 500_000,
    "quotes": "'" * 900_001,
    "escapes": 'a: "' + "\\" * 900_001,
    "keys": "{" + "a," * 400_000,
    "digits": "a: " + "9" * 90_000,
    "fraction": "a: " + "9" * 90_000 + ".5",
    "fold": "a: >\n" + " \n" * 400_000,
    "comments": "#\n" * 400_000,
    "nulls": "\0" * 900_000,
    "lines": "\n" * 900_000 + "\x07",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_soon(name: str) -> None:
    try:
        read(HOSTILE[name].encode())
    except InvalidInputError as error:
        assert error.problems


YAML_PIECES = st.sampled_from(
    ["a", "b", ":", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ",", "&x ", "*x", "!", "!!str ",
     "'", '"', "|", ">", "#", "?", "%", "---\n", "...\n", "<<", "1", "1.5", "~", "true", "\t", "\\",
     "\ufeff", "é", "\u2028", "=", "@", "`"]
)  # fmt: skip


def assert_document_or_refusal(source: str | bytes) -> None:
    try:
        document = read(source)
    except InvalidInputError as error:
        assert all(p.message and p.hint and p.position for p in error.problems)
        assert all("\n" not in p.message for p in error.problems)
    else:
        json.dumps(document.value, allow_nan=False).encode()


@given(st.binary(max_size=200))
@example(b"\xff\xfea\x00")
@example(b"")
def test_any_bytes_give_a_document_or_problems(source: bytes) -> None:
    assert_document_or_refusal(source)


@given(st.text(max_size=200))
def test_any_text_gives_a_document_or_problems(source: str) -> None:
    assert_document_or_refusal(source)


@given(st.lists(YAML_PIECES, max_size=40).map("".join))
@example("a: !!set {x}\n")
@example("&a : *a")
@example("*a : 1")
def test_anything_like_yaml_gives_a_document_or_problems(source: str) -> None:
    assert_document_or_refusal(source)


KEYS = st.text(st.characters(categories=["L", "N", "P", "Zs"], max_codepoint=0xFFFF), max_size=20)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30),
    # Numbers that PostgreSQL would write in another way are read as it writes them.
    st.floats(allow_nan=False, allow_infinity=False).map(
        lambda x: int(x) if abs(x) >= 1e16 else x + 0.0
    ),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0xFFFF),
        max_size=30,
    ),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_json_is_read_as_it_was_written(value: dict[str, object]) -> None:
    document = read(json.dumps(value))
    assert document.value == value
    assert json.dumps(document.value) == json.dumps(value)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_every_value_has_a_place_inside_the_file(value: dict[str, object]) -> None:
    text = yaml.safe_dump(json.loads(json.dumps(value)), allow_unicode=False, sort_keys=False)
    try:
        document = read(text)
    except InvalidInputError:
        return  # the writer speaks YAML 1.1: some texts need quotes in 1.2 only
    lines = text.split("\n")
    for path, position in document.positions.items():
        assert position.line <= len(lines)
        assert position.column <= len(lines[position.line - 1]) + 1
        assert path == () or document.value_at(path[:-1]) is not None
