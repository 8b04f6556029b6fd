"""The condition language: text -> immutable `Condition` -> verdict with a reason.

Operands are estimate expressions, texts, lists and JSONPaths; the functions besides those on
numbers are in condition_functions.py. Does not belong here: parsing (parser.py) and values
(condition_values.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tool_catalog_pipelines.expressions.condition_functions import FUNCTIONS
from tool_catalog_pipelines.expressions.condition_reasons import because, explanation
from tool_catalog_pipelines.expressions.condition_values import Limits, Valued, valued
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.expressions.estimate import ARITIES, check_digits
from tool_catalog_pipelines.expressions.parser import Language, parse
from tool_catalog_pipelines.expressions.render import render
from tool_catalog_pipelines.expressions.tree import (
    CONSTANTS,
    Call,
    Constant,
    Name,
    Node,
    Path,
    walk,
)

MAX_LENGTH = 2000
_LANGUAGE = Language(
    MAX_LENGTH,
    {**ARITIES, **{name: (known.arity, known.arity) for name, known in FUNCTIONS.items()}},
    has_values=True,
)
_TRUE = Constant(True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds (None = unknown), and which part with which values made it so."""

    value: bool | None
    because: str
    tree: Valued

    @property
    def lets_step_run(self) -> bool:
        """For the condition of a step: unknown counts as false."""
        return self.value is True

    @property
    def violates_policy(self) -> bool:
        """For a condition under which a policy forbids something: unknown is a violation."""
        return self.value is not False

    def explanation(self) -> dict[str, Any]:
        """Every part with its value, and whether it decided."""
        return explanation(self.tree)


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition; `paths` and `names` are what it reads from the context.

    `constants` are pi and e, which it reads from the context only if that has such a name.
    """

    text: str
    root: Node
    paths: tuple[str, ...]
    names: frozenset[str]
    constants: frozenset[str]

    def evaluate(self, context: Mapping[str, Any]) -> Verdict:
        """Judge the condition; never raises for the context's values."""
        tree = valued(self.root, context, Limits())
        return Verdict(tree.truth, because(tree), tree)

    def render(self) -> str:
        """Text that parses to the same tree."""
        return render(self.root)


@lru_cache(maxsize=2048)
def parse_condition(text: str) -> Condition:
    """Parse a condition; the empty text is true.

    Raises:
        ExpressionError: with column and hint.
    """
    if not text.strip():
        return Condition("", _TRUE, (), frozenset(), frozenset())
    root = parse(text, _LANGUAGE)
    check_digits(root)
    _check_patterns(root)
    nodes = list(walk(root))
    paths = tuple(dict.fromkeys(node.path for node in nodes if isinstance(node, Path)))
    names = frozenset(node.name for node in nodes if isinstance(node, Name))
    constants = names & CONSTANTS.keys()
    return Condition(text.strip(), root, paths, names - constants, constants)


def _check_patterns(root: Node) -> None:
    """Refuse regular expressions that are written out and cannot be read."""
    for node in walk(root):
        match node:
            case Call(name="matches_regex", arguments=(_, Constant(value=str() as pattern))):
                _check_pattern(pattern, node.column)
            case _:
                pass


def _check_pattern(pattern: str, column: int) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ExpressionError(f"the regular expression cannot be read: {error}", column) from error
