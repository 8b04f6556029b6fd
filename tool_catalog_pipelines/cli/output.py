"""What commands print: problems, tables, JSON, phases with their duration.

Whatever is printed may come from strangers: none of it is read as markup, and what a terminal would
act on is shown as an escape (harmless.py). Does not belong here: what a command does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tool_catalog_pipelines.cli.harmless import harmless, harmless_json, one_line
from tool_catalog_pipelines.cli.layout import block_lines, table_lines
from tool_catalog_pipelines.errors import Problem, TerminalError


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

    def table(
        self, title: str, rows: Sequence[Mapping[str, Any]], one_field_a_line: bool = False
    ) -> None:
        """Rows as a table with the keys of the first row as columns; see layout.py.

        With `one_field_a_line` a terminal shows blocks, because values are long texts.
        """
        if not rows:
            return
        if title:
            self.out.print(harmless(title), style="bold")
        width = self.out.width if self.out.is_terminal else None
        if one_field_a_line and width is not None:
            for row in rows:
                name, *fields = block_lines(row, width, one_each=True)
                self.out.print(name, style="bold")
                self.out.print("\n".join(fields))
        else:
            self.out.print("\n".join(table_lines(rows, width)))

    @contextmanager
    def counted(self, name: str) -> Generator[Callable[[int, int, str], None]]:
        """As `phase`, for work of which parts are counted; silent if there were none to count."""
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
            is_idle = True

            def advance(done: int, size: int, what: str) -> None:
                nonlocal is_idle
                is_idle = False
                progress.update(part, completed=done, total=size, description=one_line(what)[:60])

            yield advance
        if not is_idle:
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


def counted_noun(count: int, noun: str) -> str:
    """`1 tool`, `2 tools`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


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
    return Console(
        file=_terminal(sys.stderr if is_error else sys.stdout),
        stderr=is_error,
        highlight=False,
        soft_wrap=True,
        markup=False,
        emoji=False,
    )


def _terminal(stream: TextIO) -> TextIO | None:
    """The terminal behind a stream, of its own: a run captures the stream itself for its log."""
    if not stream.isatty():
        return None
    return os.fdopen(
        os.dup(stream.fileno()), "w", encoding=stream.encoding, errors="backslashreplace"
    )


def _json_text(document: Mapping[str, Any]) -> str:
    """The document in one line; letters stay readable where the output can carry them."""
    text = harmless_json(json.dumps(document, ensure_ascii=False, default=str))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, default=str)
    return text
