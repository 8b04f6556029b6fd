"""Group commit: what waits, what does not, in which order it is written, what a failure loses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from dagster import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from hypothesis import given
from hypothesis import strategies as st

from tool_catalog_pipelines.orchestration.event_buffer import EventBuffer, belongs_to_batch

NEVER_S = 3600.0
DEADLINE_S = 20.0
START, OUTPUT = DagsterEventType.STEP_START, DagsterEventType.HANDLED_OUTPUT
SUCCESS = DagsterEventType.STEP_SUCCESS


def make_entry(
    kind: DagsterEventType | None = START, step: str | None = "a", run: str = "r", note: str = ""
) -> EventLogEntry:
    event = None
    if kind is not None:
        plain = DagsterEvent(START.value, "j", step_key=step, message=note)
        event = plain._replace(event_type_value=kind.value)  # without the data of its type
    return EventLogEntry(
        error_info=None,
        level=20,
        user_message=note,
        run_id=run,
        timestamp=1.0,
        step_key=step,
        job_name="j",
        dagster_event=event,
    )


class Store:
    """A list that can be out of order for a while."""

    def __init__(self) -> None:
        self.batches: list[list[EventLogEntry]] = []
        self.is_away = False

    def write(self, entries: Sequence[EventLogEntry]) -> None:
        if self.is_away:
            raise ConnectionError("away")
        self.batches.append(list(entries))

    @property
    def entries(self) -> list[EventLogEntry]:
        return [entry for batch in self.batches for entry in batch]


@pytest.fixture
def store() -> Store:
    return Store()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.005)


def test_a_step_is_written_whole_when_it_ends(store: Store) -> None:
    buffer = EventBuffer(store.write, NEVER_S)
    entries = [make_entry(START), make_entry(None, note="log"), make_entry(SUCCESS)]
    for entry in entries:
        assert store.batches == []
        buffer.add(entry)
    assert store.batches == [entries]


@pytest.mark.parametrize(
    "kind",
    [
        DagsterEventType.STEP_SUCCESS,
        DagsterEventType.STEP_FAILURE,
        DagsterEventType.STEP_SKIPPED,
        DagsterEventType.STEP_UP_FOR_RETRY,
    ],
)
def test_every_end_of_a_step_writes(store: Store, kind: DagsterEventType) -> None:
    EventBuffer(store.write, NEVER_S).add(make_entry(kind))
    assert len(store.entries) == 1


def test_a_running_step_is_written_in_time(store: Store) -> None:
    buffer = EventBuffer(store.write, flush_after_s=0.01)
    buffer.add(make_entry(START))
    wait_until(lambda: len(store.entries) == 1)
    buffer.add(make_entry(OUTPUT))
    wait_until(lambda: len(store.entries) == 2)
    buffer.close()


def test_only_ordinary_events_of_steps_wait() -> None:
    assert belongs_to_batch(make_entry(START))
    assert belongs_to_batch(make_entry(None))
    assert not belongs_to_batch(make_entry(START, step=None))
    assert not belongs_to_batch(make_entry(None, step=None))
    for kind in (
        DagsterEventType.RUN_START,
        DagsterEventType.ENGINE_EVENT,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_OBSERVATION,
        DagsterEventType.ASSET_CHECK_EVALUATION,
        DagsterEventType.STEP_WORKER_STARTING,
        DagsterEventType.RESOURCE_INIT_FAILURE,
    ):
        assert not belongs_to_batch(make_entry(kind)), kind


def test_a_run_is_written_without_the_others(store: Store) -> None:
    buffer = EventBuffer(store.write, NEVER_S)
    for run in ("r", "other"):
        for step in ("a", "b"):
            buffer.add(make_entry(START, step, run))
    buffer.flush_run("r")
    assert [(entry.run_id, entry.step_key) for entry in store.entries] == [("r", "a"), ("r", "b")]
    buffer.flush_step("other", "b")
    buffer.flush_all()
    assert len(store.entries) == 4
    buffer.flush_all()
    assert len(store.batches) == 4


def test_an_end_that_could_not_be_written_is_not_written_later(store: Store) -> None:
    """Dagster calls such a step failed; its success must not turn up after that."""
    buffer = EventBuffer(store.write, NEVER_S)
    start, success = make_entry(START), make_entry(SUCCESS)
    store.is_away = True
    buffer.add(start)
    with pytest.raises(ConnectionError):
        buffer.add(success)
    failure = make_entry(DagsterEventType.STEP_FAILURE)
    store.is_away = False
    buffer.add(failure)
    assert store.entries == [start, failure]


def test_the_flusher_survives_an_outage(store: Store) -> None:
    store.is_away = True
    failed = threading.Event()

    def write(entries: Sequence[EventLogEntry]) -> None:
        try:
            store.write(entries)
        except ConnectionError:
            failed.set()
            raise

    buffer = EventBuffer(write, flush_after_s=0.01)
    buffer.add(make_entry(START))
    assert failed.wait(DEADLINE_S)
    store.is_away = False
    buffer.add(make_entry(OUTPUT))
    wait_until(lambda: len(store.entries) == 2)
    buffer.close()


def test_closing_writes_the_rest_and_the_buffer_can_be_used_again(store: Store) -> None:
    before = set(threading.enumerate())
    buffer = EventBuffer(store.write, flush_after_s=0.01)
    buffer.add(make_entry(START))
    buffer.close()
    assert len(store.entries) == 1
    buffer.add(make_entry(OUTPUT))
    wait_until(lambda: len(store.entries) == 2)
    buffer.close()
    assert set(threading.enumerate()) <= before


def test_closing_reports_what_is_lost(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    buffer = EventBuffer(store.write, NEVER_S)
    store.is_away = True
    buffer.add(make_entry(START))
    buffer.close()
    assert "1 step events are missing in the event log" in caplog.text


def test_a_deleted_run_is_not_written(store: Store) -> None:
    buffer = EventBuffer(store.write, NEVER_S)
    buffer.add(make_entry(START))
    buffer.forget_run("r")
    buffer.flush_all()
    assert store.entries == []


def test_a_forked_child_forgets(store: Store) -> None:
    buffer = EventBuffer(store.write, NEVER_S)
    buffer.add(make_entry(START))
    buffer.abandon_after_fork()
    buffer.flush_all()
    assert store.entries == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([START, None, SUCCESS]))))
def test_nothing_is_lost_doubled_or_reordered(events: list[tuple[str, DagsterEventType]]) -> None:
    store = Store()
    buffer = EventBuffer(store.write, NEVER_S)
    entries = [make_entry(kind, step, note=str(n)) for n, (step, kind) in enumerate(events)]
    for entry in entries:
        buffer.add(entry)
    buffer.flush_all()
    for step in "abc":
        expected = [entry for entry in entries if entry.step_key == step]
        assert [entry for entry in store.entries if entry.step_key == step] == expected
    assert len(store.entries) == len(entries)


def test_many_threads_and_a_busy_flusher_keep_the_order(store: Store) -> None:
    buffer = EventBuffer(store.write, flush_after_s=0.001)

    def run_step(step: str) -> None:
        for number in range(50):
            buffer.add(make_entry(None, step, note=str(number)))
        buffer.add(make_entry(SUCCESS, step, note="50"))

    threads = [threading.Thread(target=run_step, args=(f"s{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    buffer.close()
    for number in range(8):
        notes = [e.user_message for e in store.entries if e.step_key == f"s{number}"]
        assert notes == [str(n) for n in range(51)]
