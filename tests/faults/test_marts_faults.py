"""Killed refreshes, broken connections and many at once leave whole marts behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import psycopg
import pytest
from fact_factory import make_facts, wait_until
from sqlalchemy import Engine

from tool_catalog_pipelines.db.server import Database, acquire_database
from tool_catalog_pipelines.errors import DatabaseUnavailableError, TerminalError
from tool_catalog_pipelines.judgement.marts import open_marts, publish_marts, refresh_marts
from tool_catalog_pipelines.settings import CHECKOUT, Settings
from tool_catalog_pipelines.telemetry.writer import FactWriter

REFRESHING = Path(__file__).resolve().parent.parent / "fixtures" / "refreshing_process.py"
GENERATE = """
INSERT INTO tool_catalog.tool_telemetry (tenant, run_started_at, run_id, step, item, attempt,
    chain, chain_version, fingerprint, platform, tool_name, tool_version, capability, pattern,
    environment, user_id, host, status, started_at, finished_at, duration_ms, estimate_ms,
    variables_measured, error_message)
SELECT 'shared', now() - i * interval '1 minute', 'run-' || i / 10, 's', i::text, 1, 'c', '1.0.0',
    repeat('f', 64), 'linux', 'tool-' || mod(i, 20), '1.0.0', 'c', 'p', 'production', 'u', 'h',
    'success', now() - i * interval '1 minute', now(), 1 + mod(i, 97), 10,
    jsonb_build_object('lines', i), repeat('x', 400)
FROM generate_series(1, %s) AS i
"""


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with acquire_database(settings) as acquired:
        yield acquired


def refreshing(settings: Settings, analytics_dir: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, str(REFRESHING), str(settings.home), str(analytics_dir)]
    return subprocess.Popen(
        [*argv, str(settings.database_url)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def published_count(settings: Settings) -> int:
    with open_marts(settings) as connection:
        (row,) = connection.execute(
            "SELECT (SELECT count(*) FROM executions), (SELECT coalesce(sum(executions), 0) "
            "FROM daily_performance), (SELECT coalesce(sum(executions), 0) FROM hourly_performance)"
        ).fetchall()
    assert len(set(row)) == 1, f"tables of different refreshes: {row}"
    return int(row[0])


def analytics_that_stops(folder: Path, marker: Path) -> Path:
    """SQL that computes all marts, then leaves a marker and never ends."""
    shutil.copytree(CHECKOUT / "analytics", folder)
    (folder / "98_mark.sql").write_text(f"COPY (SELECT 1) TO '{marker}'")
    (folder / "99_stop.sql").write_text(
        "SELECT max(hash(a.range) + hash(b.range)) FROM range(100000000) a, range(100000000) b"
    )
    return folder


def test_a_refresh_killed_in_the_middle_leaves_the_state_before_it(
    settings: Settings, database: Database, engine: Engine, tmp_path: Path
) -> None:
    writer = FactWriter(engine)
    writer.write(make_facts(100))
    refresh_marts(settings, database)
    writer.write(make_facts(3000, "more"))
    marker = tmp_path / "marker"
    stopping = analytics_that_stops(tmp_path / "analytics", marker)
    with refreshing(settings, stopping) as process:
        wait_until(marker.exists)
        process.kill()
    with duckdb.connect(str(settings.marts_path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM executions").fetchall() == [(100,)]
    assert published_count(settings) == 100
    report = refresh_marts(settings, database)
    assert (report.loaded_facts, report.rebuilt) == (3000, "")
    assert published_count(settings) == 3100


@pytest.mark.parametrize("delay_s", [0.3, 0.7, 0.9, 1.1, 1.4])
def test_a_refresh_killed_at_any_time_is_made_good_by_the_next(
    settings: Settings, database: Database, engine: Engine, delay_s: float
) -> None:
    writer = FactWriter(engine)
    writer.write(make_facts(2000))
    refresh_marts(settings, database)
    writer.write(make_facts(2000, "more"))
    with refreshing(settings, settings.analytics_dir) as process:
        threading.Event().wait(delay_s)
        process.kill()
    assert published_count(settings) in (2000, 4000)
    assert refresh_marts(settings, database).rebuilt == ""
    assert published_count(settings) == 4000
    left = {file.name for file in settings.published_path.parent.iterdir()}
    assert left == {settings.published_path.name}


def test_a_connection_that_breaks_in_the_middle_changes_nothing(
    settings: Settings, database: Database, engine: Engine, database_url: str
) -> None:
    FactWriter(engine).write(make_facts(10))
    refresh_marts(settings, database)
    FactWriter(engine).write(make_facts(5, "more"))
    # The reader waits for this lock, and is ended there.
    with psycopg.connect(database_url) as locking, ThreadPoolExecutor(1) as pool:
        locking.execute("LOCK tool_catalog.tools IN ACCESS EXCLUSIVE MODE")
        refresh = pool.submit(refresh_marts, settings, database)
        with psycopg.connect(database_url, autocommit=True) as other:
            end_reader = (
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                "datname = current_database() AND wait_event_type = 'Lock'"
            )
            wait_until(lambda: other.execute(end_reader).fetchone() != (0,))
        with pytest.raises(DatabaseUnavailableError):
            refresh.result()
    assert published_count(settings) == 10
    assert refresh_marts(settings, database).loaded_facts == 5


def test_refreshes_at_once_load_each_fact_once(
    settings: Settings, database: Database, engine: Engine
) -> None:
    """In processes and threads, while facts arrive, analysts read and somebody publishes."""
    refresh_marts(settings, database)
    writer = FactWriter(engine)
    is_over = threading.Event()

    def read() -> list[int]:
        counts: list[int] = []
        while not is_over.is_set():
            counts.append(published_count(settings))
        return counts

    with ThreadPoolExecutor(4) as pool:
        reading = pool.submit(read)
        processes = [refreshing(settings, settings.analytics_dir) for _ in range(2)]
        threads = [pool.submit(refresh_marts, settings, database) for _ in range(2)]
        publishing = pool.submit(publish_marts, settings)
        try:
            for number in range(20):
                writer.write(make_facts(50, f"run-{number}"))
            outputs = [process.communicate(timeout=120) for process in processes]
            loaded = sum(future.result().loaded_facts for future in threads)
            publishing.result()
        finally:
            is_over.set()
        for process, (said, problem) in zip(processes, outputs, strict=True):
            assert process.returncode == 0, problem
            loaded += int(said.split()[0])
        counts = reading.result()
    assert counts == sorted(counts)
    loaded += refresh_marts(settings, database).loaded_facts
    assert loaded == published_count(settings) == 1000


def refresh_generated(settings: Settings, database_url: str, count: int) -> int:
    """Load that many facts into new marts in another process; returns its peak memory in kB."""
    with psycopg.connect(database_url) as connection:
        connection.execute("TRUNCATE tool_catalog.tool_telemetry")
        connection.execute(GENERATE, (count,))
    shutil.rmtree(settings.marts_path.parent, ignore_errors=True)
    with refreshing(settings, settings.analytics_dir) as process:
        said, problem = process.communicate(timeout=250)
    assert process.returncode == 0, problem
    loaded, peak_kb = map(int, said.split())
    assert loaded == count == published_count(settings)
    return peak_kb


@pytest.mark.parametrize(
    "facts",
    [
        50_000,
        # More than a row group of DuckDB, which takes another way through it.
        150_000,
        pytest.param(1_000_000, marks=pytest.mark.slow),
    ],
)
def test_many_facts_are_all_loaded_in_bounded_memory(
    settings: Settings, database: Database, database_url: str, facts: int
) -> None:
    """One fact has about 1.1 kB; DuckDB may use 512 MB, and record batches come on top."""
    least_kb = refresh_generated(settings, database_url, 1_000)
    assert refresh_generated(settings, database_url, facts) < least_kb + 700_000


def test_rows_that_cannot_be_read_back_stop_the_refresh(
    settings: Settings, database: Database, engine: Engine, tmp_path: Path
) -> None:
    """The watermark does not move, so the facts come again."""
    FactWriter(engine).write(make_facts(10))
    refresh_marts(settings, database)
    FactWriter(engine).write(make_facts(5, "more"))
    losing = tmp_path / "analytics"
    shutil.copytree(CHECKOUT / "analytics", losing)
    file = losing / "02_add_executions.sql"
    file.write_text(f"DELETE FROM executions WHERE item = '3'; {file.read_text()}")
    with pytest.raises(TerminalError, match=r"wrote 15 rows to executions and can read 14"):
        refresh_marts(replace(settings, analytics_dir=losing), database)
    assert published_count(settings) == 10
    assert refresh_marts(settings, database).loaded_facts == 5
    assert published_count(settings) == 15
