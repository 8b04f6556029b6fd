"""YAML text -> a tree of nodes with places, bounded in size and depth while it grows.

Works on parser events with a stack of its own, so that neither deep nesting nor aliases that
multiply can exhaust memory or the C stack. Does not belong here: what scalars mean, keys
(spec/reader.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import yaml

from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.yaml_syntax import syntax_problem

MAX_NODES = 50_000
MAX_DEPTH = 40
MAX_SCALAR_LENGTH = 100_000

Kind = Literal["scalar", "list", "mapping", "alias"]


@dataclass(slots=True)
class Node:
    """One node as written; line and column count from 1.

    `children` are the elements of a list, keys and values of a mapping in turn, or the one node
    that an alias stands for. `size` and `height` count nodes and levels with aliases expanded.
    """

    kind: Kind
    line: int
    column: int
    text: str = ""
    is_plain: bool = False
    tag: str | None = None
    children: list[Node] = field(default_factory=list["Node"])
    size: int = 1
    height: int = 1

    def position(self, file: str) -> Position:
        """The place of the first character."""
        return Position(file, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Tree:
    """The first document of a file (None if there is none) and what was wrong on the way."""

    root: Node | None
    problems: tuple[Problem, ...]


def read_tree(text: str, file: str, max_nodes: int = MAX_NODES) -> Tree:
    """Read the nodes of the first document.

    Raises:
        InvalidInputError: broken syntax, or a limit was passed (nodes with aliases expanded,
            depth, length of one scalar); reading stops there.
    """
    return _TreeBuilder(file, max_nodes).build(_events(text, file))


def _events(text: str, file: str) -> Iterator[yaml.Event]:
    try:
        # libyaml counts the columns of text, not of bytes; CSafeLoader is only its parser here.
        yield from yaml.parse(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise InvalidInputError([syntax_problem(error, file)]) from None


def _place(event: yaml.Event) -> tuple[int, int]:
    """Line and column, from 1."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _TreeBuilder:
    """The state of reading one file: nodes that are still open, and anchors."""

    def __init__(self, file: str, max_nodes: int) -> None:
        self._file = file
        self._max_nodes = max_nodes
        self._root: Node | None = None
        self._open: list[tuple[Node, str | None]] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0
        self._problems: list[Problem] = []

    def build(self, events: Iterator[yaml.Event]) -> Tree:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                self._note_second_document(event)
                break
            self._take(event)
        return Tree(self._root, tuple(self._problems))

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event), event.anchor)
            case yaml.AliasEvent():
                self._add(self._alias(event), None)
            case yaml.SequenceStartEvent():
                self._begin(self._node("list", event), event.anchor)
            case yaml.MappingStartEvent():
                self._begin(self._node("mapping", event), event.anchor)
            case yaml.CollectionEndEvent():
                self._add(*self._open.pop())
            case _:
                pass

    def _node(self, kind: Kind, event: yaml.NodeEvent) -> Node:
        self._count += 1
        node = Node(kind, *_place(event))
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            node.tag = event.tag
        if self._count > self._max_nodes:
            self._stop(node, f"the file has more than {self._max_nodes} values", "split the file")
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        node = self._node("scalar", event)
        node.text = event.value
        # "!" in front of a scalar makes it text, like quotes.
        node.is_plain = bool(event.implicit[0]) and event.tag is None
        if len(node.text) > MAX_SCALAR_LENGTH:
            self._stop(
                node,
                f"a text of {len(node.text)} characters, more than the {MAX_SCALAR_LENGTH} allowed",
                "keep it in a file that a tool reads",
            )
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self._node("alias", event)
        target = self._anchors.get(event.anchor or "")
        if target is not None:
            node.children, node.size, node.height = [target], target.size, target.height
            return node
        is_open = any(anchor == event.anchor for _, anchor in self._open)
        problem = "stands inside what it refers to" if is_open else "refers to no anchor above it"
        self._note(
            node,
            f"the alias *{event.anchor} {problem}",
            f"define &{event.anchor} before it, or quote a text that begins with '*'",
        )
        node.children = [Node("scalar", node.line, node.column, is_plain=True)]
        return node

    def _begin(self, node: Node, anchor: str | None) -> None:
        self._open.append((node, anchor))
        if len(self._open) > MAX_DEPTH:
            self._stop_too_deep(node)

    def _add(self, node: Node, anchor: str | None) -> None:
        """A node is complete: hang it into its parent and make its anchor known."""
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1][0]
        parent.children.append(node)
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if parent.size > self._max_nodes:
            self._stop(
                node,
                f"aliases make more than {self._max_nodes} values of this file",
                "use fewer aliases",
            )
        if len(self._open) + node.height > MAX_DEPTH:
            self._stop_too_deep(node)

    def _note(self, node: Node, message: str, hint: str) -> None:
        self._problems.append(Problem(message, node.position(self._file), hint, "yaml"))

    def _note_second_document(self, event: yaml.Event) -> None:
        position = Position(self._file, *_place(event))
        message, hint = "a second document begins here", "keep one document per file; remove '---'"
        self._problems.append(Problem(message, position, hint, "yaml"))

    def _stop_too_deep(self, node: Node) -> None:
        self._stop(node, f"more than {MAX_DEPTH} levels of nesting", "nest less deeply")

    def _stop(self, node: Node, message: str, hint: str) -> None:
        self._note(node, message, hint)
        raise InvalidInputError(self._problems)
