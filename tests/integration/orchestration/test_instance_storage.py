"""The instance storage in an installation: found by DAGSTER_HOME alone, shared, given back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster_runs import DEADLINE_S, QUIET, in_memory, pooled_instance, read_run, run_job

from tool_catalog_pipelines.db.server import is_running
from tool_catalog_pipelines.orchestration.executor import chain_executor, threads_executor
from tool_catalog_pipelines.orchestration.instance import open_instance, prepare_dagster_home
from tool_catalog_pipelines.orchestration.shared_pool import MAX_OVERFLOW, POOL_SIZE
from tool_catalog_pipelines.orchestration.storage import PooledEventLogStorage
from tool_catalog_pipelines.settings import Settings


@dg.op
def one() -> int:
    return 1


@dg.graph
def single() -> None:
    one()


def _use_home(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("TOOL_CATALOG_HOME", str(settings.home))
    monkeypatch.setenv("TOOL_CATALOG_YAML_DIR", str(settings.catalog_dir))
    if settings.database_url is None:
        monkeypatch.delenv("TOOL_CATALOG_DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("TOOL_CATALOG_DATABASE_URL", settings.database_url)


def test_the_shipped_dagster_yaml_works(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use_home(monkeypatch, settings)
    with open_instance(settings) as instance:
        assert not instance.telemetry_enabled
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        concurrency = instance.get_concurrency_config()
        assert concurrency.run_queue_config is not None
        assert concurrency.run_queue_config.max_concurrent_runs == 10
        assert concurrency.pool_config.default_pool_limit is None
        assert concurrency.pool_config.pool_granularity is not None
        assert concurrency.pool_config.pool_granularity.value == "op"
        assert instance.run_monitoring_enabled
        limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
        assert limits == {"marts": 1}
        assert run_job(in_memory(single, chain_executor), instance).status == "SUCCESS"
    logs = [path for path in settings.dagster_home.rglob("*.out") if path.is_file()]
    assert logs, "compute logs are under the home"


def test_a_limit_that_a_person_changed_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use_home(monkeypatch, settings)
    with open_instance(settings) as instance:
        instance.event_log_storage.set_concurrency_slots("marts", 3)
    with open_instance(settings) as instance:
        limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
        assert limits == {"marts": 3}


def test_the_embedded_server_lives_as_long_as_the_instance(
    offline_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use_home(monkeypatch, offline_settings)
    with open_instance(offline_settings) as instance:
        assert is_running(offline_settings)
        assert run_job(in_memory(single, chain_executor), instance).status == "SUCCESS"


def test_another_process_needs_dagster_home_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use_home(monkeypatch, settings)
    with open_instance(settings) as instance:
        ran = run_job(in_memory(single, chain_executor), instance)
    script = (
        "import dagster as dg, sys\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    print(len(instance.all_logs(sys.argv[1])))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, ran.run_id],
        env={**os.environ, "DAGSTER_HOME": str(settings.dagster_home)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert int(result.stdout) == len(ran.entries)


def test_first_starts_at_the_same_time_make_one_schema(
    empty_database_url: str, tmp_path: Path
) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from dagster_runs import pooled_instance\n"
        "with pooled_instance(sys.argv[2], Path(sys.argv[3])) as instance:\n"
        "    print(instance.event_log_storage.alembic_version()[0])\n"
    )
    tests = str(Path(__file__).parents[2])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tests, empty_database_url, str(tmp_path / str(n))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    results = [process.communicate(timeout=DEADLINE_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], results
    assert len({out for out, _ in results}) == 1
    with psycopg.connect(empty_database_url) as connection:
        rows = connection.execute(
            "SELECT table_schema, count(*) FROM information_schema.tables"
            " WHERE table_schema IN ('dagster', 'public') GROUP BY 1"
        ).fetchall()
    assert [schema for schema, _ in rows] == ["dagster"]


def _connections(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'tool-catalog-dagster'"
        ).fetchone()
    assert row is not None
    return row[0]


def test_one_pool_for_all_instances_and_none_after_the_last(
    empty_database_url: str, tmp_path: Path
) -> None:
    with pooled_instance(empty_database_url, tmp_path / "a") as first:
        with pooled_instance(empty_database_url, tmp_path / "b") as second:
            with ThreadPoolExecutor(40) as threads:
                list(threads.map(lambda n: (first, second)[n % 2].get_runs_count(), range(200)))
            assert 1 <= _connections(empty_database_url) <= POOL_SIZE + MAX_OVERFLOW
        assert first.get_runs_count() == 0
    assert _connections(empty_database_url) == 0


def test_an_instance_nobody_closes_gives_its_pool_back(
    empty_database_url: str, tmp_path: Path
) -> None:
    import gc

    with pooled_instance(empty_database_url, tmp_path / "a"):
        config = str(tmp_path / "a")
        forgotten = dg.DagsterInstance.from_config(config)
        assert forgotten.get_runs_count() == 0
    assert _connections(empty_database_url) >= 1
    del forgotten
    gc.collect()
    deadline = time.monotonic() + DEADLINE_S  # the server takes a moment to see them closed
    while _connections(empty_database_url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _connections(empty_database_url) == 0


def test_a_running_step_can_be_watched(empty_database_url: str, tmp_path: Path) -> None:
    """Another instance, as the webserver is, sees events before the step ends."""
    seen_log = threading.Event()

    @dg.op
    def waits(context) -> None:
        context.log.info("half way")
        assert seen_log.wait(DEADLINE_S), "the watcher did not see the log line"

    @dg.graph
    def slow() -> None:
        waits()

    def notice(entry: EventLogEntry, _: str) -> None:
        if entry.user_message == "half way":
            seen_log.set()

    with pooled_instance(empty_database_url, tmp_path / "a") as instance:
        job = in_memory(slow, threads_executor)
        run = instance.create_run_for_job(job, run_config=QUIET)
        instance.watch_event_logs(run.run_id, None, notice)
        from dagster._core.definitions.job_base import InMemoryJob
        from dagster._core.execution.api import execute_run

        execute_run(InMemoryJob(job), run, instance)
        instance.end_watch_event_logs(run.run_id, notice)
        assert read_run(instance, run.run_id).status == "SUCCESS"


def test_events_of_one_step_are_one_statement(empty_database_url: str, tmp_path: Path) -> None:
    from sqlalchemy import event as sqlalchemy_event

    inserts: list[Any] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO event_logs"):
            inserts.append(statement.count("(%("))

    with pooled_instance(empty_database_url, tmp_path / "a") as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, PooledEventLogStorage)
        sqlalchemy_event.listen(storage._engine, "before_cursor_execute", note)
        run_job(in_memory(single, threads_executor), instance)
        sqlalchemy_event.remove(storage._engine, "before_cursor_execute", note)
    assert max(inserts) == len(["STEP_START", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"])


def test_a_large_step_is_written_whole_and_in_order(
    empty_database_url: str, tmp_path: Path
) -> None:
    @dg.op
    def chatty(context) -> None:
        for number in range(1200):
            context.log.debug(str(number))

    @dg.graph
    def loud() -> None:
        chatty()

    with pooled_instance(empty_database_url, tmp_path / "a") as instance:
        ran = run_job(in_memory(loud, threads_executor), instance)
    said = [int(e.user_message) for e in ran.entries if e.dagster_event is None]
    assert said == list(range(1200))


def test_the_webserver_limits_its_statements(empty_database_url: str, tmp_path: Path) -> None:
    from sqlalchemy import text

    with pooled_instance(empty_database_url, tmp_path / "a") as instance:
        instance.optimize_for_webserver(statement_timeout=4000, pool_recycle=60, max_overflow=5)
        storage = instance.event_log_storage
        assert isinstance(storage, PooledEventLogStorage)
        with storage._engine.connect() as connection:
            found = connection.execute(text("SHOW statement_timeout")).scalar()
        assert found == "4s"
        assert instance.get_runs_count() == 0


def test_a_wrong_address_is_an_error_of_ours(tmp_path: Path) -> None:
    from tool_catalog_pipelines.errors import InvalidInputError

    with (
        pytest.raises(InvalidInputError, match="not PostgreSQL"),
        pooled_instance("mysql://somewhere/db", tmp_path),
    ):
        pass


def test_the_home_is_brought_up_to_date(settings: Settings) -> None:
    prepare_dagster_home(settings)
    target = settings.dagster_home / "dagster.yaml"
    target.write_text("# old\n")
    prepare_dagster_home(settings)
    assert "PooledPostgresStorage" in target.read_text()
