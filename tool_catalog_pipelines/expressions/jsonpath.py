"""JSONPath, as jsonpath-ng reads and searches it. Compiled paths are cached.

Does not belong here: what a path is used for (conditions, mappings, measured variables), and
counting the steps of a search (jsonpath_steps.py).
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, cast

from jsonpath_ng.ext.parser import parse

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.jsonpath_steps import Path, Steps, counted, unlimitable

MAX_LENGTH = 1000
# The generated parser of jsonpath-ng keeps state while it parses, so one text at a time.
_PARSING = threading.Lock()


def find_values(path: str, document: object, steps: Steps | None = None) -> list[Any]:
    """Every value that the path matches, in document order; an empty list if there is none.

    Args:
        path: the JSONPath.
        document: where to search.
        steps: what the search may look at; without it there is no limit.

    Raises:
        ExpressionError: the path cannot be read, a filter compares what cannot be compared, or
            there are no steps left.
    """
    compiled = _compile(path)
    searched = compiled if steps is None else counted(compiled, steps)
    try:
        return [match.value for match in searched.find(document)]
    except (
        TypeError, LookupError, AttributeError, ArithmeticError, ValueError, RuntimeError,
        AssertionError, MemoryError,
    ) as error:  # fmt: skip
        raise ExpressionError(
            f"the path {path} cannot be applied here: {error}", hint="check its filter"
        ) from error


def check_path(path: str) -> None:
    """Raise ExpressionError if the path cannot be read."""
    _compile(path)


def check_limitable(path: str) -> None:
    """Raise ExpressionError if the path cannot be read, or holds a part without limits."""
    part = unlimitable(_compile(path))
    if part is not None:
        raise ExpressionError(
            f"{part} in a path may search for ever",
            hint="use fields, [0], [1:3], *, .. and filters with && and ||; "
            "compute and match outside the path",
            code="limit",
        )


@lru_cache(maxsize=2048)
def _compile(path: str) -> Path:
    if len(path) > MAX_LENGTH:
        raise ExpressionError(f"a path of {len(path)} characters; the limit is {MAX_LENGTH}")
    if not path.startswith(("$", "@")):
        raise ExpressionError(f"the path {path!r} does not begin with $", hint="begin with $.")
    try:
        with _PARSING:
            return cast("Path", parse(path))
    except Exception as error:  # the parser raises bare Exception on bad syntax
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExpressionError(
            f"the path {path!r} cannot be read: {first_line}", hint="example: $.items[*].name"
        ) from error
