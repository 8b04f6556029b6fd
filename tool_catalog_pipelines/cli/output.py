"""What commands print: problems, tables, JSON, phases with their duration.

Whatever is printed may come from strangers: none of it is read as markup, and what a terminal would
act on is shown as an escape (harmless.py). Does not belong here: what a command does.
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
from rich.text import Text

from tool_catalog_pipelines.cli.harmless import harmless, harmless_json, one_line
from tool_catalog_pipelines.errors import Problem, TerminalError

_FILE_WIDTH = 160
"""Characters of a line where no terminal says how many there are."""


class Screen:
    """Standard output for results, standard error for everything said along the way."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(is_error=False)
        self.err = _console(is_error=True)

    def say(self, text: str, style: str = "") -> None:
        """One line for people; goes to standard error where a program reads standard output."""
        (self.err if self.as_json else self.out).print(harmless(text), style=style or None)

    def result(self, document: Mapping[str, Any], text: str = "") -> None:
        """The result: the document as JSON, or the text for people."""
        if self.as_json:
            sys.stdout.write(_json_text(document) + "\n")
        elif text:
            self.out.print(harmless(text))

    def problems(self, problems: Sequence[Problem]) -> None:
        """Every problem: where, what, what to do."""
        for problem in problems:
            where = f"{one_line(str(problem.position))}: " if problem.position else ""
            self.err.print(f"{where}{harmless(problem.message)}", style="red")
            if problem.hint:
                self.err.print(f"    {harmless(problem.hint)}")

    def failure(self, text: str) -> None:
        """Why a command ends without having done its work."""
        self.err.print(f"tool-catalog: {harmless(text)}", style="red")

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
            table.add_row(*[Text(harmless(_cell(value))) for value in row.values()])
        self.out.print(table)

    @contextmanager
    def counted(self, name: str) -> Generator[Callable[[int, int, str], None]]:
        """As `phase`, for work of which parts are counted: a bar with what is being done."""
        console = self.err if self.as_json else self.out
        started = time.monotonic()
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            part = progress.add_task(name, total=None)

            def advance(done: int, size: int, what: str) -> None:
                progress.update(part, completed=done, total=size, description=one_line(what)[:60])

            yield advance
        console.print(f"- {name} ... {time.monotonic() - started:.1f} s")

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Say the name of a piece of work, the elapsed time past five seconds, and its end."""
        started = time.monotonic()
        console = self.err if self.as_json else self.out
        if not console.is_terminal:
            yield
            console.print(f"- {name} ... {time.monotonic() - started:.1f} s")
            return
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as progress:
            progress.add_task(name, total=None)
            yield
        console.print(f"- {name} ... {time.monotonic() - started:.1f} s")


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


def _console(is_error: bool) -> Console:
    width = None if is_error or sys.stdout.isatty() else _FILE_WIDTH
    return Console(
        stderr=is_error, width=width, highlight=False, soft_wrap=True, markup=False, emoji=False
    )


def _json_text(document: Mapping[str, Any]) -> str:
    """The document in one line; letters stay readable where the output can carry them."""
    text = harmless_json(json.dumps(document, ensure_ascii=False, default=str))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, default=str)
    return text


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
