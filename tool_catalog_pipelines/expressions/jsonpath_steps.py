"""Searching with a JSONPath of strangers: the steps of a search are counted, and limited.

A path is read by jsonpath-ng, which searches until it has everything. Here the parts of a path are
put together again so that each counts what it will look at before it looks. Does not belong here:
reading paths, and searches that need no limit (jsonpath.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from jsonpath_ng import jsonpath as basic
from jsonpath_ng.ext import filter as filters

from tool_catalog_pipelines.expressions.errors import ExpressionError

MAX_STEPS = 500_000
"""What a condition may look at: about a second, and enough to filter 100,000 elements."""
_TEXT_PER_STEP = 1_000
_LEAVES = (basic.This, basic.Root, basic.Fields, basic.Index, basic.Wildcard, basic.Slice)
_KNOWN = (*_LEAVES, basic.Child, basic.Descendants, filters.Filter, filters.Expression,
          filters.And, filters.Or)  # fmt: skip


class Path(Protocol):
    """A path or a part of one."""

    def find(self, data: Any, /) -> Any:
        """What matches, in a document or in a part of one."""
        ...


class Steps:
    """Steps that several searches share."""

    def __init__(self, most: int = MAX_STEPS) -> None:
        self._most = most
        self._taken = 0

    def take(self, count: int) -> None:
        """Count steps before they are taken; those that are refused are not.

        Raises:
            ExpressionError: there are not as many left.
        """
        if self._taken + count > self._most:
            raise ExpressionError(
                f"looking for it takes more than {self._most} steps",
                hint="name the fields on the way instead of `*`, `..` and filters",
                code="limit",
            )
        self._taken += count


def unlimitable(path: Path) -> str | None:
    """The part of a path whose steps cannot be counted; None for nearly every path."""
    waiting: list[Any] = [path]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, _KNOWN):
            return str(part)
        waiting.extend(_parts(part))
    return None


def counted(path: Path, steps: Steps) -> Path:
    """The same path, which counts what it looks at."""
    found: Any = path
    match found:
        case basic.This():
            pass
        case basic.Root():
            found = _Root(steps)
        case basic.Child(left=left, right=right):
            found = basic.Child(_inner(left, steps), _inner(right, steps))
        case basic.Descendants(left=left, right=right):
            # Whatever is searched for, all that is inside will be looked at next.
            everywhere = _Counted(counted(right, steps), steps, _size)
            found = basic.Descendants(_inner(left, steps), everywhere)
        case filters.Filter():
            found = _Counted(_Filter(found, steps), steps, _size)
        case filters.Expression():
            found = _comparison(found, steps)
        case filters.And() | filters.Or():
            kind = type(found)
            found = _Counted(kind([_inner(part, steps) for part in found.operands]), steps, _one)
        case _:
            found = _Counted(found, steps, _cost(found))
    return cast("Path", found)


class _Counted(basic.JSONPath):
    """A part that counts before it looks."""

    def __init__(self, part: Path, steps: Steps, cost: Callable[[Any], int]) -> None:
        self._part = part
        self._steps = steps
        self._cost = cost

    def find(self, data: Any) -> Any:
        value = data.value if isinstance(data, basic.DatumInContext) else data
        self._steps.take(self._cost(value))
        return self._part.find(data)


class _Root(basic.Root):
    """The document, found without recursion, which its depth would end."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def find(self, data: Any) -> list[basic.DatumInContext]:
        datum = basic.DatumInContext.wrap(data)
        self._steps.take(1)
        while datum.context is not None:
            self._steps.take(1)
            datum = datum.context
        return [basic.DatumInContext(datum.value, path=basic.Root(), context=None)]


class _Filter(filters.Filter):
    """A filter that knows whether it needs the document, rather than to search itself for `$`."""

    def __init__(self, plain: Any, steps: Steps) -> None:
        super().__init__([_inner(part, steps) for part in plain.expressions])
        self._needs_root = bool(plain._references_root())

    def _references_root(self) -> bool:
        return self._needs_root


class _Compared(basic.JSONPath):
    """A side of a comparison; to compare lists and objects is to look at all that is in them."""

    def __init__(self, part: Path, steps: Steps) -> None:
        self._part = part
        self._steps = steps

    def find(self, data: Any) -> Any:
        found = self._part.find(data)
        waiting = [match.value for match in found]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                self._steps.take(len(value) // _TEXT_PER_STEP)
            elif isinstance(value, list | dict):
                parts = cast("list[Any] | dict[str, Any]", value)
                self._steps.take(len(parts))
                waiting.extend(parts.values() if isinstance(parts, dict) else parts)
        return found


def _comparison(plain: Any, steps: Steps) -> Path:
    target = counted(plain.target, steps)
    if plain.op not in (None, "!"):
        target = _Compared(target, steps)
    is_path = isinstance(plain.value, basic.JSONPath)
    value = counted(plain.value, steps) if is_path else plain.value
    return _Counted(filters.Expression(target, plain.op, value), steps, _one)


def _inner(part: Any, steps: Steps) -> Any:
    return counted(part, steps)


def _parts(part: Any) -> list[Any]:
    found: list[Any] = []
    if isinstance(part, basic.Child | basic.Descendants):
        found = [part.left, part.right]
    elif hasattr(part, "expressions"):
        found = part.expressions
    elif hasattr(part, "operands"):
        found = part.operands
    elif hasattr(part, "target"):
        found = [part.target, part.op] if part.op == "=~" else [part.target]
        found += [part.value] if isinstance(part.value, basic.JSONPath) else []
    return found


def _cost(part: Any) -> Callable[[Any], int]:
    """What a part without parts looks at in a value."""
    match part:
        case basic.Fields(fields=several) | basic.Index(indices=several):
            count = len(several)
            return lambda _: count
        case basic.Slice(start=start, end=end, step=step):
            span = slice(start, end, step or None)
            return lambda value: len(range(_size(value))[span])
        case basic.Wildcard():
            return _size
        case _:
            return _one


def _size(value: Any) -> int:
    return max(len(cast("list[Any]", value)), 1) if isinstance(value, list | dict) else 1


def _one(_: Any) -> int:
    return 1
