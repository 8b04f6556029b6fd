"""Commands that answer documents: one from the command line, or JSON lines, one answer per line.

In a batch an error is the answer of its line and the others go on; the exit code stays 0. Does not
belong here: what is answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import typer

from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import (
    InvalidInputError,
    NotFoundError,
    Problem,
    ToolCatalogError,
    TransientError,
)
from tool_catalog_pipelines.expressions.errors import ExpressionError

BatchOption = Annotated[
    bool,
    typer.Option("--batch", help="Read JSON lines from standard input, write one line for each."),
]
DocumentArgument = Annotated[
    str | None, typer.Argument(help="A JSON document; without it standard input is read.")
]
Document = Mapping[str, Any]
Answer = Callable[[Document], dict[str, Any]]


def respond(
    answer: Answer, document: Document | str | None, as_json: bool, text: Callable[[Any], str]
) -> dict[str, Any]:
    """Answer one document; None or a text is read as JSON first. Returns the answer.

    Raises:
        ToolCatalogError: the document is wrong; with `as_json` it is printed as JSON instead.
        typer.Exit: with `as_json`, after the error was printed.
    """
    screen = Screen(as_json)
    try:
        given = _from_text(document) if document is None or isinstance(document, str) else document
        found = answer(given)
    except ToolCatalogError as error:
        if not as_json:
            raise
        screen.result(error_document(error))
        raise typer.Exit(
            2 if isinstance(error, InvalidInputError | ExpressionError) else 1
        ) from None
    screen.result(found, "" if as_json else text(found))
    return found


def respond_to_lines(answer: Answer) -> None:
    """Answer every line of standard input, each as soon as it has come."""
    screen = Screen(as_json=True)
    for raw in sys.stdin.buffer:
        screen.result(_answered(answer, raw))
        sys.stdout.flush()


def read_document(text: str | bytes) -> Document:
    """A text as a JSON object.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInputError([Problem(f"this is no JSON: {reason}", code="bad_json")]) from None
    if not isinstance(value, dict):
        raise InvalidInputError(
            [Problem("this is no JSON object", hint='write {"key": value}', code="bad_json")]
        )
    return cast("dict[str, Any]", value)


def error_document(error: ToolCatalogError) -> dict[str, Any]:
    """An error for programs; with several problems the first stands for all, in `problems`."""
    if isinstance(error, ExpressionError):
        found = {"code": "bad_expression", "message": error.message, "position": error.column}
        return {"error": found | ({"hint": error.hint} if error.hint else {})}
    if not isinstance(error, InvalidInputError):
        code = "unavailable" if isinstance(error, TransientError) else "failed"
        return {"error": {"code": code, "message": str(error)}}
    default = "not_found" if isinstance(error, NotFoundError) else "invalid"
    problems = [_problem(problem, default) for problem in error.problems]
    if len(problems) == 1:
        return {"error": problems[0]}
    return {"error": {**problems[0], "problems": problems}}


def _problem(problem: Problem, default: str) -> dict[str, Any]:
    code = default if problem.code == "invalid" else problem.code
    found: dict[str, Any] = {"code": code, "message": problem.message}
    if problem.position:
        found["position"] = str(problem.position)
    if problem.hint:
        found["hint"] = problem.hint
    return found


def _answered(answer: Answer, raw: bytes) -> dict[str, Any]:
    try:
        return answer(read_document(raw.strip()))
    except ToolCatalogError as error:
        return error_document(error)
    except Exception as error:  # a fault of ours must not cost the lines that follow
        return {"error": {"code": "internal", "message": f"{type(error).__name__}: {error}"}}


def _from_text(text: str | None) -> Document:
    return read_document(sys.stdin.buffer.read() if text is None else text)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
