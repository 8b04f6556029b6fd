"""The error of everything that is parsed or evaluated here."""

from __future__ import annotations

from typing import Literal

from tool_catalog_pipelines.errors import TerminalError

Code = Literal["syntax", "limit", "unknown_name", "wrong_kind", "no_value"]


class ExpressionError(TerminalError):
    """An expression, condition or path that cannot be read or has no value.

    Attributes:
        message: what is wrong.
        column: place in the text, counted from 1.
        hint: what to do about it.
        code: the kind of fault, for programs.
    """

    def __init__(
        self, message: str, column: int = 1, hint: str = "", code: Code = "syntax"
    ) -> None:
        self.message = message
        self.column = column
        self.hint = hint
        self.code: Code = code
        super().__init__(f"{message} (column {column})" + (f"; {hint}" if hint else ""))
