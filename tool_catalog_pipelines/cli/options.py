"""Options that several commands share, and how texts given on the command line become values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
InputOption = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", help="An input of the chain as name=value; may be repeated."),
]
WhereOption = Annotated[
    list[str] | None, typer.Option("--where", help="key=value in the metadata; may be repeated.")
]

ToolArgument = Annotated[
    str, typer.Argument(help="platform/name, or with @1.0.0, @latest, @stable or @testing.")
]


def reference(text: str) -> ToolRef:
    """A tool reference given on the command line.

    Raises:
        InvalidInputError: the text is none.
    """
    try:
        return parse_tool_ref(text)
    except ValueError as error:
        raise InvalidInputError.one(str(error)) from error


def words(text: str, option: str) -> tuple[str, str]:
    """Both sides of `key=value`.

    Raises:
        InvalidInputError: there is no `=` or no key.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InvalidInputError.one(f"{option} {text!r} has no value", "write name=value")
    return key, value


def named(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """The values of an option that is repeated, by their keys.

    Raises:
        InvalidInputError: one has no `=` or no key, or a key is given twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, value = words(text, option)
        if name in found:
            raise InvalidInputError.one(f"{option} {name} is given twice", "keep one of them")
        found[name] = value
    return found


def wanted_metadata(where: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """The pairs of `--where`.

    Raises:
        InvalidInputError: one has no `=` or no key.
    """
    return tuple(words(pair, "--where") for pair in where or ())


def json_value(text: str) -> Any:
    """A text as JSON if it is JSON, else as it is.

    Raises:
        InvalidInputError: JSON that is nested too deeply.
    """
    try:
        return json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        raise InvalidInputError.one("a value is nested too deeply", "make it flatter") from None


def storable(text: str | None) -> str | None:
    """A text that a database can keep.

    Raises:
        InvalidInputError: it holds bytes that are not UTF-8, or a NUL.
    """
    if "\0" in (text or ""):
        raise InvalidInputError.one(f"{text!r} holds a NUL character", "leave it out")
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise InvalidInputError.one(f"{text!r} is not UTF-8", "write it as UTF-8") from None
    return text


def parse_inputs(texts: Sequence[str]) -> dict[str, Any]:
    """`name=value` texts; a value that is a JSON list or object is read as such.

    Raises:
        InvalidInputError: texts without `=` or a name that is given twice.
    """
    inputs: dict[str, Any] = {}
    problems: list[Problem] = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            problems.append(Problem(f"--input {text!r} has no value", hint="write name=value"))
        elif name in inputs:
            problems.append(Problem(f"--input {name} is given twice", hint="keep one of them"))
        else:
            inputs[name] = _value(value)
    if problems:
        raise InvalidInputError(problems)
    return inputs


def _value(text: str) -> Any:
    return json_value(text) if text[:1] in ("[", "{") else text


def shown_path(path: Path) -> str:
    """A path as a person would type it: relative to here where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
