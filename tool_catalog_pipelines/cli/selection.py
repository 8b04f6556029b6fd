"""`tool-catalog selection ...`: the parts of a selection, each by itself, without a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

import typer

from tool_catalog_pipelines.cli import selection_answers as answers
from tool_catalog_pipelines.cli.batch import (
    Answer,
    BatchOption,
    Document,
    DocumentArgument,
    respond,
    respond_to_lines,
)
from tool_catalog_pipelines.cli.options import JsonOption, json_value, named

app = typer.Typer(no_args_is_help=True)
QueryArgument = Annotated[list[str] | None, typer.Argument(help="What you want, in your words.")]


@app.command()
def preference(
    query: QueryArgument = None,
    mode: Annotated[str | None, typer.Option(help="fast, accurate, ...; wins over words.")] = None,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what somebody cares for most: fast, accurate, thorough, cheap, simple or balanced."""
    document = {"query": " ".join(query or []), "mode": mode}
    _run(answers.preference, document, batch, as_json)


@app.command()
def context(
    query: QueryArgument = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            help="asset_count, page_count or p95_latency as name=value; others are left alone."
        ),
    ] = None,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Estimate how large a request is from its words."""

    def document() -> Document:
        known = {key: json_value(value) for key, value in named(metadata, "--metadata").items()}
        return {"query": " ".join(query or []), "metadata": known}

    _run(answers.context, document, batch, as_json)


@app.command()
def rank(
    document: DocumentArgument = None, batch: BatchOption = False, as_json: JsonOption = False
) -> None:
    """Order candidates by their figures and a mode or weights.

    For example {"mode": "fast", "candidates": {"a": {"time_ms": 90}, "b": {"time_ms": 400}}};
    all keys: docs/cli.md.
    """
    _run(answers.rank, document, batch, as_json)


@app.command()
def policy(
    document: DocumentArgument = None, batch: BatchOption = False, as_json: JsonOption = False
) -> None:
    """Hold a pattern against its policy and the limits of who asks.

    For example {"config": {"environment": "staging", "max_cost": 1}, "pattern": {"cost": 2}};
    without an environment it is production, where a pattern must say "production_safe": true.
    All keys: docs/cli.md.
    """
    _run(answers.policy, document, batch, as_json)


def _run(
    answer: Answer,
    document: Document | str | Callable[[], Document] | None,
    batch: bool,
    as_json: bool,
) -> None:
    if batch:
        respond_to_lines(answer, document if isinstance(document, str) else None)
    else:
        respond(answer, document, as_json, _as_text)


def _as_text(found: dict[str, Any]) -> str:
    """Keys and values, one on a line; objects of a list or an object a line each."""
    return "\n".join(f"{key}:{_block(value)}" for key, value in found.items())


def _block(value: Any) -> str:
    if isinstance(value, list):
        parts = [_shown(one) for one in cast("list[Any]", value) if isinstance(one, dict)]
    elif isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        parts = [f"{key}  {_shown(one)}" for key, one in items if isinstance(one, dict)]
    else:
        parts = []
    return "".join(f"\n  {part}" for part in parts) or f" {_shown(value)}"


def _shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in cast("list[Any]", value))
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return "; ".join(f"{key} {_shown(one)}" for key, one in pairs)
    return str(value)
