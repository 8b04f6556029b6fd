"""The errors of the whole package: one root, split into what may be retried and what may not.

Belongs here: error classes and the `Problem` they carry. Does not belong here: formatting for a
terminal (cli/), translation to Dagster failures (orchestration/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file that a person wrote; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input: what, where, and what to do about it."""

    message: str
    position: Position | None = None
    hint: str = ""
    code: str = "invalid"

    def __str__(self) -> str:
        where = f"{self.position}: " if self.position else ""
        what_to_do = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{what_to_do}"


class ToolCatalogError(Exception):
    """Root of every error that this package raises on purpose."""


class TransientError(ToolCatalogError):
    """The same call may succeed later: a server is away, a lock is taken, a time limit was hit."""


class TerminalError(ToolCatalogError):
    """The same call will fail again until somebody changes something."""


class InvalidInputError(TerminalError):
    """What a person wrote or passed in is wrong; carries every problem, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def one(cls, message: str, hint: str = "", position: Position | None = None) -> Self:
        """An error with a single problem."""
        return cls([Problem(message, position, hint)])


class NotFoundError(InvalidInputError):
    """A tool, chain, version or experiment that was named does not exist."""


class ConflictError(TerminalError):
    """Somebody else changed the same thing first; nothing was written."""


class EnvironmentUnfitError(InvalidInputError):
    """This machine or folder cannot hold the installation; the hint names the ways out."""


class DatabaseUnavailableError(TransientError):
    """PostgreSQL cannot be reached right now."""
