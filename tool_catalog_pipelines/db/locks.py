"""Who uses the embedded server: locked files in `<home>/run/`, freed by the kernel at any death.

Belongs here: the folder's layout, flock, registration of holders. Does not belong here: starting
or stopping anything.

A holder is a file in `holders/` that its process keeps locked. The gate is held for moments only:
while a holder registers, and while the supervisor decides that nobody is left; so a server is
never stopped under somebody who has just arrived.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`<home>/run/`: everything that exists only while a server runs."""

    path: Path

    @property
    def holders(self) -> Path:
        """One locked file per user of the server."""
        return self.path / "holders"

    @property
    def gate(self) -> Path:
        """Held while a holder registers or the supervisor decides to stop."""
        return self.path / "gate.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor for all its life."""
        return self.path / "supervisor.lock"

    @property
    def failure(self) -> Path:
        """Why the last supervisor could not start the server."""
        return self.path / "failure.txt"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor did."""
        return self.path / "supervisor.log"

    @property
    def server_log(self) -> Path:
        """What PostgreSQL said."""
        return self.path / "postgres.log"

    def logs_tail(self, lines: int = 15) -> str:
        """The last lines of both logs, for an error message."""
        parts: list[str] = []
        for log in (self.server_log, self.supervisor_log):
            if log.exists():
                text = log.read_text(errors="replace").splitlines()[-lines:]
                parts.append("\n".join([f"-- end of {log}", *text]))
        return "\n".join(parts)

    def live_holders(self) -> int:
        """How many holders live; files of dead ones are removed. Call it with the gate held."""
        live = 0
        for file in self.holders.iterdir():
            descriptor = try_lock(file)
            if descriptor is None:
                live += 1
            else:
                file.unlink(missing_ok=True)
                os.close(descriptor)
        return live


@dataclass(frozen=True, slots=True)
class Holder:
    """The right to use the server, until `release` or the end of the process."""

    file: Path
    descriptor: int

    def release(self) -> None:
        """Give the right back."""
        self.file.unlink(missing_ok=True)
        os.close(self.descriptor)


def register_holder(run: RunFolder) -> Holder:
    """Become a holder. Call it with the gate held."""
    file = run.holders / f"{os.getpid()}-{uuid.uuid4().hex}.lock"
    descriptor = try_lock(file)
    if descriptor is None:  # pragma: no cover - the name is unique
        raise AssertionError(f"{file} is locked by somebody else")
    return Holder(file, descriptor)


def try_lock(path: Path) -> int | None:
    """An open descriptor that holds the lock on this file, or None if somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock on this file."""
    if not path.exists():
        return False
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


@contextmanager
def locked(path: Path, timeout_s: float) -> Generator[None]:
    """Hold the lock on a file.

    Raises:
        TimeoutError: somebody else held it for longer than `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{path} was held by another process for {timeout_s:.0f} s")
        time.sleep(_POLL_S)
    with closing_descriptor(descriptor):
        yield


@contextmanager
def closing_descriptor(descriptor: int) -> Generator[None]:
    """Close a descriptor at the end; the lock lives on in a process that inherited it."""
    try:
        yield
    finally:
        os.close(descriptor)
