"""Running many cases side by side in worker processes, with results as they come.

Does not belong here: one case (worker.py), reports (report.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.execution.trials.case import Case, Result, reason_to_skip


def run_cases(
    cases: Iterable[Case], *, side_by_side: int = 1, allow_system: bool = False
) -> Generator[Result]:
    """The result of every case, in the order in which they end.

    Raises:
        TerminalError: a worker process died.
    """
    waiting: list[Case] = []
    for case in cases:
        reason = reason_to_skip(case, allow_system)
        if reason is None:
            waiting.append(case)
        else:
            yield Result.of(case, "skipped", reason)
    if waiting:
        yield from _run_side_by_side(waiting, min(side_by_side, len(waiting)))


def _run_side_by_side(cases: Sequence[Case], count: int) -> Generator[Result]:
    to_do: SimpleQueue[Case | None] = SimpleQueue()
    done: SimpleQueue[Result | BaseException] = SimpleQueue()
    for case in [*cases, *[None] * count]:
        to_do.put(case)
    with tempfile.TemporaryDirectory(prefix="trials-") as folder:
        threads = [
            threading.Thread(target=_work_off, args=(to_do, done, Path(folder)), daemon=True)
            for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in cases:
                result = done.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            while not to_do.empty():
                to_do.get()
            for _ in threads:
                to_do.put(None)
            for thread in threads:
                thread.join()


def _work_off(
    to_do: SimpleQueue[Case | None], done: SimpleQueue[Result | BaseException], folder: Path
) -> None:
    try:
        with _worker(folder) as worker:
            while (case := to_do.get()) is not None:
                done.put(_asked(worker, case))
    except BaseException as error:  # whoever waits must learn of anything
        done.put(error)


@contextmanager
def _worker(folder: Path) -> Generator[subprocess.Popen[str]]:
    """A worker with a small environment, so that a tool sees nothing of ours."""
    environment = {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tool_catalog_pipelines.execution.trials.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    with process:
        yield process


def _asked(worker: subprocess.Popen[str], case: Case) -> Result:
    if worker.stdin is None or worker.stdout is None:
        raise TerminalError("a worker without pipes")
    try:
        worker.stdin.write(case.model_dump_json(by_alias=True) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        raise TerminalError(f"the process that ran {case.label} died; see its messages above")
    return Result.model_validate_json(line)


def default_width() -> int:
    """Cases side by side where nobody says how many: half of the processors, two at least."""
    return max(2, (os.cpu_count() or 2) // 2)
