"""Group commit of step events: collect them, write them together.

Belongs here: which events wait, for how long, and in which order they are written. Does not belong
here: SQL, and what happens when PostgreSQL is away (orchestration/storage.py, outage.py).

The rules, measured in DESIGN decision 13:
- the events of a step are written together when the step ends, before its thread goes on, so that
  no finished step is forgotten;
- a step that still runs is written every 250 ms, so that people see it in the UI;
- whatever is not an ordinary event of a step is written at once, after what its step, or its
  run, still has waiting; so ids grow in the order in which things happened.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from functools import cache

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry

FLUSH_AFTER_S = 0.25

STEP_ENDS = frozenset(
    {
        DagsterEventType.STEP_SUCCESS,
        DagsterEventType.STEP_FAILURE,
        DagsterEventType.STEP_SKIPPED,
        DagsterEventType.STEP_UP_FOR_RETRY,
    }
)
_MAY_WAIT = frozenset(
    {
        DagsterEventType.STEP_START,
        DagsterEventType.STEP_RESTARTED,
        DagsterEventType.STEP_INPUT,
        DagsterEventType.STEP_OUTPUT,
        DagsterEventType.STEP_EXPECTATION_RESULT,
        DagsterEventType.LOADED_INPUT,
        DagsterEventType.HANDLED_OUTPUT,
        DagsterEventType.HOOK_COMPLETED,
        DagsterEventType.HOOK_SKIPPED,
        DagsterEventType.HOOK_ERRORED,
    }
)
_LOG = logging.getLogger(__name__)

_Write = Callable[[Sequence[EventLogEntry]], None]


def step_key_of(entry: EventLogEntry) -> str | None:
    """The step an entry of the event log belongs to."""
    event = entry.dagster_event
    return event.step_key if event is not None else entry.step_key


def belongs_to_batch(entry: EventLogEntry) -> bool:
    """Whether an entry is written with the others of its step: its end, or one that may wait."""
    if step_key_of(entry) is None:
        return False
    event = entry.dagster_event
    return event is None or event.event_type in _MAY_WAIT or event.event_type in STEP_ENDS


def _ends_step(entry: EventLogEntry) -> bool:
    event = entry.dagster_event
    return event is not None and event.event_type in STEP_ENDS


class _StepEvents:
    """Events of one step that wait; `order` is held while they are written."""

    __slots__ = ("order", "waiting")

    def __init__(self) -> None:
        self.order = threading.Lock()
        self.waiting: list[EventLogEntry] = []


class EventBuffer:
    """Waiting step events of this process; safe to use from many threads.

    Args:
        write: stores entries in the order given, all or none; may take long, may raise.
        flush_after_s: how long an event of a running step waits at most.
    """

    def __init__(self, write: _Write, flush_after_s: float = FLUSH_AFTER_S) -> None:
        self._write = write
        self._flush_after_s = flush_after_s
        self._reset()
        _open_buffers().add(self)

    def add(self, entry: EventLogEntry) -> None:
        """Take an entry for which `belongs_to_batch` holds; the end of a step writes the step.

        Raises:
            Exception: of `write`, at the end of a step. The end is then not stored, as Dagster
                expects of an event that raised; what came before it waits for the next try.
        """
        key = (entry.run_id, step_key_of(entry) or "")
        with self._mutex:
            step = self._steps.get(key)
            if step is None:
                step = self._steps[key] = _StepEvents()
            step.waiting.append(entry)
        if _ends_step(entry):
            self._write_end(key, step, entry)
        elif not self._has_waiting.is_set():
            self._wake_flusher()

    def flush_step(self, run_id: str, step_key: str) -> None:
        """Write what a step has waiting."""
        self._write_step((run_id, step_key))

    def flush_run(self, run_id: str) -> None:
        """Write what the steps of a run have waiting."""
        for key in self._keys():
            if key[0] == run_id:
                self._write_step(key)

    def flush_all(self) -> None:
        """Write everything that waits."""
        for key in self._keys():
            self._write_step(key)

    def forget_run(self, run_id: str) -> None:
        """Drop what the steps of a run have waiting: the run is being deleted."""
        with self._mutex:
            for key in [key for key in self._steps if key[0] == run_id]:
                self._steps[key].waiting.clear()

    def close(self) -> None:
        """Write everything and end the flusher; what cannot be written is reported and dropped.

        The buffer may be used again; the flusher then starts anew.
        """
        self._closed.set()
        self._has_waiting.set()
        if self._flusher is not None:
            self._flusher.join(timeout=self._flush_after_s * 4)
        try:
            self.flush_all()
        except Exception as error:  # there is nobody left who could do anything about it
            lost = sum(len(step.waiting) for step in self._steps.values())
            _LOG.warning("%d step events are missing in the event log: %s", lost, error)
        self._reset()

    def abandon_after_fork(self) -> None:
        """In a forked child: the waiting events are the parent's, and so is the flusher."""
        self._reset()

    def _reset(self) -> None:
        self._mutex = threading.Lock()
        self._steps: dict[tuple[str, str], _StepEvents] = {}
        self._has_waiting = threading.Event()
        self._closed = threading.Event()
        self._flusher: threading.Thread | None = None

    def _write_end(self, key: tuple[str, str], step: _StepEvents, end: EventLogEntry) -> None:
        try:
            self._write_step(key)
        except BaseException:
            with self._mutex:
                step.waiting = [entry for entry in step.waiting if entry is not end]
            raise

    def _keys(self) -> list[tuple[str, str]]:
        if not self._steps:
            return []
        with self._mutex:
            return list(self._steps)

    def _write_step(self, key: tuple[str, str]) -> None:
        step = self._steps.get(key)
        if step is None:
            return
        with step.order:
            with self._mutex:
                entries, step.waiting = step.waiting, []
            try:
                if entries:
                    self._write(entries)
            except BaseException:
                with self._mutex:
                    step.waiting[:0] = entries
                raise
            self._drop_if_empty(key, step)

    def _drop_if_empty(self, key: tuple[str, str], step: _StepEvents) -> None:
        with self._mutex:
            if not step.waiting and self._steps.get(key) is step:
                del self._steps[key]

    def _wake_flusher(self) -> None:
        with self._mutex:
            if self._flusher is None:
                self._flusher = threading.Thread(
                    target=_flush_regularly,
                    args=(weakref.ref(self), self._has_waiting, self._closed, self._flush_after_s),
                    name="event-log-flusher",
                    daemon=True,
                )
                self._flusher.start()
        self._has_waiting.set()


def _flush_regularly(
    buffer: weakref.ref[EventBuffer],
    has_waiting: threading.Event,
    closed: threading.Event,
    flush_after_s: float,
) -> None:
    """Body of the flusher; holds no reference, so that a forgotten buffer can be collected."""
    while not closed.is_set():
        has_waiting.wait(timeout=60.0)
        if closed.wait(flush_after_s):
            return
        has_waiting.clear()
        target = buffer()
        if target is None:
            return
        try:
            target.flush_all()
        except Exception as error:  # the end of the step will meet the same error and raise it
            _LOG.debug("events of running steps wait for the event log: %s", error)
        del target


@cache
def _open_buffers() -> weakref.WeakSet[EventBuffer]:
    """Every buffer of this process, to be written at exit and dropped in a forked child."""
    buffers: weakref.WeakSet[EventBuffer] = weakref.WeakSet()

    def close_all() -> None:
        for buffer in list(buffers):
            buffer.close()

    def abandon_all() -> None:
        for buffer in list(buffers):
            buffer.abandon_after_fork()

    atexit.register(close_all)
    os.register_at_fork(after_in_child=abandon_all)
    return buffers
