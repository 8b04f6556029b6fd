"""The spool: facts on disk until PostgreSQL has confirmed them.

One append-only file of JSON lines per process, locked while its process lives. A fact survives
the death of the process as soon as `append` returns; it is not fsynced one by one, so a power cut
may lose the last moments.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.facts import Execution

BATCH = 500
Write = Callable[[Sequence[Execution]], int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts read from a spool file, and the offset behind them."""

    facts: tuple[Execution, ...]
    lines: tuple[bytes, ...]
    end: int


class SpoolFile:
    """The spool file of this process. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self._file = self._path.open("ab", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._guard = threading.Lock()
        self._written = 0
        self._confirmed = 0

    def append(self, fact: Execution) -> None:
        """Write one fact with a single call, so that no other line can be mixed into it."""
        line = json.dumps(fact.to_json(), ensure_ascii=False).encode() + b"\n"
        with self._guard:
            self._file.write(line)
            self._written += len(line)

    def has_unconfirmed(self) -> bool:
        """True if a fact still waits."""
        with self._guard:
            return self._confirmed < self._written

    def deliver(self, write: Write) -> int:
        """Write one batch of waiting facts; raises what `write` raises and keeps them then."""
        batch = read_batch(self._path, self._confirmed)
        if not batch.lines:
            return 0
        _write_batch(batch, write, self._path.parent)
        with self._guard:
            self._confirmed = batch.end
            if self._confirmed == self._written:
                # All delivered: begin anew, so that the file stays small.
                self._file.truncate(0)
                self._confirmed = self._written = 0
        return len(batch.facts)

    def close(self) -> None:
        """Close the file, and remove it if nothing waits in it."""
        if not self.has_unconfirmed():
            self._path.unlink(missing_ok=True)
        self._file.close()


def deliver_spool(folder: Path, write: Write) -> int:
    """Deliver what dead processes left; returns how many facts.

    Facts stay where they are if PostgreSQL is away.
    """
    delivered = 0
    for path in sorted(folder.glob("*.jsonl")):
        with _taken_over(path) as file:
            if file is None:
                continue
            with contextlib.suppress(DatabaseUnavailableError):
                delivered += _deliver_all(path, write)
                path.unlink(missing_ok=True)
    return delivered


def read_batch(path: Path, start: int) -> Batch:
    """Up to BATCH facts from an offset; a torn last line is left for later."""
    facts: list[Execution] = []
    lines: list[bytes] = []
    end = start
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n") or len(lines) == BATCH:
                break
            end += len(line)
            lines.append(line)
            fact = _fact(line)
            if fact is None:
                _reject(path.parent, line, "not a fact")
            else:
                facts.append(fact)
    return Batch(tuple(facts), tuple(lines), end)


def _fact(line: bytes) -> Execution | None:
    try:
        return Execution.from_json(json.loads(line))
    except (ValueError, TypeError, KeyError):
        return None


@contextmanager
def _taken_over(path: Path) -> Generator[IO[bytes] | None]:
    """The file under its lock; None while its owner lives or when somebody else was faster."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file if path.exists() else None


def _deliver_all(path: Path, write: Write) -> int:
    start = delivered = 0
    while (batch := read_batch(path, start)).lines:
        _write_batch(batch, write, path.parent)
        delivered += len(batch.facts)
        start = batch.end
    return delivered


def _write_batch(batch: Batch, write: Write, folder: Path) -> None:
    """Write a batch; a fact that the table refuses is set aside and does not block the others."""
    if not batch.facts:
        return
    try:
        write(batch.facts)
    except DatabaseUnavailableError:
        raise
    except Exception:  # one of them is refused: find out which
        for fact in batch.facts:
            _write_one(fact, write, folder)


def _write_one(fact: Execution, write: Write, folder: Path) -> None:
    try:
        write([fact])
    except DatabaseUnavailableError:
        raise
    except Exception as error:  # whatever the table says is the reason it is kept with
        line = json.dumps(fact.to_json(), ensure_ascii=False).encode() + b"\n"
        _reject(folder, line, f"{type(error).__name__}: {error}"[:500])


def _reject(folder: Path, line: bytes, reason: str) -> None:
    """Keep a fact that cannot be stored, with the reason, where a person will find it."""
    rejected = folder / "rejected"
    rejected.mkdir(parents=True, exist_ok=True)
    text = line.decode("utf-8", "replace").rstrip("\n")
    with (rejected / "rejected.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"reason": reason, "line": text}, ensure_ascii=False) + "\n")
