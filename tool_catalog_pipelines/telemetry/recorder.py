"""The recorder: takes facts from step threads and delivers them in the background.

A fact is on disk when `record` returns. Does not belong here: the file (spool.py) and the table
(writer.py).
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.telemetry.spool import SpoolFile, Write

INTERVAL_S = 0.2
LONGEST_PAUSE_S = 5.0


class FactRecorder:
    """Records facts of one process. Thread-safe; close it to deliver the rest."""

    def __init__(self, spool_dir: Path, write: Write) -> None:
        self._spool = SpoolFile(spool_dir)
        self._write = write
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._delivering = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="fact-recorder", daemon=True)
        self._thread.start()

    def record(self, fact: Execution) -> None:
        """Make a fact durable; it reaches PostgreSQL soon after."""
        self._spool.append(fact)
        self._wake.set()

    def flush(self, timeout_s: float) -> bool:
        """Deliver everything now; False if PostgreSQL did not take it within the time."""
        deadline = time.monotonic() + timeout_s
        while self._spool.has_unconfirmed():
            try:
                with self._delivering:
                    self._spool.deliver(self._write)
            except DatabaseUnavailableError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(min(INTERVAL_S, timeout_s))
        return True

    def close(self) -> None:
        """Stop delivering; what is left stays in the spool for the next process."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._spool.close()

    def _run(self) -> None:
        pause_s = INTERVAL_S
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                while not self._closing.is_set() and self._spool.has_unconfirmed():
                    with self._delivering:
                        self._spool.deliver(self._write)
                pause_s = INTERVAL_S
            except DatabaseUnavailableError:
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                self._wake.set()
            self._closing.wait(pause_s)
