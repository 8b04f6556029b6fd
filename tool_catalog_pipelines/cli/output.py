"""What commands print: problems, tables, JSON, phases with their duration.

Does not belong here: what a command does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from tool_catalog_pipelines.errors import Problem, TerminalError

_FILE_WIDTH = 160
"""Characters of a line where no terminal says how many there are."""


class Screen:
    """Standard output for results, standard error for everything said along the way."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        width = None if sys.stdout.isatty() else _FILE_WIDTH
        self.out = Console(highlight=False, soft_wrap=True, width=width)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """One line for people; goes to standard error where a program reads standard output."""
        (self.err if self.as_json else self.out).print(text, style=style or None, markup=False)

    def result(self, document: Mapping[str, Any], text: str = "") -> None:
        """The result: the document as JSON, or the text for people."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
        elif text:
            self.out.print(text, markup=False)

    def problems(self, problems: Sequence[Problem]) -> None:
        """Every problem: where, what, what to do."""
        for problem in problems:
            where = f"{problem.position}: " if problem.position else ""
            self.err.print(f"{where}{problem.message}", style="red", markup=False)
            if problem.hint:
                self.err.print(f"    {problem.hint}", markup=False)

    def table(self, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows as a table with the keys of the first row as columns."""
        if not rows:
            return
        table = Table(
            title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
        )
        for place, (name, value) in enumerate(rows[0].items()):
            justify = "right" if isinstance(value, int | float) else "left"
            # The first column names the row; cut, it would name nothing.
            table.add_column(name, justify=justify, no_wrap=place == 0, overflow="fold")
        for row in rows:
            table.add_row(*[_cell(value) for value in row.values()])
        self.out.print(table)

    @contextmanager
    def counted(self, name: str) -> Generator[Callable[[int, int, str], None]]:
        """As `phase`, for work of which parts are counted: a bar with what is being done."""
        console = self.err if self.as_json else self.out
        started = time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            part = progress.add_task(name, total=None)

            def advance(done: int, size: int, what: str) -> None:
                progress.update(part, completed=done, total=size, description=what[:60])

            yield advance
        console.print(f"- {name} ... {time.monotonic() - started:.1f} s", markup=False)

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Say the name of a piece of work, the elapsed time past five seconds, and its end."""
        started = time.monotonic()
        console = self.err if self.as_json else self.out
        if not console.is_terminal:
            yield
            console.print(f"- {name} ... {time.monotonic() - started:.1f} s", markup=False)
            return
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as progress:
            progress.add_task(name, total=None)
            yield
        console.print(f"- {name} ... {time.monotonic() - started:.1f} s", markup=False)


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines, each as it comes; returns how many.

    Raises:
        TerminalError: the file cannot be written.
    """
    count = 0
    try:
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                count += 1
    except OSError as error:
        raise TerminalError(f"{path} cannot be written: {error.strerror or error}") from None
    return count


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
