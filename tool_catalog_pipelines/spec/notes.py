"""Collects what is wrong with one document, each problem with the place of the exact value or key.

Belongs here: collecting, sorting, naming what was probably meant. Does not belong here: any rule.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tool_catalog_pipelines.errors import Position, Problem
from tool_catalog_pipelines.expressions.errors import ExpressionError
from tool_catalog_pipelines.spec.reader import Document, DocumentPath

_MOST_NAMES = 30


class Notes:
    """The problems of one document; checks write into it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._problems: list[Problem] = []
        self.compared_s = 0.0
        """Seconds spent on comparing values with their rules, so that a check can end."""

    def add(
        self,
        path: DocumentPath,
        message: str,
        hint: str = "",
        code: str = "invalid",
        at_key: bool = False,
    ) -> None:
        """Note a problem of the value at a path, or of its key."""
        document = self._document
        position = document.key_position(path) if at_key else document.position(path)
        self._problems.append(Problem(message, position, hint, code))

    def add_expression(self, path: DocumentPath, what: str, error: ExpressionError) -> None:
        """Note that an expression, condition or path cannot be read."""
        message = f"{what}: {error.message} (column {error.column} of the expression)"
        self.add(path, message, error.hint or "correct it at that column", "expression")

    @property
    def count(self) -> int:
        """How many problems were noted so far."""
        return len(self._problems)

    @property
    def problems(self) -> list[Problem]:
        """Every different problem, in the order of their places."""
        unique = dict.fromkeys(self._problems)
        return sorted(unique, key=lambda problem: problem.position or _NOWHERE)


_NOWHERE = Position("")


def name_hint(wrong: str, known: Iterable[str], what: str = "known") -> str:
    """What may have been meant by a name that does not exist, and what there is."""
    names = list(dict.fromkeys(known))
    if not names:
        return ""
    near = difflib.get_close_matches(wrong, names, n=1) or difflib.get_close_matches(
        wrong.lower(), [name for name in names if name == name.lower()], n=1
    )
    meant = f"did you mean '{near[0]}'? " if near else ""
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return f"{meant}{what}: {', '.join(names[:_MOST_NAMES])}{more}"
