"""What every foreign format needs: names and texts made fit, secrets masked, and a note of each.

Belongs here: rules that no single format owns. Does not belong here: JSON Schema
(schema_values.py, schema_inputs.py), the formats themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tool_catalog_pipelines.catalog.formats.draft import Coerced
from tool_catalog_pipelines.errors import Position
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.reader import Document, DocumentPath
from tool_catalog_pipelines.spec.values import describe_value

MASK = "***"
NOT_SAID = "not said"
_SECRET = re.compile(
    r"passw(or)?d|passwd|secret|token|api_?key|credential|private_?key|authorization", re.IGNORECASE
)
_REFERENCE_TO_SECRET = re.compile(
    r"env(_?var)?$|_name$|_ref$|_url$|page_?token|_type$", re.IGNORECASE
)
_VERSION = re.compile(r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){0,2}(-[0-9A-Za-z.-]{1,40})?")
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LONGEST_TEXT = 2000
_LONGEST_IDENTIFIER = 63
_LONGEST_NAME = 100
_SHOWN_LENGTH = 80


class Trail:
    """Every value of one tool that was not taken as it was written."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines: list[Coerced] = []

    def note(
        self, field: str, given: JsonValue, became: str, why: str, path: DocumentPath | None = None
    ) -> None:
        """Note one value.

        Args:
            field: where in the draft.
            given: the value; a text stands for itself.
            became: what is in the draft now.
            why: the reason.
            path: where the value stands in the file.
        """
        shown = given if isinstance(given, str) else describe_value(given)
        place: Position | None = self._document.position(path) if path is not None else None
        line = Coerced(printable(field), printable(shown), printable(became), why, place)
        self._lines.append(line)

    @property
    def coerced(self) -> tuple[Coerced, ...]:
        """The notes in their order."""
        return tuple(self._lines)


class Names:
    """Names that may be given once only; a name taken already gets a number behind it."""

    def __init__(self, separator: str = "_", longest: int = _LONGEST_IDENTIFIER) -> None:
        self._next: dict[str, int] = {}
        self._separator = separator
        self._longest = longest

    def take(self, wanted: str) -> str:
        """The name, or the next free one; case does not tell names apart."""
        name = wanted
        while name.lower() in self._next:
            number = self._next[wanted.lower()] + 1
            self._next[wanted.lower()] = number
            ending = f"{self._separator}{number}"
            name = f"{wanted[: self._longest - len(ending)]}{ending}"
        self._next[name.lower()] = 1
        return name


def tool_names() -> Names:
    """Names of the tools of one file."""
    return Names("-", _LONGEST_NAME)


def identifier(written: str, prefix: str = "x") -> str:
    """A written name as identifier: `petId` is pet_id, `+1` is x_1.

    A name too long or without any usable letter ends in a short hash, so that it stays the same
    from one import to the next.
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", written[:1000])
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if not plain:
        plain = _digest(written)
    if not plain[0].isalpha():
        plain = f"{prefix}_{plain}"
    if len(plain) <= _LONGEST_IDENTIFIER and len(written) <= 1000:
        return plain
    return f"{plain[: _LONGEST_IDENTIFIER - 9]}_{_digest(written)}"


def tool_name(written: str) -> str | None:
    """A written name as the name of a tool; None if nothing of it can be used."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", written[:1000])
    plain = re.sub(r"\.{2,}|[-.]*-[-.]*(?=-)", "-", plain).strip("-._")
    if not plain:
        return None
    if len(plain) <= _LONGEST_NAME and len(written) <= 1000:
        return plain
    return f"{plain[: _LONGEST_NAME - 9]}-{_digest(written)}"


def named(written: str, names: Names, trail: Trail, path: DocumentPath) -> str | None:
    """The name of a tool, unique in its file, noted if it is not what was written."""
    plain = tool_name(written)
    if plain is None:
        return None
    name = names.take(plain)
    if name != written:
        taken = name != plain
        why = "the name is taken in this file" if taken else "names hold letters, digits, . _ -"
        trail.note("tool_name", shortened(written), name, why, path)
    return name


def text_of(value: JsonValue) -> str:
    """A text without what a terminal would act on; empty if it is no text."""
    return _UNFIT.sub(" ", value).strip() if isinstance(value, str) else ""


def description_of(
    value: JsonValue, otherwise: str, field: str, trail: Trail, path: DocumentPath | None = None
) -> str:
    """A description that fits the grammar: neither empty nor too long."""
    text = text_of(value)
    if not text:
        trail.note(field, NOT_SAID, otherwise, "a description is needed", path)
        return otherwise
    if len(text) <= _LONGEST_TEXT:
        return text
    why = f"longer than {_LONGEST_TEXT} characters"
    trail.note(field, f"{len(text)} characters", "its beginning", why, path)
    return f"{text[: _LONGEST_TEXT - 3]}..."


def version_of(value: JsonValue, trail: Trail, path: DocumentPath | None = None) -> str:
    """A version; 1.0.0 for what is none."""
    written = str(value).strip() if isinstance(value, str | int | float) else ""
    plain = written.removeprefix("v")
    if _VERSION.fullmatch(plain) and not isinstance(value, bool):
        if plain != written:
            trail.note("version", written, plain, "a version begins with a number", path)
        return plain
    trail.note("version", shortened(written) or NOT_SAID, "1.0.0", "not a version", path)
    return "1.0.0"


def is_secret(name: str) -> bool:
    """Does an input of that name hold a secret itself (and not where one is found)?"""
    return bool(_SECRET.search(name)) and not _REFERENCE_TO_SECRET.search(name)


def without_secrets(value: JsonValue, name: str = "") -> JsonValue:
    """A value with the texts of secret keys masked, at any depth."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, JsonValue]", value)
        return {key: without_secrets(inner, key) for key, inner in fields.items()}
    if isinstance(value, list):
        return [without_secrets(inner, name) for inner in cast("list[JsonValue]", value)]
    return MASK if isinstance(value, str) and value and is_secret(name) else value


def mapping(value: JsonValue) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def elements(value: JsonValue) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else ()


def texts(value: JsonValue) -> list[str]:
    """The texts of a list, each once."""
    return list(dict.fromkeys(text_of(one) for one in elements(value) if text_of(one)))


def shortened(text: str) -> str:
    """The beginning of a text, for a note."""
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}..."


def printable(text: str) -> str:
    """A text for a report, with nothing in it that a terminal would act on."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:300])
    return shortened(shown)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
