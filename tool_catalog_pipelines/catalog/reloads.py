"""History and statistics of reloads: what a process that follows the catalogue has seen.

Pure counting, shared by threads. Does not belong here: following itself (live.py).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Trigger = Literal["start", "notification", "poll", "reconnect", "asked"]


@dataclass(frozen=True, slots=True)
class Reload:
    """One time that the catalogue was looked at and had changed, or could not be read."""

    at: datetime
    trigger: Trigger
    from_revision: int
    to_revision: int
    tools: int
    """Versions that the snapshot has afterwards."""
    duration_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class ReloadStatistics:
    """Counts since the process began to follow."""

    reloads: int
    failures: int
    longest_ms: float
    mean_ms: float


class ReloadHistory:
    """The newest reloads and counts over all of them."""

    def __init__(self, kept: int = 100, told: Callable[[Reload], None] | None = None) -> None:
        self._told = told
        self._guard = threading.Lock()
        self._newest: deque[Reload] = deque(maxlen=kept)
        self._reloads = 0
        self._failures = 0
        self._total_ms = 0.0
        self._longest_ms = 0.0

    def add(self, reload: Reload) -> None:
        """Note a reload, and tell whoever wants to know."""
        if self._told is not None:
            self._told(reload)
        with self._guard:
            self._newest.append(reload)
            if reload.error:
                self._failures += 1
                return
            self._reloads += 1
            self._total_ms += reload.duration_ms
            self._longest_ms = max(self._longest_ms, reload.duration_ms)

    def newest(self) -> tuple[Reload, ...]:
        """The newest reloads, newest first."""
        with self._guard:
            return tuple(reversed(self._newest))

    def statistics(self) -> ReloadStatistics:
        """Counts over all reloads."""
        with self._guard:
            mean_ms = self._total_ms / self._reloads if self._reloads else 0.0
            return ReloadStatistics(self._reloads, self._failures, self._longest_ms, mean_ms)
