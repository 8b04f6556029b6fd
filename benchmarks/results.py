"""One measured figure, the table that people read and the file that programs read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Goal:
    """The most a figure may be: its ratio to what it is compared with, or its value."""

    figure: str
    at_most: float

    def __str__(self) -> str:
        return f"{self.figure} <= {self.at_most:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """A median over repetitions.

    Attributes:
        name: what was measured.
        value: the median, in `unit`.
        unit: of `value`.
        compared_with: name of the figure of the same run that `ratio` divides by.
        ratio: `value` divided by that figure.
        goal: what it should be, if there is a goal.
    """

    name: str
    value: float
    unit: str
    compared_with: str | None = None
    ratio: float | None = None
    goal: Goal | None = None

    @property
    def is_missed(self) -> bool:
        """Whether there is a goal and it was not reached."""
        if self.goal is None:
            return False
        figure = self.ratio if self.goal.figure == "ratio" else self.value
        return figure is None or figure > self.goal.at_most


def show(results: Sequence[Result]) -> None:
    """Print the table."""
    table = Table("measurement", "median", "compared with", "ratio", "goal", "")
    for result in results:
        table.add_row(
            result.name,
            f"{result.value:.2f} {result.unit}",
            result.compared_with or "",
            "" if result.ratio is None else f"{result.ratio:.2f}",
            str(result.goal or ""),
            "" if result.goal is None else ("MISSED" if result.is_missed else "met"),
        )
    Console(width=120).print(table)


def write(results: Sequence[Result], path: Path = LATEST) -> None:
    """Write the list of results as JSON, replacing the last one."""
    rows = [_as_row(result) for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _as_row(result: Result) -> dict[str, str | float | None]:
    return {
        "name": result.name,
        "value": round(result.value, 4),
        "unit": result.unit,
        "compared_with": result.compared_with,
        "ratio": None if result.ratio is None else round(result.ratio, 4),
        "goal": None if result.goal is None else str(result.goal),
    }
