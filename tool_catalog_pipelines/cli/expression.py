"""`tool-catalog eval` and `condition`: the two languages by hand and for programs.

Neither needs a database. Does not belong here: what the languages mean (expressions/).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tool_catalog_pipelines.cli.expression_batch import (
    BadRequestError,
    as_line,
    checked_keys,
    error_document,
    mapping_of,
    run_batch,
)
from tool_catalog_pipelines.cli.expression_text import explained, shown_tree
from tool_catalog_pipelines.cli.options import JsonOption, reference, words
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.expressions.condition import parse_condition
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import Expression, parse_estimate
from tool_catalog_pipelines.expressions.scalar import finite_number
from tool_catalog_pipelines.expressions.variables import STANDALONE, Bound, Declared, bind

BatchOption = Annotated[
    bool, typer.Option("--batch", help="Read JSON lines, print one JSON line for each.")
]
ExplainOption = Annotated[bool, typer.Option("--explain", help="Show how the value came about.")]
_EVAL_KEYS = frozenset({"expr", "vars", "ranges", "tool", "pattern", "explain"})
_CONDITION_KEYS = frozenset({"condition", "context", "explain"})


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("eval")(evaluate)
    app.command("condition")(condition)


def evaluate(
    expr: Annotated[str | None, typer.Argument(help="An estimate expression.")] = None,
    var: Annotated[list[str] | None, typer.Option(help="name=number; may be repeated.")] = None,
    span: Annotated[
        list[str] | None, typer.Option("--range", help="name=low:high, for --explain.")
    ] = None,
    tool: Annotated[str | None, typer.Option(help="Whose variables it uses.")] = None,
    pattern: Annotated[str | None, typer.Option(help="CAPABILITY/PATTERN of the tool.")] = None,
    explain: ExplainOption = False,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate an estimate expression."""
    if batch:
        run_batch(_evaluated)
        return
    request: dict[str, Any] = {
        "expr": _needed(expr, "an expression"),
        "tool": tool,
        "pattern": pattern,
        "explain": explain,
    }

    def answer() -> Mapping[str, Any]:
        request["vars"] = dict(_number(text) for text in var or ())
        request["ranges"] = dict(_span(text) for text in span or ())
        return _evaluated(request)

    screen = Screen(as_json)
    document = _answered(answer, as_json)
    screen.result(document, f"{document['value']!r}")
    for name, value in document.get("defaults", {}).items():
        if not as_json:
            screen.err.print(f"{name} was not given; its default {value:g} was used")
    if explain and not as_json:
        screen.say(explained(document))


def condition(
    text: Annotated[str | None, typer.Argument(help="A condition.")] = None,
    context: Annotated[Path | None, typer.Option(help="A JSON file with what it reads.")] = None,
    explain: ExplainOption = False,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a condition in a context, and say which part decided."""
    if batch:
        run_batch(_judged)
        return
    request = {"condition": _needed(text, "a condition"), "explain": explain}

    def answer() -> Mapping[str, Any]:
        return _judged({**request, "context": _context(context)})

    screen = Screen(as_json)
    document = _answered(answer, as_json)
    value = {True: "true", False: "false", None: "unknown"}[document["value"]]
    screen.result(document, f"{value}: {document['because']}")
    if explain and not as_json:
        screen.say(shown_tree(document["tree"]))


def _evaluated(request: Mapping[str, Any]) -> Mapping[str, Any]:
    checked_keys(request, _EVAL_KEYS)
    expression = _expression(request.get("expr"))
    declared = _declared(request.get("tool"), request.get("pattern"))
    bound = bind(expression.root, mapping_of(request, "vars"), declared)
    document: dict[str, Any] = {"value": expression.evaluate(bound.values)}
    if bound.defaulted:
        document["defaults"] = dict(bound.defaulted)
    if bound.outside:
        document["outside_range"] = list(bound.outside)
    if request.get("explain"):
        document |= _explanation(expression, bound, mapping_of(request, "ranges"), declared)
    return document


def _expression(given: object) -> Expression:
    """An expression, or a number, which is passed through."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise BadRequestError("'expr' is not a text", 'write {"expr": "N + 1", "vars": {"N": 2}}')
    if isinstance(given, str):
        return parse_estimate(given)
    number = finite_number(given, "expr")
    return parse_estimate(repr(number))


def _explanation(
    expression: Expression,
    bound: Bound,
    given: Mapping[str, Any],
    declared: Mapping[str, Declared],
) -> dict[str, Any]:
    from tool_catalog_pipelines.expressions.explanation import explain

    return explain(expression, bound.values, _ranges(given), declared)


def _ranges(given: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for name, ends in given.items():
        if not isinstance(ends, list) or len(cast("list[Any]", ends)) != 2:
            raise BadRequestError(f"the range of {name} is no pair", "write [low, high]")
        low, high = (finite_number(end, name) for end in cast("list[Any]", ends))
        if low > high:
            raise BadRequestError(f"the range of {name} begins above its end", "write [low, high]")
        found[name] = (low, high)
    return found


def _declared(tool: object, pattern: object) -> Mapping[str, Declared]:
    """The variables of a tool's pattern; without a tool the five of every expression."""
    if tool is None:
        return STANDALONE
    from tool_catalog_pipelines.catalog.sources import installed_snapshot
    from tool_catalog_pipelines.settings import load_settings

    found = installed_snapshot(load_settings()).resolve(reference(str(tool)))
    patterns = {
        f"{capability}/{name}": spec
        for capability, one in found.spec.capabilities.items()
        for name, spec in one.patterns.items()
    }
    if pattern is None and len(patterns) == 1:
        return next(iter(patterns.values())).variables
    if str(pattern) not in patterns:
        raise InvalidInputError.one(
            f"{found.label} has no pattern {pattern}", f"one of {', '.join(sorted(patterns))}"
        )
    return patterns[str(pattern)].variables


def _judged(request: Mapping[str, Any]) -> Mapping[str, Any]:
    checked_keys(request, _CONDITION_KEYS)
    text = request.get("condition")
    if not isinstance(text, str):
        raise BadRequestError("'condition' is not a text", 'write {"condition": "x > 1", ...}')
    verdict = parse_condition(text).evaluate(mapping_of(request, "context"))
    document: dict[str, Any] = {"value": verdict.value, "because": verdict.because}
    if request.get("explain"):
        document["tree"] = verdict.explanation()
    return document


def _answered(answer: Callable[[], Mapping[str, Any]], as_json: bool) -> Mapping[str, Any]:
    """The answer; what is wrong with the request ends the command with exit code 2."""
    try:
        return answer()
    except (ExpressionError, BadRequestError, InvalidInputError) as error:
        if as_json:
            typer.echo(as_line(error_document(error)))
        else:
            Screen().problems(_problems(error))
        raise typer.Exit(2) from error


def _problems(error: ExpressionError | BadRequestError | InvalidInputError) -> tuple[Problem, ...]:
    if isinstance(error, InvalidInputError):
        return error.problems
    where = f"column {error.column}: " if isinstance(error, ExpressionError) else ""
    message = error.message if isinstance(error, ExpressionError) else str(error)
    return (Problem(f"{where}{message}", hint=error.hint),)


def _needed(text: str | None, what: str) -> str:
    if text is None:
        raise InvalidInputError.one(f"{what} is missing", "give it as the argument, or use --batch")
    return text


def _number(text: str) -> tuple[str, float]:
    name, value = words(text, "--var")
    return name, _float(value, f"--var {text}")


def _span(text: str) -> tuple[str, list[float]]:
    name, ends = words(text, "--range")
    low, _, high = ends.partition(":")
    return name, [_float(low, f"--range {text}"), _float(high, f"--range {text}")]


def _float(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadRequestError(f"{where}: {text!r} is not a number", "example: N=100") from None


def _context(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError.one(f"{path} is no JSON: {error}", "write an object") from None
    except OSError as error:
        what = error.strerror or str(error)
        raise InvalidInputError.one(f"{path} cannot be read: {what}", "name a file") from None
    if not isinstance(found, dict):
        raise InvalidInputError.one(f"{path} is no JSON object", 'write {"name": value}')
    return cast("dict[str, Any]", found)
