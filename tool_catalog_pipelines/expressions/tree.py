"""The immutable tree that estimates and conditions share, and walks over it.

Two trees are equal if they mean the same: columns serve messages only. Does not belong here: making
a tree (parser.py), its text (render.py) and its values (scalar.py, vector.py, intervals.py,
condition_values.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}
Arithmetic = Literal["+", "-", "*", "/", "//", "%", "**"]


def _column() -> int:
    return field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as written: a number, or in conditions a text, true, false or null."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; in conditions dotted for fields of objects."""

    name: str
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Path:
    """A JSONPath."""

    path: str
    column: int = _column()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of operands."""

    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """Minus or `not`."""

    symbol: Literal["-", "not"]
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """An arithmetic operation."""

    symbol: Arithmetic
    left: Node
    right: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a < b`, also chained as in `a < b <= c`; one symbol less than operands."""

    operands: tuple[Node, ...]
    symbols: tuple[str, ...]
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` over two parts or more."""

    symbol: Literal["and", "or"]
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]
    column: int = _column()


Node = Constant | Name | Path | ListOf | Unary | Binary | Comparison | Logic | Choice | Call


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, from left to right as they are evaluated."""
    match node:
        case Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=parts) | ListOf(elements=parts) | Logic(parts=parts):
            return parts
        case Comparison(operands=parts):
            return parts
        case Choice():
            return (node.condition, node.then, node.otherwise)
        case Unary(operand=operand):
            return (operand,)
        case Constant() | Name() | Path():
            return ()


def walk(root: Node) -> Iterator[Node]:
    """Every node, the root first."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def depth(root: Node) -> int:
    """How deep the tree is; a single node is 0 deep."""
    level, deepest = (root,), -1
    while level:
        deepest += 1
        level = tuple(child for node in level for child in children(node))
    return deepest


def free_variables(root: Node) -> frozenset[str]:
    """The names that need a value from outside."""
    names = {node.name for node in walk(root) if isinstance(node, Name)}
    return frozenset(names - CONSTANTS.keys())
