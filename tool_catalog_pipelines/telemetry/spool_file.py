"""One spool file: lines of JSON that one process appends and whoever holds its lock delivers.

Belongs here: the file's life, its lock, appending and reading. Does not belong here: what a line
means (lines.py), where facts go (delivery.py).

A line is one `write`: it survives the death of the process (SIGKILL included) as soon as `append`
returns. There is no fsync per fact, which would cost milliseconds: a power cut or a crash of the
operating system may lose what was written in its last seconds.
"""

from __future__ import annotations

import fcntl
import logging
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from tool_catalog_pipelines.errors import EnvironmentUnfitError

SUFFIX = ".jsonl"
_CHUNK_BYTES = 1_000_000
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines from a file, without the bytes behind `end`, where the next ones begin."""

    lines: tuple[bytes, ...]
    end: int


class SpoolFile:
    """An open, locked spool file. Not thread-safe: its owner guards it.

    The lock belongs to the open file and lives on in a child made by fork, so a child that
    outlives us delays the take-over of the file; it loses nothing.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path) -> SpoolFile:
        """A new, empty file of this process.

        Raises:
            EnvironmentUnfitError: the folder cannot be written to.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                path = folder / f"{os.getpid()}-{uuid.uuid4().hex}{SUFFIX}"
                file = cls(path, os.open(path, flags, 0o600))
                fcntl.flock(file._descriptor, fcntl.LOCK_EX)
                # Before it was locked, it may have been taken for an empty file of a dead process.
                if file._is_in_place():
                    return file
                file.close()
        except OSError as error:
            hint = "choose another TOOL_CATALOG_HOME, or make the folder writable"
            raise EnvironmentUnfitError.one(f"cannot spool facts: {error}", hint) from error

    @classmethod
    def take_over(cls, path: Path) -> SpoolFile | None:
        """The file of a dead process; None while its owner lives or if somebody was faster."""
        try:
            file = cls(path, os.open(path, os.O_RDWR | os.O_APPEND))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            _logger.warning("a spool file of another user is left alone: %s", error)
            return None
        try:
            fcntl.flock(file._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if not file._is_in_place():
            file.close()
            return None
        return file

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._descriptor).st_size

    def append(self, line: bytes) -> None:
        """Write one line, which must end with a newline.

        Raises:
            OSError: it was not written (a full disk); the file is as it was.
        """
        written = os.write(self._descriptor, line)
        if written < len(line):
            os.ftruncate(self._descriptor, self.size - written)
            raise OSError(f"{self.path}: only {written} of {len(line)} bytes were written")

    def read(self, start: int, end: int, most: int) -> Lines:
        """At most `most` lines between two offsets; a last line without its end counts as one."""
        length = _CHUNK_BYTES
        while True:
            chunk = os.pread(self._descriptor, min(length, end - start), start)
            is_all = start + len(chunk) >= end or not chunk
            if is_all or b"\n" in chunk:
                break
            length *= 2  # a line longer than the chunk
        found = chunk.splitlines(keepends=True)[:most] if is_all else _whole_lines(chunk)[:most]
        return Lines(tuple(found), start + sum(map(len, found)))

    def clear(self) -> None:
        """Drop all lines."""
        os.ftruncate(self._descriptor, 0)

    def remove(self) -> None:
        """Remove the file, then give the lock up."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Give the lock up and leave the file to others."""
        os.close(self._descriptor)

    def _is_in_place(self) -> bool:
        """Whether the path still leads to this file."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _whole_lines(chunk: bytes) -> list[bytes]:
    """The lines of a chunk that end in it."""
    return chunk[: chunk.rindex(b"\n") + 1].splitlines(keepends=True)
