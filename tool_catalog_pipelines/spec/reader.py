"""The only reader of YAML: text of a person -> plain JSON values, with the place of each.

Scalars follow the core schema of YAML 1.2, so `on`, `yes` and `no` stay texts. The reader is
strict: duplicate keys, keys that are not texts, tags, merge keys and further documents are
problems. It is bounded in time and memory for any input. Does not belong here: what the keys
mean (spec/load.py).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tool_catalog_pipelines.errors import InvalidInputError, Position, Problem
from tool_catalog_pipelines.spec.base import JsonValue
from tool_catalog_pipelines.spec.scalars import Scalar, plain_scalar
from tool_catalog_pipelines.spec.source_text import MAX_FILE_BYTES, readable_text
from tool_catalog_pipelines.spec.yaml_nodes import MAX_NODES, Node, read_tree

DocumentPath = tuple[str | int, ...]
MAX_PROBLEMS = 100
ROOT_LIST = "[]"
"""The key under which the elements stand if a file holds a list, and lists are allowed."""
_TAG_PREFIX = "tag:yaml.org,2002:"
_HARMLESS_TAGS = {"!", f"{_TAG_PREFIX}str", f"{_TAG_PREFIX}map", f"{_TAG_PREFIX}seq"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHOWN_KEY_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read.

    Attributes:
        max_bytes: size of the file.
        max_nodes: keys and values, aliases expanded.
        allows_list: a file that holds a list is read as a mapping with the one key `ROOT_LIST`.
        takes_number_keys: the key 200 is the text 200 (as in most OpenAPI files), not a problem.
    """

    max_bytes: int = MAX_FILE_BYTES
    max_nodes: int = MAX_NODES
    allows_list: bool = False
    takes_number_keys: bool = False


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read.

    Attributes:
        file: name of the file as shown to people.
        value: mappings, lists, texts, numbers, booleans and null.
        positions: place of every value by path: of the text itself for a scalar, of the key for
            a list or mapping (of the element, inside a list).
        key_positions: place of every key by path.
        number_texts: how each number was written, by path (`1.10` is the number 1.1).
    """

    file: str
    value: dict[str, JsonValue]
    positions: Mapping[DocumentPath, Position]
    key_positions: Mapping[DocumentPath, Position] = field(
        default_factory=dict[DocumentPath, Position]
    )
    number_texts: Mapping[DocumentPath, str] = field(default_factory=dict[DocumentPath, str])

    def value_at(self, path: Sequence[str | int]) -> JsonValue:
        """The value at a path; None if there is none."""
        value: JsonValue = self.value
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def position(self, path: Sequence[str | int]) -> Position:
        """The place of a value, or of its nearest ancestor in the file."""
        return _nearest(self.positions, path, self.file)

    def key_position(self, path: Sequence[str | int]) -> Position:
        """The place of a key; of the value where there is no key; else of its parent."""
        known = self.key_positions.get(tuple(path))
        return known or self.position(path)


def read_document(text: str | bytes, file: str, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one YAML mapping.

    Args:
        text: content of the file; bytes must be UTF-8.
        file: name of the file as it shall be shown in problems.
        limits: how much is read.

    Raises:
        InvalidInputError: everything that is wrong with the file as YAML, with places.
    """
    tree = read_tree(readable_text(text, file, limits.max_bytes), file, limits.max_nodes)
    values = _Values(file, list(tree.problems), limits.takes_number_keys)
    root = tree.root
    is_list = limits.allows_list and root is not None and root.kind == "list"
    value = values.build(root, (ROOT_LIST,) if is_list else ()) if root else None
    if root is None or (root.kind == "scalar" and value is None and not values.problems):
        values.note(root, "the file is empty", "write one mapping: 'key: value' lines")
    elif root.kind != "mapping" and not is_list and not values.problems:
        kind = "a list" if root.kind == "list" else "a single value"
        values.note(root, f"the file holds {kind} instead of a mapping", "write 'key: value' lines")
    if values.problems or root is None:
        found = sorted(values.problems, key=lambda problem: problem.position or Position(file))
        raise InvalidInputError(found[:MAX_PROBLEMS])
    fields = cast("dict[str, JsonValue]", {ROOT_LIST: value} if is_list else value)
    return Document(file, fields, values.positions, values.key_positions, values.number_texts)


def _nearest(
    positions: Mapping[DocumentPath, Position], path: Sequence[str | int], file: str
) -> Position:
    wanted = tuple(path)
    while wanted and wanted not in positions:
        wanted = wanted[:-1]
    return positions.get(wanted, Position(file))


class _Values:
    """Builds values from nodes and notes places and problems. Depth is bounded by the tree."""

    def __init__(self, file: str, problems: list[Problem], takes_number_keys: bool) -> None:
        self._file = file
        self._takes_number_keys = takes_number_keys
        self.problems = problems
        self.positions: dict[DocumentPath, Position] = {}
        self.key_positions: dict[DocumentPath, Position] = {}
        self.number_texts: dict[DocumentPath, str] = {}

    def note(self, node: Node | None, message: str, hint: str) -> None:
        """Note a problem at a node, or at the beginning of the file."""
        position = node.position(self._file) if node else Position(self._file)
        self.problems.append(Problem(message, position, hint, "yaml"))

    def build(self, node: Node, path: DocumentPath) -> JsonValue:
        """The value of a node that stands at a path."""
        self.positions.setdefault(path, node.position(self._file))
        self._check_tag(node)
        match node.kind:
            case "alias":
                return self.build(node.children[0], path)
            case "list":
                return [self.build(child, (*path, at)) for at, child in enumerate(node.children)]
            case "mapping":
                return self._mapping(node, path)
            case "scalar":
                return self._scalar(node, path)

    def _check_tag(self, node: Node) -> None:
        if node.tag is None or node.tag in _HARMLESS_TAGS:
            return
        tag = node.tag.replace(_TAG_PREFIX, "!!", 1)
        self.note(node, f"the tag {_shown(tag)} is not allowed", "remove it; quotes make text")

    def _mapping(self, node: Node, path: DocumentPath) -> dict[str, JsonValue]:
        fields: dict[str, JsonValue] = {}
        for key_node, value_node in zip(node.children[::2], node.children[1::2], strict=True):
            key = self._key(key_node)
            if key is None:
                continue
            where = (*path, key)
            if key in fields:
                first = self.key_positions[where]
                self.note(
                    key_node,
                    f"duplicate key '{_shown(key)}'; it stands already in line {first.line}",
                    "remove or rename one of the two",
                )
                continue
            self.key_positions[where] = key_node.position(self._file)
            if value_node.kind != "alias" and not value_node.text:
                self.positions[where] = self.key_positions[where]
            fields[key] = self.build(value_node, where)
        return fields

    def _key(self, node: Node) -> str | None:
        """The text of a key, or None after a problem was noted."""
        self._check_tag(node)
        target = node.children[0] if node.kind == "alias" else node
        if target.kind != "scalar":
            self.note(node, "a key that is a list or mapping", "quote a text that holds braces")
            return None
        value = self._plain(target) if target.is_plain else target.text
        if self._takes_number_keys and isinstance(value, int) and not isinstance(value, bool):
            value = target.text
        if not isinstance(value, str):
            shown = _shown(target.text) or "empty"
            self.note(node, f"the key {shown} is not a text", f"put it in quotes: '{shown}'")
            return None
        if value == "<<" and target.is_plain:
            self.note(node, "merge keys ('<<') are not supported", "write the keys out")
            return None
        if any(unicodedata.category(character) in _INVISIBLE for character in value):
            message = f"the key '{_shown(value)}' holds an invisible character"
            self.note(node, message, "remove it")
            return None
        return value

    def _scalar(self, node: Node, path: DocumentPath) -> Scalar:
        if "\0" in node.text:
            self.note(node, "a text with a zero character", "remove the \\0; it cannot be stored")
        if not node.is_plain:
            return node.text
        value = self._plain(node)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.number_texts[path] = node.text
        return value

    def _plain(self, node: Node) -> Scalar:
        try:
            return plain_scalar(node.text)
        except ValueError as error:
            self.note(node, str(error), "write it in quotes if it is a text")
            return node.text


def _shown(text: str) -> str:
    """A text for a message: short, and nothing in it that a terminal would act on."""
    short = text if len(text) <= _SHOWN_KEY_LENGTH else f"{text[: _SHOWN_KEY_LENGTH - 3]}..."
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in _INVISIBLE else c for c in short)
