"""The text of a file before anybody looks at YAML: size, encoding, characters.

Belongs here: everything that can be refused without knowing the syntax, with exact places.
Does not belong here: YAML (spec/yaml_nodes.py).
"""

from __future__ import annotations

import bisect
import codecs
import re

from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem

MAX_FILE_BYTES = 1_048_576
_MAX_REPORTED = 20
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAG_DIRECTIVE = re.compile(r"^%TAG\b", re.MULTILINE)
_LINE_BREAK = re.compile("\r\n|\r|\n")
_SAVE_AS_UTF8 = "save the file as UTF-8"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def readable_text(source: str | bytes, file: str, max_bytes: int = MAX_FILE_BYTES) -> str:
    """The text of a file, with nothing in it that YAML 1.2 forbids.

    Raises:
        InvalidInputError: too large, not UTF-8, control characters, or `%TAG` directives (which
            nobody needs here, and whose reading takes quadratic time).
    """
    if len(source) > max_bytes:
        raise InvalidInputError.one(
            f"the file has {len(source)} bytes, more than the {max_bytes} allowed",
            "split it, or keep bulk values in a file that a tool reads",
            Position(file),
        )
    text = source if isinstance(source, str) else _decoded(source, file)
    text = text.removeprefix("\ufeff")
    _check_characters(text, file)
    directive = _TAG_DIRECTIVE.search(text)
    if directive:
        raise InvalidInputError.one(
            "%TAG directives are not allowed",
            "remove the line; tags are not needed",
            position_at(text, directive.start(), file),
        )
    return text


def position_at(text: str, index: int, file: str) -> Position:
    """The place of the character with that index."""
    breaks = [match.end() for match in _LINE_BREAK.finditer(text, 0, index)]
    return Position(file, len(breaks) + 1, index - (breaks[-1] if breaks else 0) + 1)


class LineIndex:
    """Places in one text, looked up often."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._starts: list[int] = []

    def position(self, index: int) -> Position:
        """The place of the character with that index."""
        if not self._starts:
            self._starts = [0, *(match.end() for match in _LINE_BREAK.finditer(self._text))]
        line = bisect.bisect_right(self._starts, index)
        return Position(self._file, line, index - self._starts[line - 1] + 1)


def _decoded(source: bytes, file: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if source.startswith(mark):
            raise InvalidInputError.one(
                f"the file is encoded as {encoding}", _SAVE_AS_UTF8, Position(file)
            )
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8").removeprefix("\ufeff")
        raise InvalidInputError.one(
            f"the byte 0x{source[error.start]:02x} is not valid UTF-8",
            _SAVE_AS_UTF8,
            position_at(before, len(before), file),
        ) from None


def _check_characters(text: str, file: str) -> None:
    found = list(_FORBIDDEN.finditer(text))
    if not found:
        return
    if text.count("\0") * 4 > len(text):
        raise InvalidInputError.one(
            "every other byte of the file is zero; it is not encoded as UTF-8",
            _SAVE_AS_UTF8,
            Position(file),
        )
    raise InvalidInputError(
        [
            Problem(
                f"the character U+{ord(match[0]):04X} is not allowed in a file",
                position_at(text, match.start(), file),
                'remove it, or write it as an escape in double quotes, like "\\u001b"',
            )
            for match in found[:_MAX_REPORTED]
        ]
    )
