"""The catalogue as it is now, in a process that goes on running.

A thread listens for the notice that every change sends at its commit and asks for the revision
besides, so that a lost notice delays but never hides a change. Readers take the snapshot of the
moment, which costs them no lock and no query. When the database is away they go on with what is
known, marked as coming from disk. Does not belong here: what a change is (audit.py, feed.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from tool_catalog_pipelines.catalog.audit import CHANNEL
from tool_catalog_pipelines.catalog.reloads import Reload, ReloadHistory, Trigger
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import DatabaseUnavailableError

POLL_EVERY_S = 5.0
_WAIT_S = 0.2
"""How long the end of this process may have to wait for the listener."""
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_CONNECT_TIMEOUT_S = 5
_LOG = logging.getLogger(__name__)

Refresh = Callable[[CatalogSnapshot], CatalogSnapshot]


class LiveCatalog:
    """Follows the catalogue from `start` to `close`."""

    def __init__(
        self,
        address: str,
        first: CatalogSnapshot,
        refresh: Refresh,
        poll_every_s: float = POLL_EVERY_S,
        history: ReloadHistory | None = None,
    ) -> None:
        """Prepare; nothing is read before `start`.

        Args:
            address: of the database, for the listening connection.
            first: what is known at the start.
            refresh: reads what changed since a snapshot; DatabaseUnavailableError when away.
            poll_every_s: how often the revision is asked for besides.
            history: takes every reload.
        """
        self.history = history or ReloadHistory()
        self._address = address
        self._refresh = refresh
        self._poll_every_s = poll_every_s
        self._snapshot = first
        self._reading = threading.Lock()
        self._ended = threading.Event()
        self._is_away = False
        self._thread = threading.Thread(target=self._follow, name="catalogue", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following; the last snapshot stays readable."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10 * _WAIT_S)

    def current(self) -> CatalogSnapshot:
        """The newest snapshot that this process has."""
        return self._snapshot

    def refresh(self, trigger: Trigger = "asked") -> CatalogSnapshot:
        """Read what changed now; returns what is known when the database is away."""
        with self._reading:
            started = time.perf_counter()
            old = self._snapshot
            try:
                new = self._refresh(old)
            except DatabaseUnavailableError as error:
                self._note_away(trigger, started, str(error))
            else:
                self._note_back()
                if new is not old:
                    self._snapshot = new
                if new.revision != old.revision:
                    self._note(trigger, old, new, started)
            return self._snapshot

    def _follow(self) -> None:
        pause_s = _FIRST_PAUSE_S
        trigger: Trigger = "start"
        while not self._ended.is_set():
            try:
                self._listen(trigger)
                pause_s = _FIRST_PAUSE_S
            except psycopg.Error as error:
                with self._reading:
                    self._note_away(trigger, time.perf_counter(), str(error).strip())
                self._ended.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            trigger = "reconnect"

    def _listen(self, trigger: Trigger) -> None:
        """Follow over one connection until it breaks or the end is near."""
        with psycopg.connect(
            self._address, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S
        ) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            # What changed before the LISTEN sends no notice any more.
            self.refresh(trigger)
            asked_at = time.monotonic()
            while not self._ended.is_set():
                notices = connection.notifies(timeout=_WAIT_S, stop_after=1)
                is_told = any(True for _ in notices)
                is_due = time.monotonic() - asked_at >= self._poll_every_s
                if is_told or is_due:
                    asked_at = time.monotonic()
                    self.refresh("notification" if is_told else "poll")

    def _note(
        self, trigger: Trigger, old: CatalogSnapshot, new: CatalogSnapshot, started: float
    ) -> None:
        duration_ms = 1000 * (time.perf_counter() - started)
        now = datetime.now(UTC)
        self.history.add(
            Reload(now, trigger, old.revision, new.revision, len(new.tools), duration_ms)
        )

    def _note_away(self, trigger: Trigger, started: float, error: str) -> None:
        if self._is_away or self._ended.is_set():
            return
        old = self._snapshot
        self._is_away = True
        self._snapshot = replace(old, source="disk")
        duration_ms = 1000 * (time.perf_counter() - started)
        now = datetime.now(UTC)
        self.history.add(
            Reload(now, trigger, old.revision, old.revision, len(old.tools), duration_ms, error)
        )
        _LOG.warning("the database is away; the catalogue is read as of revision %s", old.revision)

    def _note_back(self) -> None:
        if self._is_away:
            self._is_away = False
            _LOG.warning("the database is back; the catalogue is followed again")
