"""A program on a real pseudo-terminal: what a person would see and type, Ctrl-C included."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence

_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
PATIENCE_S = 60.0
CTRL_C, CTRL_D = b"\x03", b"\x04"


class TypedTerminal:
    """One program with a terminal of its own."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 400, 0, 0))
        self._program = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *argv],
            stdin=slave, stdout=slave, stderr=slave,
            env={**env, "TERM": "dumb", "NO_COLOR": "1"}, cwd=cwd,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""
        self.recent = ""
        """What was printed since the last line was typed."""

    def wait_for_question(self) -> str:
        """Read until something is asked; what was printed since the last typed line."""
        while not self.recent.endswith("> "):
            assert self._read(), f"the program ended:\n{self.seen}"
        return self.recent

    def type(self, line: str) -> str:
        """Type a line where something is asked; what comes until the next question."""
        self.send(line)
        return self.wait_for_question()

    def send(self, line: str) -> None:
        """Type a line where something is asked."""
        self.wait_for_question()
        self.recent = ""
        os.write(self._master, line.encode() + b"\n")

    def interrupt(self, key: bytes) -> int:
        """Press a key that ends the program; its exit code.

        As a person would, it is pressed again if nothing happens: a signal that comes just before
        Python begins to wait for a line is only seen with the next key.
        """
        self.wait_for_question()
        self.recent = ""
        is_open = True
        while is_open:
            with contextlib.suppress(OSError):  # it ended meanwhile
                os.write(self._master, key)
            while is_open and select.select([self._master], [], [], 1.0)[0]:
                is_open = self._read()
        return self._program.wait(PATIENCE_S)

    def answer(self, answers: Mapping[str, str], last: str) -> None:
        """Give these answers where their words are asked, else Enter, until `last` is asked."""
        left = dict(answers)
        while last not in (asked := self.wait_for_question()):
            words = next((words for words in left if words in asked), None)
            self.send(left.pop(words) if words else "")
        assert not left, f"never asked: {left}\n{self.seen}"

    def finish(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._program.wait(PATIENCE_S)

    def close(self) -> None:
        """End the program if it still runs."""
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        os.close(self._master)

    def _read(self) -> bool:
        """Read what is printed next; False at the end."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if not select.select([self._master], [], [], 1.0)[0]:
                continue
            chunk = b""
            with contextlib.suppress(OSError):  # Linux says so when the other side is closed
                chunk = os.read(self._master, 65536)
            text = chunk.decode("utf-8", "replace")
            self.seen += text
            self.recent += text
            return bool(chunk)
        raise AssertionError(f"nothing was printed for {PATIENCE_S} s:\n{self.seen}")
