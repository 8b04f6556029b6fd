"""Reloads of every process of an installation, in a file of bounded size, one JSON object a line.

A line is appended with one write, so that processes do not mix theirs. Does not belong here:
counting (reloads.py), following (live.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from tool_catalog_pipelines.catalog.reloads import Reload, ReloadHistory

MAX_BYTES = 1_000_000
"""A file that is larger becomes the older of two; the one before it is forgotten."""


@dataclass(frozen=True, slots=True)
class LoggedReload:
    """A reload and the process that made it."""

    process: int
    reload: Reload


class ReloadLog:
    """The file of one installation. What cannot be written is left out: nothing depends on it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older = path.with_suffix(".older.jsonl")

    def add(self, reload: Reload) -> None:
        """Append one reload."""
        document = {"process": os.getpid(), **asdict(reload), "at": reload.at.isoformat()}
        line = json.dumps(document, ensure_ascii=False) + "\n"
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
                self._path.replace(self._older)
            with self._path.open("ab", buffering=0) as file:
                file.write(line.encode())

    def newest(self, limit: int) -> tuple[LoggedReload, ...]:
        """The newest reloads, newest first."""
        found = [*_read(self._older), *_read(self._path)]
        return tuple(sorted(found, key=lambda one: one.reload.at, reverse=True)[:limit])


def counted(logged: Iterable[LoggedReload]) -> ReloadHistory:
    """The same reloads as one history, for its statistics."""
    history = ReloadHistory()
    for one in logged:
        history.add(one.reload)
    return history


def _read(path: Path) -> Iterator[LoggedReload]:
    """The lines that are whole; a process may have died while it wrote one."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            document = cast("dict[str, Any]", json.loads(line))
            process = int(document.pop("process"))
            at = datetime.fromisoformat(document.pop("at"))
            yield LoggedReload(process, Reload(at=at, **document))
