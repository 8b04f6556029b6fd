"""Values for the variables of an estimate: given, declared by a tool, or the five defaults.

No default is used silently, and a name that nobody declares is an error with the nearest names.
Does not belong here: where given values come from (planning/variables.py, execution/measures.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.parser import near
from tool_catalog_pipelines.expressions.scalar import finite_number
from tool_catalog_pipelines.expressions.tree import Name, Node, walk


class Declared(Protocol):
    """A variable as a tool declares it."""

    @property
    def unit(self) -> str:
        """What it counts."""
        ...

    @property
    def default(self) -> float:
        """Its value where none is given."""
        ...

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest value that it takes."""
        ...


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable."""

    default: float
    unit: str = ""
    range: tuple[float, float] = (0.0, 1e12)


STANDALONE: Mapping[str, Variable] = MappingProxyType(
    {
        "N": Variable(0.0, "items"),
        "pages": Variable(1.0, "pages"),
        "p95_latency": Variable(100.0, "ms"),
        "cost": Variable(1.0, "cost units"),
        "time_ms": Variable(1000.0, "ms"),
    }
)
"""What holds for an expression that belongs to no tool."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A value for each free variable.

    Attributes:
        values: what to evaluate with.
        defaulted: the variables that took their default, with it.
        outside: the variables whose given value is outside the declared range; it is used as given.
    """

    values: Mapping[str, float]
    defaulted: Mapping[str, float]
    outside: tuple[str, ...]


def bind(
    root: Node,
    given: Mapping[str, float],
    declared: Mapping[str, Declared] = STANDALONE,
) -> Bound:
    """Find a value for each variable of a tree; a given value wins, also over pi and e.

    Raises:
        ExpressionError: names that are neither given nor declared, or values that are no numbers.
    """
    values = {name: finite_number(value, name) for name, value in given.items()}
    names = sorted(
        {node.name: node.column for node in walk(root) if isinstance(node, Name)}.items()
    )
    from_free = [(name, column) for name, column in names if name not in ("pi", "e")]
    unknown = [one for one in from_free if one[0] not in values and one[0] not in declared]
    if unknown:
        raise _unknown(unknown, {*values, *declared})
    defaulted = {name: float(declared[name].default) for name, _ in from_free if name not in values}
    outside = [n for n, _ in names if n in values and n in declared and _is_outside(
        values[n], declared[n].range)]  # fmt: skip
    return Bound({**values, **defaulted}, defaulted, tuple(outside))


def _is_outside(value: float, limits: tuple[float, float]) -> bool:
    return not limits[0] <= value <= limits[1]


def _unknown(unknown: list[tuple[str, int]], known: Iterable[str]) -> ExpressionError:
    names = ", ".join(name for name, _ in unknown)
    what = "variable" if len(unknown) == 1 else "variables"
    candidates = frozenset(known)
    nearest = [other for name, _ in unknown for other in near(name, candidates)]
    hint = f"did you mean {' or '.join(dict.fromkeys(nearest))}?" if nearest else (
        f"known: {', '.join(sorted(candidates)) or 'none'}; give it a value, or declare it"
    )  # fmt: skip
    column = min(column for _, column in unknown)
    return ExpressionError(f"unknown {what}: {names}", column, hint, "unknown_name")
