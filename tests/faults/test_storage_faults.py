"""PostgreSQL goes away while a run writes its events."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster_runs import DEADLINE_S, QUIET, in_memory, pooled_instance, read_run

from tool_catalog_pipelines.db import postgres
from tool_catalog_pipelines.db.preflight import ServerUser, server_user
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.orchestration.executor import threads_executor

STEPS = 12


class Server:
    """A PostgreSQL of the test's own, which it may stop and start."""

    def __init__(self, home: Path) -> None:
        self._data_dir = home / "data"
        self._log = home / "log"
        self._user: ServerUser = server_user(self._data_dir)
        postgres.initialise(self._data_dir, self._user)
        self._url = ""
        self.start()

    @property
    def url(self) -> str:
        return self._url

    def start(self) -> None:
        process = postgres.start(self._data_dir, self._user, self._log)
        threading.Thread(target=process.wait, daemon=True).start()
        deadline = time.monotonic() + DEADLINE_S
        while True:
            found = postgres.find_postmaster(self._data_dir)
            if found and found.is_ready:
                break
            assert time.monotonic() < deadline, self._log.read_text()
            threading.Event().wait(0.02)
        self._url = f"postgresql://postgres@/postgres?host={found.socket_dir}"
        psycopg.connect(self._url).close()

    def stop(self) -> None:
        assert postgres.stop(self._data_dir, self._user)


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    made = Server(home)
    yield made
    made.stop()


def _chain(at: int, then: threading.Event, outage: threading.Event) -> dg.GraphDefinition:
    """A chain that reports when it reaches step `at`, and waits for the outage there."""

    @dg.op
    def start() -> int:
        return 0

    @dg.op
    def step(x: int) -> int:
        if x == at:
            then.set()
            assert outage.wait(DEADLINE_S)
        return x + 1

    @dg.graph
    def chain() -> None:
        value = start()
        for number in range(1, STEPS):
            value = step.alias(f"s{number}")(value)

    return chain


@contextmanager
def meanwhile(fault: Callable[[], None]) -> Iterator[None]:
    """The fault happens in a thread of its own, and is over at the end."""
    with ThreadPoolExecutor(1) as pool:
        happening = pool.submit(fault)
        yield
        happening.result(DEADLINE_S)


def test_a_restart_in_the_middle_of_a_run_loses_and_doubles_nothing(
    server: Server, tmp_path: Path
) -> None:
    reached, outage = threading.Event(), threading.Event()
    job = in_memory(_chain(5, reached, outage), threads_executor)

    def interrupt() -> None:
        assert reached.wait(DEADLINE_S)
        server.stop()
        outage.set()
        threading.Event().wait(0.5)  # the run goes on meanwhile and meets the outage
        server.start()

    with pooled_instance(server.url, tmp_path) as instance:
        run = instance.create_run_for_job(job, run_config=QUIET)
        with meanwhile(interrupt):
            execute_run(InMemoryJob(job), run, instance)
        ran = read_run(instance, run.run_id)
    assert ran.status == "SUCCESS"
    assert len(ran.steps("STEP_SUCCESS")) == STEPS
    doubled = {kind: count for kind, count in Counter(ran.kinds).items() if count > 1}
    assert set(doubled) <= {("ENGINE_EVENT", None)}


def test_connections_that_break_are_replaced(server: Server, tmp_path: Path) -> None:
    reached, outage = threading.Event(), threading.Event()
    job = in_memory(_chain(5, reached, outage), threads_executor)

    def kill_connections() -> None:
        assert reached.wait(DEADLINE_S)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'tool-catalog-dagster'"
            )
        outage.set()

    with pooled_instance(server.url, tmp_path) as instance:
        run = instance.create_run_for_job(job, run_config=QUIET)
        with meanwhile(kill_connections):
            execute_run(InMemoryJob(job), run, instance)
        assert read_run(instance, run.run_id).status == "SUCCESS"


def test_when_it_stays_away_the_run_ends_with_a_clear_error(server: Server, tmp_path: Path) -> None:
    reached, outage = threading.Event(), threading.Event()
    job = in_memory(_chain(5, reached, outage), threads_executor)

    def stop() -> None:
        assert reached.wait(DEADLINE_S)
        server.stop()
        outage.set()

    with pooled_instance(server.url, tmp_path, write_retry_s=0.5) as instance:
        run = instance.create_run_for_job(job, run_config=QUIET)
        with meanwhile(stop), pytest.raises(DatabaseUnavailableError, match="PostgreSQL"):
            execute_run(InMemoryJob(job), run, instance)
        server.start()
        ran = read_run(instance, run.run_id)
    assert ran.steps("STEP_SUCCESS") == {"start", *(f"s{n}" for n in range(1, 6))}
    assert not [key for key in ran.steps("STEP_START") if key in {"s8", "s9"}]


def test_a_lost_reply_does_not_double_the_events(server: Server, tmp_path: Path) -> None:
    """The server commits, the connection dies before the answer: the retry finds the rows."""
    from sqlalchemy import event
    from sqlalchemy.exc import OperationalError

    from tool_catalog_pipelines.orchestration.storage import PooledEventLogStorage

    lost: list[str] = []

    def lose_reply(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO event_logs") and len(lost) < 5:
            lost.append(statement)
            if len(lost) % 2:
                raise OperationalError(statement, {}, Exception("server closed the connection"))

    done = threading.Event()
    done.set()
    job = in_memory(_chain(-1, threading.Event(), done), threads_executor)
    with pooled_instance(server.url, tmp_path) as instance:
        run = instance.create_run_for_job(job, run_config=QUIET)
        storage = instance.event_log_storage
        assert isinstance(storage, PooledEventLogStorage)
        event.listen(storage._engine, "after_cursor_execute", lose_reply)
        execute_run(InMemoryJob(job), run, instance)
        event.remove(storage._engine, "after_cursor_execute", lose_reply)
        ran = read_run(instance, run.run_id)
    assert lost
    assert ran.status == "SUCCESS"
    doubled = {kind: count for kind, count in Counter(ran.kinds).items() if count > 1}
    assert set(doubled) <= {("ENGINE_EVENT", None)}


def test_waiting_events_survive_the_end_of_a_forked_child(server: Server, tmp_path: Path) -> None:
    """A child that is forked while events wait writes none of them and breaks no connection."""
    forked: list[int] = []

    @dg.op
    def forks(context) -> None:
        context.log.info("before")
        child = os.fork()
        if child == 0:
            os._exit(0)
        forked.append(os.waitpid(child, 0)[1])
        context.log.info("after")

    @dg.graph
    def forking() -> None:
        forks()

    with pooled_instance(server.url, tmp_path) as instance:
        job = in_memory(forking, dg.in_process_executor)
        run = instance.create_run_for_job(job, run_config=QUIET)
        execute_run(InMemoryJob(job), run, instance)
        ran = read_run(instance, run.run_id)
    assert forked == [0]
    said = [entry.user_message for entry in ran.entries if entry.dagster_event is None]
    assert said == ["before", "after"]
