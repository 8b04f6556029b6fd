"""JSONPath: the only place that imports jsonpath-ng. Compiled paths are cached.

Does not belong here: what a path is used for (conditions, mappings, measured variables).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol, cast

from jsonpath_ng.ext.parser import parse

from tool_catalog_pipelines.expressions.errors import ExpressionError

MAX_LENGTH = 1000
# The generated parser of jsonpath-ng keeps state while it parses, so one text at a time.
_PARSING = threading.Lock()


class _Match(Protocol):
    value: Any


class _Path(Protocol):
    def find(self, document: object) -> Iterable[_Match]: ...


def find_values(path: str, document: object) -> list[Any]:
    """Every value that the path matches, in document order; an empty list if there is none.

    Raises:
        ExpressionError: the path cannot be read, or a filter compares what cannot be compared.
    """
    compiled = _compile(path)
    try:
        return [match.value for match in compiled.find(document)]
    except (
        TypeError, LookupError, AttributeError, ArithmeticError, ValueError, RecursionError
    ) as error:  # fmt: skip
        raise ExpressionError(
            f"the path {path} cannot be applied here: {error}", hint="check its filter"
        ) from error


def check_path(path: str) -> None:
    """Raise ExpressionError if the path cannot be read."""
    _compile(path)


@lru_cache(maxsize=2048)
def _compile(path: str) -> _Path:
    if len(path) > MAX_LENGTH:
        raise ExpressionError(f"a path of {len(path)} characters; the limit is {MAX_LENGTH}")
    if not path.startswith(("$", "@")):
        raise ExpressionError(f"the path {path!r} does not begin with $", hint="begin with $.")
    try:
        with _PARSING:
            return cast("_Path", parse(path))
    except Exception as error:  # the parser raises bare Exception on bad syntax
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExpressionError(
            f"the path {path!r} cannot be read: {first_line}", hint="example: $.items[*].name"
        ) from error
