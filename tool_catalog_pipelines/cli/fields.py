"""Reading the keys of a document that a program sent: types checked, every problem at once.

Does not belong here: what the values mean, and reading JSON (batch.py).
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Mapping
from typing import Any, cast

from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.selection.context import is_number

BAD_REQUEST = "bad_request"
"""The code of everything that is wrong with a request before it is carried out."""
_LONGEST = 80


class Fields:
    """The keys of one object; null counts as left out."""

    def __init__(self, document: Mapping[str, Any], known: tuple[str, ...] | None = None) -> None:
        """Take a document; with `known` every other key is a problem."""
        self._document = document
        self._problems: list[Problem] = []
        for key in document if known is not None else ():
            if key not in (known or ()):
                near = difflib.get_close_matches(key, known or (), n=1) or known or ()
                hint = f"known: {', '.join(near)}"
                self.add(f"there is no key {shown(key)}", hint)

    def add(self, message: str, hint: str = "") -> None:
        """Note a problem."""
        self._problems.append(Problem(message, hint=hint, code=BAD_REQUEST))

    def check(self) -> None:
        """Refuse the document if anything is wrong with it.

        Raises:
            InvalidInputError: with every problem.
        """
        if self._problems:
            raise InvalidInputError(self._problems)

    def text(self, key: str, default: str | None = None) -> str | None:
        """A text."""
        value = self._document.get(key)
        if value is None or isinstance(value, str):
            return default if value is None else value
        self.add(f"{key} is {shown(value)}", "write a text")
        return default

    def number(self, key: str) -> float | None:
        """A finite number."""
        value = self._document.get(key)
        if value is None or is_number(value):
            return None if value is None else float(value)
        self.add(f"{key} is {shown(value)}", "write a finite number")
        return None

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._document.get(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.add(f"{key} is {shown(value)}", "write true or false")
        return default

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts; one text counts as a list of one."""
        value = self._document.get(key)
        if value is None:
            return None
        values = cast("list[Any]", value if isinstance(value, list) else [value])
        if all(isinstance(one, str) for one in values):
            return tuple(values)
        self.add(f"{key} is {shown(cast('object', value))}", "write a list of texts")
        return None

    def mapping(self, key: str) -> dict[str, Any] | None:
        """An object."""
        value = self._document.get(key)
        if value is None or isinstance(value, dict):
            return cast("dict[str, Any] | None", value)
        self.add(f"{key} is {shown(value)}", 'write {"key": value}')
        return None


def shown(value: object) -> str:
    """A value in a message, cut short: a request may be megabytes long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = _LONGEST
    return short.repr(value)
