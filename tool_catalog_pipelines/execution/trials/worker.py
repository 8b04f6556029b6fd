"""A process that runs cases one after another: reads them as JSON lines, writes results likewise.

It loads everything once and forks a child per case, so that a case costs a fork and not an
import. It has no threads and, as the reaper of its descendants, ends whatever a case leaves.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import psutil

from tool_catalog_pipelines.execution.trials.case import Case, Result
from tool_catalog_pipelines.execution.trials.child import (
    PREPARE_S,
    Verdict,
    limit_resources,
    verdict_on,
)

POLL_S = 0.02
MARGIN_S = 10.0
MAX_PROCESSES = 200
MAX_MEMORY_BYTES = 2 * 1024**3
MAX_DISK_BYTES = 512 * 1024**2
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_EVERY_S = 0.2


def main() -> None:
    """Work until standard input ends."""
    become_reaper()
    for line in sys.stdin:
        case = Case.model_validate_json(line)
        sys.stdout.write(run_case(case).model_dump_json() + "\n")
        sys.stdout.flush()


def become_reaper() -> None:
    """Orphans of a case become children of this process, wherever they hide (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_case(case: Case) -> Result:
    """Run one case in a child and folder of its own; afterwards neither is left."""
    folder = Path(tempfile.mkdtemp(prefix="trial-"))
    verdict = folder / "verdict"
    began = time.monotonic()
    try:
        child = os.fork()
        if child == 0:
            _be_the_child(case, folder, verdict)
        cut_off = _watch(child, case, folder)
        took_s = time.monotonic() - began
        if cut_off:
            return Result.of(case, "failed", cut_off, took_s)
        if not verdict.exists():
            return Result.of(case, "failed", "its process ended without a verdict", took_s)
        found = Verdict(**json.loads(verdict.read_text(encoding="utf-8")))
        ending = "failed" if found.failure else "passed"
        return Result.of(case, ending, found.failure, took_s, found.output)
    finally:
        _end_descendants()
        _remove(folder)


def _be_the_child(case: Case, folder: Path, verdict: Path) -> None:
    """Never returns: the child must not go on with its parent's work."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nothing, stream)
        limit_resources(case.example.timeout_s)
        found = verdict_on(case, folder)
        part = verdict.with_suffix(".part")
        part.write_text(json.dumps(asdict(found)), encoding="utf-8")
        part.rename(verdict)
    finally:
        os._exit(0)


def _watch(child: int, case: Case, folder: Path) -> str | None:
    """Wait for the child; why it had to be ended, or None."""
    prepares = PREPARE_S if case.example.prepare else 0.0
    deadline = time.monotonic() + case.example.timeout_s + prepares + MARGIN_S
    look_again = time.monotonic() + _LOOK_EVERY_S
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        now = time.monotonic()
        if now > deadline:
            return f"it did not end {MARGIN_S:g} s after its time limit and was ended"
        if now > look_again:
            look_again = now + _LOOK_EVERY_S
            excess = _excess(folder)
            if excess:
                return excess
        time.sleep(POLL_S)
    return None


def _excess(folder: Path) -> str | None:
    processes = psutil.Process().children(recursive=True)
    if len(processes) > MAX_PROCESSES:
        return f"it started more than {MAX_PROCESSES} processes and was ended"
    if sum(_memory_of(process) for process in processes) > MAX_MEMORY_BYTES:
        return f"it took more than {MAX_MEMORY_BYTES // 1024**2} MiB of memory and was ended"
    if sum(_sizes(folder)) > MAX_DISK_BYTES:
        return f"it wrote more than {MAX_DISK_BYTES // 1024**2} MiB and was ended"
    return None


def _memory_of(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes on disk of every file; those that vanish meanwhile count nothing."""
    for root, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                yield (Path(root) / name).lstat().st_blocks * 512


def _end_descendants() -> None:
    """Kill all that is left, again and again, because the living may fork while we look."""
    while True:
        processes = psutil.Process().children(recursive=True)
        for process in processes:
            with suppress(psutil.Error, ProcessLookupError):
                process.suspend()
        for process in processes:
            with suppress(psutil.Error, ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not processes:
            return


def _remove(folder: Path) -> None:
    def make_writable(function: object, path: str, error: object) -> None:
        del function, error
        with suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)

    shutil.rmtree(folder, onerror=make_writable)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
