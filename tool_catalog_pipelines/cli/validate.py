"""`tool-catalog validate` and `schema`: checking files, and what editors need to check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_catalog_pipelines.cli.options import JsonOption
from tool_catalog_pipelines.cli.output import Screen, counted_noun
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.settings import load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.validation import Checked


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(validate)
    app.command()(schema)


def validate(
    path: Annotated[Path, typer.Argument(help="A file, or a folder with everything below it.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what is only advice, too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check tools, chains and experiments: every problem of every file at once."""
    checked = _checked(path)
    errors = [problem for one in checked for problem in one.problems]
    advice = [problem for one in checked for problem in one.advice]
    is_ok = not errors and not (strict and advice)
    screen = Screen(as_json)
    screen.result({"ok": is_ok, "strict": strict, "files": [_file(one) for one in checked]})
    if not as_json:
        screen.problems(errors)
        for problem in advice:
            hint = f" ({problem.hint})" if problem.hint else ""
            screen.say(f"{problem.position}: advice: {problem.message}{hint}", "yellow")
        counts = f"{counted_noun(len(checked), 'file')}, {counted_noun(len(errors), 'problem')}"
        screen.say(f"{counts}, {counted_noun(len(advice), 'piece')} of advice")
    if not is_ok:
        raise typer.Exit(2)


def schema(
    kind: Annotated[str, typer.Argument(help="tool, chain or experiment")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file.")] = None,
) -> None:
    """Print the JSON Schema of a kind of file, for editors that complete and check."""
    from tool_catalog_pipelines.catalog.export import write_whole
    from tool_catalog_pipelines.spec.json_schema import KINDS, json_schema

    if kind not in KINDS:
        raise InvalidInputError.one(f"no schema of {kind!r}", f"one of {', '.join(KINDS)}")
    text = json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)


def _checked(path: Path) -> list[Checked]:
    from dataclasses import replace

    from tool_catalog_pipelines.catalog.sources import installed_snapshot
    from tool_catalog_pipelines.catalog.validation import catalogue_with, chains_of, check_files
    from tool_catalog_pipelines.planning.build import build_plan

    installed = installed_snapshot(load_settings())
    checked = list(check_files(path, installed))
    known = catalogue_with(installed, checked)
    for index, loaded in chains_of(checked):
        try:
            build_plan(loaded, known)
        except InvalidInputError as error:
            one = checked[index]
            checked[index] = replace(one, problems=(*one.problems, *error.problems))
    return checked


def _file(checked: Checked) -> dict[str, Any]:
    problems = [_problem(problem, "error") for problem in checked.problems]
    problems += [_problem(problem, "advice") for problem in checked.advice]
    return {
        "file": checked.file,
        "kind": checked.kind,
        "name": checked.name,
        "problems": problems,
    }


def _problem(problem: Problem, severity: str) -> dict[str, Any]:
    position = problem.position
    return {
        "line": position.line if position else None,
        "column": position.column if position else None,
        "severity": severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
