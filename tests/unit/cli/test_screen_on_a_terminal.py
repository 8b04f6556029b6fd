"""A terminal keeps what is said while a run captures the standard output of the process."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tool_catalog_pipelines.cli.output import Screen


@contextmanager
def _captured(descriptor: int, file: Path) -> Generator[None]:
    """As a run does it: the descriptor leads to a file for a while."""
    kept = os.dup(descriptor)
    with file.open("wb") as log:
        os.dup2(log.fileno(), descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def test_lines_reach_the_terminal_and_not_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        screen = Screen()
        with _captured(follower, tmp_path / "log"):
            screen.say("a step ended")
        assert b"a step ended" in os.read(leader, 1000)
        screen.out.file.close()
    os.close(leader)
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""
