"""A guard ends its server and everything the server started, whatever happens to whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

_GUARD = [sys.executable, "-m", "tool_catalog_pipelines.cli.server_guard"]
_DETACHED = """
import os, signal, subprocess, sys, time
def ignore():
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
between = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
subprocess.run([sys.executable, "-c", between, "sleep", "1000"], preexec_fn=ignore)
database = [sys.executable, "-c", "import time; time.sleep(1000)"]
if "with-database" in sys.argv:
    subprocess.Popen([*database, "-m", "tool_catalog_pipelines.db.supervisor"])
print("ready", flush=True)
time.sleep(1000)
"""
"""A server with a grandchild that left its session and lost its parent."""
_STARTER = """
import os, subprocess, sys
watched, pipe = os.pipe()
argv = [*sys.argv[1:4], str(watched), sys.executable, "-c", sys.argv[4]]
subprocess.Popen(argv, pass_fds=(watched,), start_new_session=True).wait()
"""


def _eventually(condition: Callable[[], bool], deadline_s: float = 60.0) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)


def _marked(mark: str) -> list[psutil.Process]:
    """Living processes with this mark in their environment."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get("GUARD_TEST") == mark
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@contextmanager
def _guarded(*argv: str, mark: str) -> Generator[tuple[subprocess.Popen[str], int]]:
    """A guard with a server that has said that it is ready; our end of the pipe."""
    watched, pipe = os.pipe()
    with subprocess.Popen(
        [*_GUARD, str(watched), *argv],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GUARD_TEST": mark},
        pass_fds=(watched,),
        start_new_session=True,
    ) as guard:
        os.close(watched)
        try:
            yield guard, pipe
        finally:
            for process in _marked(mark):
                process.kill()


def _ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


@pytest.mark.parametrize(("script", "code"), [("", 0), ("raise SystemExit(3)", 3)])
def test_the_exit_code_is_that_of_the_server(script: str, code: int, tmp_path: Path) -> None:
    with _guarded(sys.executable, "-c", script, mark=str(tmp_path)) as (guard, pipe):
        assert guard.wait(60) == code
        os.close(pipe)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to the guard")
def test_a_closed_pipe_ends_all_descendants(tmp_path: Path) -> None:
    mark = str(tmp_path)
    with _guarded(sys.executable, "-c", _DETACHED, "stubborn", mark=mark) as (guard, pipe):
        _ready(guard)
        assert len(_marked(mark)) == 3
        os.close(pipe)
        guard.wait(60)
        assert _marked(mark) == []


def test_a_signal_ends_all_but_the_database(tmp_path: Path) -> None:
    mark = str(tmp_path)
    argv = (sys.executable, "-c", _DETACHED, "with-database")
    with _guarded(*argv, mark=mark) as (guard, pipe):
        _ready(guard)
        guard.send_signal(signal.SIGTERM)
        guard.wait(60)
        (left,) = _marked(mark)
        assert "tool_catalog_pipelines.db.supervisor" in left.cmdline()
        os.close(pipe)


def test_the_death_of_the_starting_process_ends_all(tmp_path: Path) -> None:
    mark = str(tmp_path)
    argv = [sys.executable, "-c", _STARTER, *_GUARD, _DETACHED]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "GUARD_TEST": mark}
    ) as starter:
        _ready(starter)
        starter.kill()
        _eventually(lambda: _marked(mark) == [])
