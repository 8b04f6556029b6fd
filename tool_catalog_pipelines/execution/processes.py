"""Running one command: bounded output, time limit, cancellation, its whole process group ended.

Does not belong here: what the output means (parsing.py) and what it is recorded as (attempt.py).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from tool_catalog_pipelines.execution.cancellation import is_cancelled

POLL_S = 0.05
GRACE_S = 2.0
STDERR_KEPT_BYTES = 65_536
SPILL_LIMIT_BYTES = 268_435_456
_CHUNK = 65_536

Ending = Literal["exit", "timeout", "cancelled", "flood"]


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `spill_path` takes the output where it does not fit in memory."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None
    stdin: bytes | None
    timeout_s: float
    max_output_bytes: int
    spill_path: Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. `exit_code` is negative for a signal, as in subprocess."""

    ending: Ending
    exit_code: int
    stdout: bytes
    stderr: bytes
    output_bytes: int
    spilled_to: Path | None
    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(slots=True)
class _Output:
    """Standard output so far: in memory up to the limit, then in the spill file."""

    command: Command
    memory: bytearray = field(default_factory=bytearray)
    total: int = 0
    spill: IO[bytes] | None = None

    def add(self, chunk: bytes) -> None:
        self.total += len(chunk)
        if self.spill is None and self.total > self.command.max_output_bytes:
            self.command.spill_path.parent.mkdir(parents=True, exist_ok=True)
            self.spill = self.command.spill_path.open("wb")
            self.spill.write(self.memory)
            self.memory.clear()
        if self.spill is None:
            self.memory += chunk
        elif self.total <= SPILL_LIMIT_BYTES:
            self.spill.write(chunk)

    def close(self) -> Path | None:
        if self.spill is None:
            return None
        self.spill.close()
        return self.command.spill_path


def run(command: Command) -> Ended:
    """Run a command to its end; whatever happens, nothing of its group keeps running.

    Raises:
        OSError: the program cannot be started.
    """
    process = subprocess.Popen(
        list(command.argv),
        stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(command.env),
        cwd=command.cwd,
        start_new_session=True,
    )
    output = _Output(command)
    stderr = bytearray()
    try:
        ending = _attend(process, command, output, stderr)
    except BaseException:
        _kill_group(process)
        _reap(process)
        raise
    finally:
        spilled_to = output.close()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
    exit_code, usage = _finish(process, ending)
    return Ended(
        ending=ending,
        exit_code=exit_code,
        stdout=bytes(output.memory),
        stderr=bytes(stderr),
        output_bytes=output.total,
        spilled_to=spilled_to,
        cpu_seconds=usage[0],
        peak_memory_bytes=usage[1],
    )


def _attend(
    process: subprocess.Popen[bytes], command: Command, output: _Output, stderr: bytearray
) -> Ending:
    """Move bytes until the program has ended, the time is up or somebody cancels."""
    with selectors.DefaultSelector() as selector:
        _register(selector, process)
        # Wakes us the moment the program ends, also when its pipes were closed before.
        exit_signal = os.pidfd_open(process.pid)
        selector.register(exit_signal, selectors.EVENT_READ, "exit")
        try:
            return _until_ended(process, command, output, stderr, selector)
        finally:
            os.close(exit_signal)


def _until_ended(
    process: subprocess.Popen[bytes],
    command: Command,
    output: _Output,
    stderr: bytearray,
    selector: selectors.BaseSelector,
) -> Ending:
    deadline = time.monotonic() + command.timeout_s
    to_write = memoryview(command.stdin or b"")
    while True:
        if is_cancelled():
            return "cancelled"
        left = deadline - time.monotonic()
        if left <= 0:
            return "timeout"
        if output.total > SPILL_LIMIT_BYTES:
            return "flood"
        for key, _ in selector.select(min(POLL_S, left)):
            if key.data == "stdin":
                to_write = _write(selector, process, to_write)
            elif key.data != "exit":
                _read(selector, key, output, stderr)
        if _has_exited(process):
            # Pipes may be held open by a grandchild: take what is there and go.
            _drain(selector, output, stderr)
            return "exit"


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Look without reaping, so that wait4 can still tell what the program used."""
    result = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return result is not None


def _register(selector: selectors.BaseSelector, process: subprocess.Popen[bytes]) -> None:
    for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, name)
    if process.stdin is not None:
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE, "stdin")


def _write(
    selector: selectors.BaseSelector, process: subprocess.Popen[bytes], to_write: memoryview
) -> memoryview:
    if process.stdin is None:
        return to_write
    try:
        to_write = to_write[os.write(process.stdin.fileno(), to_write[:_CHUNK]) :]
    except BlockingIOError:
        return to_write
    except BrokenPipeError:
        to_write = to_write[len(to_write) :]
    if not to_write:
        selector.unregister(process.stdin)
        process.stdin.close()
    return to_write


def _read(
    selector: selectors.BaseSelector,
    key: selectors.SelectorKey,
    output: _Output,
    stderr: bytearray,
) -> bool:
    """Read one chunk; False at the end of the stream or when nothing is there."""
    try:
        chunk = os.read(key.fd, _CHUNK)
    except BlockingIOError:
        return False
    if not chunk:
        selector.unregister(key.fileobj)
        return False
    if key.data == "stdout":
        output.add(chunk)
    else:
        stderr += chunk
        del stderr[:-STDERR_KEPT_BYTES]
    return True


def _drain(selector: selectors.BaseSelector, output: _Output, stderr: bytearray) -> None:
    keys = [key for key in selector.get_map().values() if key.data in ("stdout", "stderr")]
    for key in keys:
        while output.total <= SPILL_LIMIT_BYTES and _read(selector, key, output, stderr):
            pass


def _finish(process: subprocess.Popen[bytes], ending: Ending) -> tuple[int, tuple[float, int]]:
    if ending != "exit":
        _end_group(process)
    _kill_group(process)
    return _reap(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, then wait for the program within a grace period."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and not _has_exited(process):
        time.sleep(0.01)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _reap(process: subprocess.Popen[bytes]) -> tuple[int, tuple[float, int]]:
    """Exit code, processor seconds and peak memory of the program and its waited-for children."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, (usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
