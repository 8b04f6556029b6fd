"""The recorder: takes facts from step threads and delivers them in the background.

A fact is on disk when `record` returns (spool_file.py says what that is worth) and in PostgreSQL
soon after. Belongs here: threads, timing, retries. Does not belong here: files (backlog.py),
refused facts (delivery.py), the table (writer.py).
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tool_catalog_pipelines.errors import TransientError
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.telemetry.backlog import Backlog
from tool_catalog_pipelines.telemetry.delivery import BATCH_FACTS, Write, deliver
from tool_catalog_pipelines.telemetry.lines import to_line

INTERVAL_S = 0.2
LONGEST_PAUSE_S = 5.0
CLOSE_TIMEOUT_S = 5.0
_logger = logging.getLogger(__name__)


class FactRecorder:
    """Records the facts of one process. Thread-safe; a process made by fork makes its own.

    Args:
        spool_dir: where facts wait; shared by all processes of an installation.
        write: stores facts, ignores those that are there, returns how many were new. It raises
            TransientError to be tried again with the same facts; any other error makes the
            recorder look for the fact that is to blame and set it aside.
    """

    def __init__(self, spool_dir: Path, write: Write) -> None:
        self._spool_dir = spool_dir
        self._write = write
        self._backlog = Backlog(spool_dir)
        self._changed = threading.Condition()
        """Guards the four fields below."""
        self._new_facts = 0
        self._is_hurried = False
        self._flushing = 0
        self._is_closing = False
        self._waits_because = ""
        """Why facts wait since the last delivery; used by the thread only."""
        self._thread = threading.Thread(target=self._run, name="fact-recorder", daemon=True)
        self._thread.start()

    def record(self, fact: Execution) -> None:
        """Make a fact durable.

        Raises:
            TransientError: the disk is full and PostgreSQL did not take the fact either.
            TerminalError: the recorder is closed.
        """
        try:
            self._backlog.append(to_line(fact))
        except OSError as error:
            self._write_through(fact, error)
            return
        with self._changed:
            self._new_facts += 1
            if self._new_facts in (1, BATCH_FACTS):  # the thread sleeps in between
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Deliver now all that was recorded before this call; False if that took too long."""
        _confirmed, target = self._backlog.positions()
        with self._changed:
            self._is_hurried = True
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(
                    lambda: self._backlog.positions()[0] >= target, timeout_s
                )
            finally:
                self._flushing -= 1

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Deliver the rest and stop. Idempotent.

        What PostgreSQL does not take in time stays in the spool for the next process.

        Returns:
            Whether everything was delivered.
        """
        deadline = time.monotonic() + timeout_s
        if self._thread.is_alive():
            self.flush(timeout_s)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(max(1.0, deadline - time.monotonic()))
        # A thread that hangs in PostgreSQL still uses the file; the end of the process frees it.
        if not self._thread.is_alive():
            self._backlog.close()
        confirmed, recorded = self._backlog.positions()
        return confirmed >= recorded

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write_through(self, fact: Execution, cause: OSError) -> None:
        """The last resort when the spool takes nothing."""
        try:
            self._write([fact])
        except Exception as error:
            raise TransientError(
                f"the fact of step {fact.step} is lost: spool: {cause}; PostgreSQL: {error}"
            ) from error

    def _run(self) -> None:
        pause_s = INTERVAL_S
        while self._await_work():
            try:
                self._deliver_all()
            except Exception as error:  # this thread must outlive whatever happens
                self._note_waiting(error)
                pause_s = self._rest(pause_s)
            else:
                self._note_delivered()
                pause_s = INTERVAL_S

    def _note_waiting(self, error: Exception) -> None:
        """Said once while it lasts: the same sentence every second helps nobody."""
        reason = (str(error).splitlines() or [""])[0]
        if not self._waits_because:
            _logger.warning(
                "facts cannot be delivered now; they are kept in %s and delivered when PostgreSQL "
                "takes them again (%s)",
                self._spool_dir,
                reason
                if isinstance(error, TransientError)
                else f"{type(error).__name__}: {reason}",
            )
        self._waits_because = reason or type(error).__name__

    def _note_delivered(self) -> None:
        if self._waits_because:
            _logger.warning("the facts that waited are delivered")
        self._waits_because = ""

    def _await_work(self) -> bool:
        """Wait for facts, then for a batch of them or the interval; False when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._new_facts or self._is_hurried or self._is_closing)
            self._changed.wait_for(
                lambda: self._new_facts >= BATCH_FACTS or self._is_hurried or self._is_closing,
                INTERVAL_S,
            )
            self._new_facts = 0
            self._is_hurried = False
            return not self._is_closing

    def _deliver_all(self) -> None:
        """Deliver what is recorded by now; what comes meanwhile makes a full batch for later."""
        confirmed, target = self._backlog.positions()
        while confirmed < target:
            batch = self._backlog.next_lines(BATCH_FACTS)
            deliver(batch, self._write, self._spool_dir)
            with self._changed:
                self._backlog.confirm(batch)
                self._changed.notify_all()
            confirmed, _recorded = self._backlog.positions()

    def _rest(self, pause_s: float) -> float:
        """Wait before the next attempt, shortly if somebody flushes; returns the next pause."""
        with self._changed:
            now_s = INTERVAL_S if self._flushing else pause_s
            self._changed.wait_for(lambda: self._is_hurried or self._is_closing, now_s)
            self._new_facts += 1  # there is work, even if nobody records anything more
        return min(pause_s * 2, LONGEST_PAUSE_S)
