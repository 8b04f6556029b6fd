"""JSON lines in, one JSON line out for each: a program starts once and asks many times.

A line that cannot be answered carries its error, and the next line is read. Does not belong here:
what is asked (expression.py and its kin).
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO, cast

from tool_catalog_pipelines.cli.harmless import harmless_json
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.expressions.errors import ExpressionError

MAX_LINE = 4_000_000
Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class BadRequestError(Exception):
    """A request that lacks something or holds what nobody asked for."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


def run_batch(answer: Answer) -> None:
    """Answer every line of standard input on standard output, each as soon as it is read."""
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    for line in _lines(lines):
        sys.stdout.write(as_line(_answered(line, answer)) + "\n")
        sys.stdout.flush()


def as_line(document: Mapping[str, Any]) -> str:
    """A document in one line that any terminal and any encoding can carry."""
    return harmless_json(json.dumps(document, default=str))


def error_document(error: Exception) -> dict[str, Any]:
    """`{"error": {"code", "message", "position"?, "hint"?}}`."""
    found: dict[str, Any] = {"code": "bad_request", "message": str(error)}
    if isinstance(error, ExpressionError):
        found = {"code": error.code, "message": error.message, "position": error.column}
    elif isinstance(error, InvalidInputError):
        found = {"code": error.problems[0].code, "message": error.problems[0].message}
    hint = error.problems[0].hint if isinstance(error, InvalidInputError) else ""
    if isinstance(error, ExpressionError | BadRequestError):
        hint = error.hint
    return {"error": {**found, "hint": hint} if hint else found}


def checked_keys(request: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse keys that nobody asked for.

    Raises:
        BadRequestError: with what is known.
    """
    unknown = sorted(request.keys() - known)
    if unknown:
        raise BadRequestError(
            f"unknown keys: {', '.join(unknown)}", f"known: {', '.join(sorted(known))}"
        )


def mapping_of(request: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object of the request; empty if it is not there.

    Raises:
        BadRequestError: it is something else.
    """
    found = request.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadRequestError(f"{key!r} is not an object", 'write {"name": value}')
    return cast("Mapping[str, Any]", found)


def _lines(stream: TextIO) -> Iterator[str]:
    """The lines; of one that is too long only the beginning is kept."""
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while not rest.endswith("\n") and (rest := stream.readline(MAX_LINE)):
            pass
        yield line


def _answered(line: str, answer: Answer) -> Mapping[str, Any]:
    try:
        return answer(_request(line))
    except (ExpressionError, BadRequestError, InvalidInputError) as error:
        return error_document(error)


def _request(line: str) -> Mapping[str, Any]:
    if len(line) > MAX_LINE:
        raise BadRequestError(f"a line of more than {MAX_LINE} characters", "make it shorter")
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the line is no JSON: {error}", "one JSON object on each") from None
    if not isinstance(request, dict):
        raise BadRequestError("the line is no JSON object", "one JSON object on each line")
    return cast("Mapping[str, Any]", request)
