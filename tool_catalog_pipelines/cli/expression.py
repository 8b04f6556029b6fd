"""`tool-catalog eval` and `condition`: the two languages by hand and for programs.

Neither needs a database. Does not belong here: what they answer (expression_answers.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tool_catalog_pipelines.cli.batch import (
    BatchOption,
    Document,
    UnreadableDocumentError,
    read_document,
    respond,
    respond_to_lines,
)
from tool_catalog_pipelines.cli.expression_answers import evaluated, judged
from tool_catalog_pipelines.cli.expression_text import explained, shown_tree
from tool_catalog_pipelines.cli.fields import BAD_REQUEST
from tool_catalog_pipelines.cli.options import JsonOption, named
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError, Problem

ExplainOption = Annotated[bool, typer.Option("--explain", help="Show the value of each part.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("eval")(evaluate)
    app.command("condition")(condition)


def evaluate(
    expr: Annotated[str | None, typer.Argument(help='Such as "6 + 0.02 * N"; in quotes.')] = None,
    var: Annotated[
        list[str] | None, typer.Option(help="A variable as name=number; may be repeated.")
    ] = None,
    span: Annotated[
        list[str] | None,
        typer.Option("--range", help="With --explain: name=low:high, between which values lie."),
    ] = None,
    tool: Annotated[
        str | None, typer.Option(help="The tool whose variables it uses, with their defaults.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="CAPABILITY/PATTERN of the tool, if it has several.")
    ] = None,
    explain: ExplainOption = False,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate an estimate expression; how they are written: docs/guides/expressions.md."""
    if batch:
        respond_to_lines(evaluated, expr)
        return

    def document() -> Document:
        return {
            "expr": _needed(expr, "an expression"),
            "vars": _numbers(var),
            "ranges": _spans(span),
            "tool": tool,
            "pattern": pattern,
            "explain": explain,
        }

    found = respond(evaluated, document, as_json, lambda found: f"{found['value']!r}")
    if not as_json:
        _say_more(found, explain)


def condition(
    text: Annotated[
        str | None,
        typer.Argument(help="Such as '$.disks.use >= 95% and exists($.path)'; in single quotes."),
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option(help="A JSON file with the object that $ stands for; empty if left out."),
    ] = None,
    explain: ExplainOption = False,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a condition in a context, and say which part decided."""
    if batch:
        respond_to_lines(judged, text)
        return

    def document() -> Document:
        needed = _needed(text, "a condition")
        return {"condition": needed, "context": _context(context), "explain": explain}

    respond(judged, document, as_json, _verdict)


def _say_more(found: dict[str, Any], explain: bool) -> None:
    screen = Screen()
    for name, value in found.get("defaults", {}).items():
        screen.err.print(f"{name} was not given; its default {value:g} was used")
    for name in found.get("outside_range", ()):
        screen.err.print(f"{name} is outside its declared range; it was used as given")
    if explain:
        screen.say(explained(found))


def _verdict(found: dict[str, Any]) -> str:
    value = {True: "true", False: "false", None: "unknown"}[found["value"]]
    lines = [f"{value}: {found['because']}"]
    return "\n".join([*lines, shown_tree(found["tree"])] if "tree" in found else lines)


def _needed(text: str | None, what: str) -> str:
    if text is None:
        raise _bad(f"{what} is missing", "give it as the argument, or use --batch")
    return text


def _numbers(texts: list[str] | None) -> dict[str, float]:
    return {
        name: _float(value, f"--var {name}={value}", "N=100")
        for name, value in named(texts, "--var").items()
    }


def _spans(texts: list[str] | None) -> dict[str, list[float]]:
    return {
        name: [_float(end, f"--range {name}={ends}", "N=0:1000") for end in _ends(ends)]
        for name, ends in named(texts, "--range").items()
    }


def _ends(text: str) -> tuple[str, str]:
    low, _, high = text.partition(":")
    return low, high


def _float(text: str, where: str, example: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _bad(f"{where}: {text!r} is not a number", f"example: {example}") from None


def _context(path: Path | None) -> Document:
    if path is None:
        return {}
    try:
        return read_document(path.read_bytes())
    except UnreadableDocumentError as error:
        (problem,) = error.problems
        message = f"{path}: {problem.message}"
        raise UnreadableDocumentError(message, problem.hint, error.column) from None
    except OSError as error:
        what = error.strerror or str(error)
        raise _bad(f"{path} cannot be read: {what}", "name a JSON file") from None


def _bad(message: str, hint: str) -> InvalidInputError:
    return InvalidInputError([Problem(message, hint=hint, code=BAD_REQUEST)])
