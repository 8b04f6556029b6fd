"""Builders of facts for tests, and a stand-in for the table that keeps its promises.

Does not belong here: anything that opens a database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.errors import DatabaseUnavailableError, TerminalError
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.telemetry.recorder import FactRecorder

STARTED = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
DEADLINE_S = 30.0
POISON = "poison"
Key = tuple[str, datetime, str, str, str, int]


def make_fact(**more: Any) -> Execution:
    """A successful execution of linux/echo that took 12 ms; arguments replace fields."""
    fields: dict[str, Any] = {
        "tenant": "shared",
        "run_id": "run-1",
        "run_started_at": STARTED,
        "chain": "t",
        "chain_version": "1.0.0",
        "fingerprint": "f" * 64,
        "step": "hello",
        "item": "",
        "attempt": 1,
        "platform": "linux",
        "tool_name": "echo",
        "tool_version": "1.0.0",
        "tool_id": None,
        "capability": "use",
        "pattern": "run",
        "environment": "production",
        "user": "tester",
        "host": "test-host",
        "status": "success",
        "started_at": more.get("run_started_at", STARTED),
        "finished_at": more.get("run_started_at", STARTED) + timedelta(milliseconds=12),
        "duration_ms": 12.0,
        "estimate_ms": 10.0,
        "estimate_basis": "declared",
        "estimate_revision": 1,
        "variables_before": {"lines": 100.0},
        "variables_measured": {"lines": 120.0},
    }
    return Execution(**{**fields, **more})


def make_facts(count: int, run_id: str = "run-1", **more: Any) -> list[Execution]:
    """Facts of one run that differ in their item."""
    return [make_fact(run_id=run_id, item=str(number), **more) for number in range(count)]


def key_of(fact: Execution) -> Key:
    """The natural key."""
    return (fact.tenant, fact.run_started_at, fact.run_id, fact.step, fact.item, fact.attempt)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails the test after a generous deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        threading.Event().wait(0.01)


class FakeTable:
    """A table in memory: all or nothing, exactly once, away on demand, refuses `POISON` runs."""

    def __init__(self) -> None:
        self.rows: dict[Key, Execution] = {}
        self.is_away = False
        self.calls = 0
        self.largest_batch = 0
        self._guard = threading.Lock()

    def write(self, facts: Sequence[Execution]) -> int:
        """As `FactWriter.write`."""
        with self._guard:
            self.calls += 1
            self.largest_batch = max(self.largest_batch, len(facts))
            if self.is_away:
                raise DatabaseUnavailableError("PostgreSQL is away")
            if any(fact.step == POISON for fact in facts):
                raise TerminalError("PostgreSQL refuses the fact: it is poison")
            before = len(self.rows)
            for fact in facts:
                self.rows.setdefault(key_of(fact), fact)
            return len(self.rows) - before


def leave_a_fact(spool: Path, run_id: str = "run-1") -> None:
    """Leave in a spool what a process leaves whose database was away until its end."""
    table = FakeTable()
    table.is_away = True
    recorder = FactRecorder(spool, table.write)
    recorder.record(make_fact(run_id=run_id))
    recorder.close(0.1)
