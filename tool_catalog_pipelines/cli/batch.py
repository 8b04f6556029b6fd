"""Commands that answer documents: one from the command line, or JSON lines, one answer per line.

Every error is `{"error": {"code", "message", "position"?, "hint"?}}`. In a batch it is the answer
of its line, the others go on, and the exit code stays 0. Does not belong here: what is answered,
and reading the keys of a document (fields.py).
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Annotated, Any, TextIO, cast

import typer

from tool_catalog_pipelines.cli.fields import BAD_REQUEST
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import (
    InvalidInputError,
    NotFoundError,
    Problem,
    ToolCatalogError,
    TransientError,
)
from tool_catalog_pipelines.expressions.errors import ExpressionError

MAX_LINE = 4_000_000
"""Most bytes of one line of a batch."""

BatchOption = Annotated[
    bool,
    typer.Option("--batch", help="Read JSON lines from standard input, write one line for each."),
]
DocumentArgument = Annotated[
    str | None, typer.Argument(help="A JSON document; without it standard input is read.")
]
Document = Mapping[str, Any]
Answer = Callable[[Document], dict[str, Any]]


class UnreadableDocumentError(InvalidInputError):
    """A text that is no JSON object; `column` counts its characters from 1, where that is known."""

    def __init__(self, message: str, hint: str, column: int | None = None) -> None:
        self.column = column
        super().__init__([Problem(message, hint=hint, code=BAD_REQUEST)])


def respond(
    answer: Answer,
    document: Document | str | Callable[[], Document] | None,
    as_json: bool,
    text: Callable[[Any], str],
) -> dict[str, Any]:
    """Answer one document; None or a text is read as JSON first. Returns the answer.

    Raises:
        ToolCatalogError: the document is wrong; with `as_json` it is printed as JSON instead.
        typer.Exit: with `as_json`, after the error was printed.
    """
    screen = Screen(as_json)
    try:
        found = answer(document() if callable(document) else _read(document))
    except ToolCatalogError as error:
        if not as_json:
            raise _for_people(error) from error
        screen.result(error_document(error))
        is_input = isinstance(error, InvalidInputError | ExpressionError)
        raise typer.Exit(2 if is_input else 1) from None
    screen.result(found, "" if as_json else text(found))
    return found


def respond_to_lines(answer: Answer, argument: str | None = None) -> None:
    """Answer every line of standard input, each as soon as it has come.

    Raises:
        InvalidInputError: there is an argument as well, which nobody would read.
    """
    if argument is not None:
        raise InvalidInputError.one(
            f"--batch reads standard input, and {argument!r} would not be read",
            "leave out one of them",
        )
    screen = Screen(as_json=True)
    for raw in _lines(_input()):
        screen.result(_answered(answer, raw))
        sys.stdout.flush()


def read_document(text: str | bytes) -> Document:
    """A text as a JSON object; bytes that are not UTF-8 become replacement characters.

    Raises:
        UnreadableDocumentError: it is none.
    """
    given = text.decode(errors="replace") if isinstance(text, bytes) else text
    try:
        value = json.loads(given.removeprefix("\ufeff"), object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise _unreadable(error, bool(given.strip())) from None
    except RecursionError:
        raise UnreadableDocumentError("this JSON is nested too deeply", "make it flatter") from None
    except ValueError as error:  # a number of thousands of digits
        raise UnreadableDocumentError(f"this is no JSON: {error}", "shorten it") from None
    if not isinstance(value, dict):
        raise UnreadableDocumentError("this is no JSON object", 'write {"key": value}', 1)
    return cast("dict[str, Any]", value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that is given twice would lose a value in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableDocumentError(f"the key {twice!r} is given twice", "keep one of them")
    return found


def error_document(error: ToolCatalogError) -> dict[str, Any]:
    """An error for programs; with several problems the first stands for all, in `problems`."""
    if isinstance(error, ExpressionError):
        found = {"code": error.code, "message": error.message, "position": error.column}
        return {"error": found | ({"hint": error.hint} if error.hint else {})}
    if not isinstance(error, InvalidInputError):
        code = "unavailable" if isinstance(error, TransientError) else "failed"
        return {"error": {"code": code, "message": str(error)}}
    default = "not_found" if isinstance(error, NotFoundError) else "invalid"
    column = error.column if isinstance(error, UnreadableDocumentError) else None
    problems = [_problem(problem, default, column) for problem in error.problems]
    if len(problems) == 1:
        return {"error": problems[0]}
    return {"error": {**problems[0], "problems": problems}}


def _problem(problem: Problem, default: str, column: int | None) -> dict[str, Any]:
    code = default if problem.code == "invalid" else problem.code
    found: dict[str, Any] = {"code": code, "message": problem.message}
    if column is not None:
        found["position"] = column
    elif problem.position:
        found["position"] = str(problem.position)
    if problem.hint:
        found["hint"] = problem.hint
    return found


def _for_people(error: ToolCatalogError) -> ToolCatalogError:
    """What is wrong with an expression is bad input, at its column."""
    if not isinstance(error, ExpressionError):
        return error
    return InvalidInputError.one(f"column {error.column}: {error.message}", error.hint)


def _unreadable(error: json.JSONDecodeError, is_text: bool) -> UnreadableDocumentError:
    if not is_text:
        hint = 'write one JSON object: {"key": value}'
        return UnreadableDocumentError("there is nothing to read", hint, 1)
    place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else (
        f"column {error.colno}"
    )  # fmt: skip
    hint = 'names and texts stand in double quotes: {"key": "text"}'
    return UnreadableDocumentError(f"this is no JSON: {error.msg}, {place}", hint, error.pos + 1)


def _input() -> IO[bytes]:
    """Standard input; nothing where it is closed."""
    stdin = cast("TextIO | None", sys.stdin)
    return io.BytesIO() if stdin is None else stdin.buffer


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines; of one that is too long only the beginning is kept."""
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(MAX_LINE)):
            pass
        yield line


def _answered(answer: Answer, raw: bytes) -> dict[str, Any]:
    try:
        return answer(_line_document(raw))
    except ToolCatalogError as error:
        return error_document(error)
    except Exception as error:  # a fault of ours must not cost the lines that follow
        return {"error": {"code": "internal", "message": f"{type(error).__name__}: {error}"}}


def _line_document(raw: bytes) -> Document:
    if len(raw) > MAX_LINE:
        message = f"a line of more than {MAX_LINE} bytes"
        raise UnreadableDocumentError(message, "make it shorter", MAX_LINE + 1)
    return read_document(raw.rstrip(b"\r\n"))


def _read(document: Document | str | None) -> Document:
    if document is None:
        return read_document(_input().read())
    return read_document(document) if isinstance(document, str) else document
