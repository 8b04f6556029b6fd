"""JSON text -> the same Document that the YAML reader gives, many times faster.

The values come from the parser of the standard library, the places are looked up in the text only
when somebody asks. As strict as the YAML reader: duplicate keys, infinity and not-a-number, texts
that cannot be stored, deep nesting and floods of values are problems. Does not belong here: what
the keys mean.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar, cast

from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import (
    DEFAULT_LIMITS,
    MAX_PROBLEMS,
    ROOT_LIST,
    Document,
    DocumentPath,
    Limits,
)
from tool_catalog_pipelines.spec.scalars import MAX_NUMBER_LENGTH, kept_number
from tool_catalog_pipelines.spec.source_text import LineIndex, readable_text
from tool_catalog_pipelines.spec.yaml_nodes import MAX_DEPTH

T = TypeVar("T")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_BRACKETS = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_TOKEN = re.compile(
    rf"\s*+(?:(?P<string>{_STRING})|(?P<other>[^\s,:\[\]{{}}\"]++)|(?P<mark>.))", re.DOTALL
)
_BAD_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<bad>u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000))|.)",
    re.DOTALL,
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def read_json_document(text: str | bytes, file: str, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one JSON object, or a list where the limits allow one.

    Args:
        text: content of the file; bytes must be UTF-8.
        file: name of the file as it shall be shown in problems.
        limits: how much is read.

    Raises:
        InvalidInputError: what is wrong with the file as JSON, with places.
    """
    return _Reading(readable_text(text, file, limits.max_bytes), file, limits).document()


@dataclass(frozen=True, slots=True)
class _Child:
    """Where a value stands in the text, and its key if it has one."""

    key: str | int
    at: int
    key_at: int | None = None


class _NumberError(Exception):
    """A number that cannot be kept."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class _Reading:
    """The state of reading one file."""

    def __init__(self, text: str, file: str, limits: Limits) -> None:
        self._text = text
        self._file = file
        self._limits = limits
        self._lines = LineIndex(text, file)
        self._has_duplicates = False
        self._has_odd_keys = False

    def document(self) -> Document:
        self._refuse_floods()
        value = self._parsed()
        places = _Places(self._text, self._checked_ends(), self._lines)
        problems = self._problems(places)
        if problems:
            raise InvalidInputError(problems[:MAX_PROBLEMS])
        if isinstance(value, list) and self._limits.allows_list:
            places.root_key = ROOT_LIST
            value = cast("JsonValue", {ROOT_LIST: value})
        if not isinstance(value, dict):
            what = "a list" if isinstance(value, list) else "a single value"
            raise self._wrong(f"the file holds {what} instead of a mapping", "write {...}", 0)
        return Document(
            self._file,
            cast("dict[str, JsonValue]", value),
            _Lazy(places, places.position),
            _Lazy(places, places.key_position),
            _Lazy(places, places.number_text),
        )

    def _wrong(self, message: str, hint: str, at: int) -> InvalidInputError:
        return InvalidInputError([Problem(message, self._lines.position(at), hint, "json")])

    def _refuse_floods(self) -> None:
        """Values are counted before they are made; marks inside texts count too, which is fine."""
        count = sum(self._text.count(mark) for mark in ",[{")
        if count > self._limits.max_nodes * 2:
            raise self._wrong(
                f"the file holds about {count} values, more than the "
                f"{self._limits.max_nodes * 2} allowed",
                "split it",
                0,
            )

    def _parsed(self) -> JsonValue:
        try:
            return json.loads(
                self._text,
                object_pairs_hook=self._object,
                parse_int=_whole_number,
                parse_float=_number,
                parse_constant=_refuse_constant,
            )
        except json.JSONDecodeError as error:
            message = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
            raise self._wrong(message, "correct the syntax at this place", error.pos) from None
        except RecursionError:
            raise self._too_deep(0) from None
        except _NumberError as error:
            at = max(self._text.find(error.text), 0)
            raise self._wrong(str(error), "write a number that can be kept", at) from None

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            self._has_duplicates = True
        if not all(map(str.isprintable, fields)):
            self._has_odd_keys = True
        return fields

    def _too_deep(self, at: int) -> InvalidInputError:
        return self._wrong(
            f"values are nested more than {MAX_DEPTH} levels deep", "make it flatter", at
        )

    def _checked_ends(self) -> dict[int, int]:
        """Where each list and mapping ends, by where it begins."""
        ends: dict[int, int] = {}
        opened: list[int] = []
        for match in _BRACKETS.finditer(self._text):
            mark = match[0]
            if mark in "{[":
                opened.append(match.start())
                if len(opened) > MAX_DEPTH:
                    raise self._too_deep(match.start())
            elif mark in "}]":
                ends[opened.pop()] = match.start()
        return ends

    def _problems(self, places: _Places) -> list[Problem]:
        found: list[Problem] = []
        if self._has_duplicates or self._has_odd_keys:
            found.extend(places.key_problems())
        if "\\u0000" in self._text or "\\ud" in self._text or "\\uD" in self._text:
            found.extend(
                Problem(
                    f"the escape \\{match['bad']} is no character that can be stored",
                    self._lines.position(match.start()),
                    "remove it",
                    "json",
                )
                for match in _BAD_ESCAPE.finditer(self._text)
                if match["bad"]
            )
        return found


class _Places:
    """Finds places in a text that is known to be JSON; what was looked at once is kept."""

    def __init__(self, text: str, ends: Mapping[int, int], lines: LineIndex) -> None:
        self._text = text
        self._ends = ends
        self._lines = lines
        self._known: dict[int, Mapping[str | int, _Child]] = {}
        self.root_key: str | None = None

    def find(self, path: DocumentPath) -> _Child | None:
        """The value at a path."""
        start = re.compile(r"\s*").match(self._text)
        child = _Child("", start.end() if start else 0)
        wanted = path
        if self.root_key is not None and path:
            if path[0] != self.root_key:
                return None
            wanted = path[1:]
        for part in wanted:
            found = self._children(child.at).get(part)
            if found is None:
                return None
            child = found
        return child

    def position(self, path: DocumentPath) -> Position | None:
        """Of the text for a scalar; of the key for a list, a mapping and an empty text."""
        child = self.find(path)
        if child is None:
            return None
        is_bare = child.at in self._ends or self._text.startswith('""', child.at)
        at = child.key_at if is_bare and child.key_at is not None else child.at
        return self._lines.position(at)

    def key_position(self, path: DocumentPath) -> Position | None:
        """The place of a key."""
        child = self.find(path)
        return None if child is None or child.key_at is None else self._lines.position(child.key_at)

    def number_text(self, path: DocumentPath) -> str | None:
        """A number as it was written."""
        child = self.find(path)
        match = None if child is None else re.compile(r"[-+.0-9eE]+").match(self._text, child.at)
        return match[0] if match else None

    def paths(self) -> Iterator[DocumentPath]:
        """Every path of the file."""
        top: DocumentPath = () if self.root_key is None else (self.root_key,)
        if top:
            yield ()
        waiting: list[DocumentPath] = [top]
        while waiting:
            path = waiting.pop()
            yield path
            child = self.find(path)
            if child is not None:
                waiting.extend((*path, key) for key in self._children(child.at))

    def key_problems(self) -> Iterator[Problem]:
        """Keys that stand twice in a mapping, or that hold invisible characters."""
        for start in sorted(self._ends):
            seen: dict[str | int, int] = {}
            for child in self._walk(start):
                if child.key_at is None:
                    break
                place = self._lines.position(child.key_at)
                shown = ascii(child.key)[1:-1][:60]
                if child.key in seen:
                    line = self._lines.position(seen[child.key]).line
                    message = f"duplicate key '{shown}'; it stands already in line {line}"
                    yield Problem(message, place, "remove or rename one of the two", "json")
                elif any(unicodedata.category(c) in _INVISIBLE for c in str(child.key)):
                    message = f"the key '{shown}' holds an invisible character"
                    yield Problem(message, place, "remove it", "json")
                seen.setdefault(child.key, child.key_at)

    def _children(self, start: int) -> Mapping[str | int, _Child]:
        if start not in self._ends:
            return {}
        if start not in self._known:
            self._known[start] = {child.key: child for child in self._walk(start)}
        return self._known[start]

    def _walk(self, start: int) -> Iterator[_Child]:
        """The members of the list or mapping that begins there; those inside are jumped over."""
        is_list = self._text[start] == "["
        at, count, key, key_at = start + 1, 0, "", None
        while at < self._ends[start]:
            match = _TOKEN.match(self._text, at)
            if match is None:
                return
            begin, at = match.start(match.lastgroup or 0), match.end()
            mark = match["mark"]
            if mark in (",", ":", "]", "}"):
                continue
            if not is_list and key_at is None:
                key, key_at = cast("str", json.loads(match["string"])), begin
                continue
            yield _Child(count if is_list else key, begin, key_at)
            at = self._ends[begin] + 1 if mark else at
            count, key_at = count + 1, None


class _Lazy(Mapping[DocumentPath, T]):
    """A mapping by path that looks a place up when it is asked for."""

    def __init__(self, places: _Places, look_up: Callable[[DocumentPath], T | None]) -> None:
        self._places = places
        self._look_up = look_up

    def __getitem__(self, path: DocumentPath) -> T:
        found = self._look_up(path)
        if found is None:
            raise KeyError(path)
        return found

    def __iter__(self) -> Iterator[DocumentPath]:
        return (path for path in self._places.paths() if self._look_up(path) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _whole_number(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        count = f"{len(text)} digits, more than the {MAX_NUMBER_LENGTH} allowed"
        raise _NumberError(f"a number of {count}", text)
    return int(text)


def _number(text: str) -> int | float:
    try:
        return kept_number(text)
    except ValueError as error:
        raise _NumberError(str(error), text) from None


def _refuse_constant(text: str) -> NoReturn:
    raise _NumberError(f"{text} is not a number that can be kept", text)
