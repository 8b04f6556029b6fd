"""What an import says about every file: for people and, as JSON, for programs.

Does not belong here: importing (importer.py), printing (cli/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tool_catalog_pipelines.catalog.formats.draft import Coerced
from tool_catalog_pipelines.catalog.saving import Saved
from tool_catalog_pipelines.errors import Problem


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one thing of one file."""

    file: str
    label: str
    outcome: str
    note: str = ""
    format: str = "tool"

    def to_json(self) -> dict[str, Any]:
        """The line for programs."""
        return {
            "file": self.file,
            "what": self.label,
            "format": self.format,
            "outcome": self.outcome,
            "note": self.note,
        }


@dataclass(slots=True)
class ImportReport:
    """Every file's outcome. `conflicts` are decided by rule and need a look."""

    is_dry_run: bool = False
    imported: list[Line] = field(default_factory=list[Line])
    unchanged: list[Line] = field(default_factory=list[Line])
    conflicts: list[Line] = field(default_factory=list[Line])
    refused: dict[str, list[Problem]] = field(default_factory=dict[str, list[Problem]])
    coerced: dict[str, list[Coerced]] = field(default_factory=dict[str, list[Coerced]])

    def add(self, file: str, saved: Saved, format_name: str) -> None:
        """Note something that was handed to the catalogue."""
        line = Line(file, saved.label, saved.outcome, saved.note, format_name)
        if saved.note:
            self.conflicts.append(line)
        if saved.outcome == "unchanged":
            self.unchanged.append(line)
        elif saved.outcome != "conflict":
            self.imported.append(line)

    def refuse(self, file: str, problems: Iterable[Problem]) -> None:
        """Note what is wrong with a file, or with one thing in it."""
        self.refused.setdefault(file, []).extend(problems)

    def coerce(self, file: str, coerced: Iterable[Coerced]) -> None:
        """Note values that were not taken as written."""
        found = list(coerced)
        if found:
            self.coerced.setdefault(file, []).extend(found)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, file by file."""
        return tuple(problem for problems in self.refused.values() for problem in problems)

    def to_json(self) -> Mapping[str, Any]:
        """The report for programs; the keys are stable."""
        return {
            "dry_run": self.is_dry_run,
            "imported": [line.to_json() for line in self.imported],
            "unchanged": [line.to_json() for line in self.unchanged],
            "conflicts": [line.to_json() for line in self.conflicts],
            "refused": [
                {"file": file, "problems": [_problem(problem) for problem in problems]}
                for file, problems in self.refused.items()
            ],
            "coerced": [
                {"file": file, "values": [_coerced(value) for value in values]}
                for file, values in self.coerced.items()
            ],
        }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        **_position(problem),
        "message": problem.message,
        "hint": problem.hint,
        "code": problem.code,
    }


def _coerced(value: Coerced) -> dict[str, Any]:
    return {
        **_position(value),
        "field": value.field,
        "given": value.given,
        "became": value.became,
        "why": value.why,
    }


def _position(placed: Problem | Coerced) -> dict[str, int | None]:
    position = placed.position
    return {
        "line": position.line if position else None,
        "column": position.column if position else None,
    }
