"""Functions that read files: the profile of a CSV file, the checksums of a folder.

Files are read in pieces and what is kept is bounded. Does not belong here: writing files.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.execution.cancellation import is_cancelled
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext

MAX_COLUMNS = 1000
MAX_DISTINCT = 1000
"""Up to so many different values of a column are counted; more are reported as this number."""
CANCEL_EVERY_ROWS = 10_000
_CHUNK_BYTES = 1_048_576


@dataclass(slots=True)
class _Column:
    """What is known of a column so far."""

    name: str
    filled: int = 0
    integers: int = 0
    numbers: int = 0
    smallest: float | None = None
    largest: float | None = None
    values: set[str] = field(default_factory=set[str])

    def add(self, text: str) -> None:
        if not text:
            return
        self.filled += 1
        if len(self.values) < MAX_DISTINCT:
            self.values.add(text)
        number = _number(text)
        if number is None:
            return
        self.numbers += 1
        self.integers += text.strip().lstrip("+-").isdecimal()
        self.smallest = number if self.smallest is None else min(self.smallest, number)
        self.largest = number if self.largest is None else max(self.largest, number)

    def report(self, rows: int) -> dict[str, Any]:
        is_numeric = self.filled > 0 and self.numbers == self.filled
        kind = "empty" if not self.filled else "number" if is_numeric else "text"
        return {
            "name": self.name,
            "kind": "integer" if is_numeric and self.integers == self.filled else kind,
            "filled": self.filled,
            "empty": rows - self.filled,
            "distinct": len(self.values),
            "smallest": self.smallest if is_numeric else None,
            "largest": self.largest if is_numeric else None,
        }


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None  # false for inf and for nan


def csv_profile(
    context: FunctionContext, path: str, delimiter: str = ",", max_rows: int = 1_000_000
) -> dict[str, Any]:
    """Kind, emptiness, range and number of different values of each column of a CSV file.

    The first line names the columns. Rows with more or fewer fields are counted as uneven.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return _profile(csv.reader(file, delimiter=delimiter), max_rows, context.step)
    except (csv.Error, UnicodeDecodeError) as error:
        raise AttemptError("InputError", f"{path} cannot be read as CSV: {error}") from error


def _profile(lines: Iterator[list[str]], max_rows: int, step: str) -> dict[str, Any]:
    columns = [_Column(name) for name in next(lines, list[str]())]
    if len(columns) > MAX_COLUMNS:
        message = f"{len(columns)} columns, but the limit is {MAX_COLUMNS}"
        raise AttemptError("InputError", message)
    rows = uneven = 0
    is_complete = True
    for fields in lines:
        if rows == max_rows:
            is_complete = False
            break
        if rows % CANCEL_EVERY_ROWS == 0:
            _stop_if_cancelled(step)
        rows += 1
        uneven += len(fields) != len(columns)
        for column, text in zip(columns, fields, strict=False):
            column.add(text)
    return {
        "rows": rows,
        "uneven_rows": uneven,
        "is_complete": is_complete,
        "columns": [column.report(rows) for column in columns],
    }


def checksum_manifest(
    context: FunctionContext,
    folder: str,
    baseline: Sequence[Mapping[str, Any]] | None = None,
    max_files: int = 10_000,
    max_mib: int = 1024,
) -> dict[str, Any]:
    """SHA-256 and size of every regular file below a folder, and what differs from a baseline.

    Links are not followed. `baseline` is the list of files that an earlier call gave; without it
    nothing is added, removed or changed.
    """
    root = Path(folder)
    if not root.is_dir():
        raise AttemptError("InputError", f"{folder} is no folder")
    files: list[dict[str, Any]] = []
    unreadable: list[str] = []
    total = 0
    for path in _regular_files(root):
        _stop_if_cancelled(context.step)
        name = path.relative_to(root).as_posix()
        try:
            size = path.stat().st_size
            _check_limits(len(files) + 1, total + size, max_files, max_mib)
            files.append({"path": name, "bytes": size, "sha256": _digest(path)})
            total += size
        except OSError:
            unreadable.append(name)
    changes = _changes(files, files if baseline is None else baseline)
    return {"files": files, "total_bytes": total, "unreadable": unreadable, "changes": changes}


def _regular_files(root: Path) -> Iterator[Path]:
    """All regular files in a fixed order, without following links."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        paths = (Path(folder, name) for name in sorted(names))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _check_limits(count: int, total: int, max_files: int, max_mib: int) -> None:
    if count > max_files:
        message = f"more than {max_files} files; raise max_files or choose a smaller folder"
        raise AttemptError("InputError", message)
    if total > max_mib * 1_048_576:
        message = f"more than {max_mib} MiB; raise max_mib or choose a smaller folder"
        raise AttemptError("InputError", message)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _changes(
    files: Sequence[Mapping[str, Any]], baseline: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    now = {str(file["path"]): file["sha256"] for file in files}
    before = {str(file.get("path")): file.get("sha256") for file in baseline}
    return {
        "added": sorted(now.keys() - before.keys()),
        "removed": sorted(before.keys() - now.keys()),
        "changed": sorted(name for name in now.keys() & before.keys() if now[name] != before[name]),
    }


def _stop_if_cancelled(step: str) -> None:
    if is_cancelled():
        message = f"step {step} was stopped with its run"
        raise AttemptError("Cancelled", message, status="cancelled")
