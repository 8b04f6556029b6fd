"""Killed processes, a stopped server and a full disk lose no fact and store none twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fact_factory import FakeTable, make_fact, make_facts
from sqlalchemy import Engine, text

from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.db.server import acquire_database, wait_until_stopped
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.recorder import FactRecorder
from tool_catalog_pipelines.telemetry.spool import deliver_spool
from tool_catalog_pipelines.telemetry.writer import FactWriter

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
RECORDING = FIXTURES / "recording_process.py"
FULL_DISK = FIXTURES / "recording_on_full_disk.py"


@contextmanager
def recording(spool: Path, run_id: str, count: int, address: str) -> Iterator[subprocess.Popen]:
    argv = [sys.executable, str(RECORDING), str(spool), run_id, str(count), address]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def record_then_kill(spool: Path, run_id: str, address: str, at_least: int) -> set[str]:
    """Kill a process in full flight; returns the facts that it had finished recording."""
    with recording(spool, run_id, 0, address) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(at_least)]
        process.kill()
        said.extend(process.stdout)
    return {line.strip() for line in said if line.endswith("\n")}


def stored_items(engine: Engine, run_id: str) -> list[str]:
    select = text("SELECT item FROM tool_catalog.tool_telemetry WHERE run_id = :run_id")
    with engine.connect() as connection:
        return list(connection.execute(select, {"run_id": run_id}).scalars())


@pytest.mark.parametrize("at_least", [1, 40, 700])
def test_facts_of_a_killed_process_are_delivered_by_another(tmp_path: Path, at_least: int) -> None:
    table = FakeTable()
    recorded = record_then_kill(tmp_path, "killed", "", at_least)
    stored = deliver_spool(tmp_path, table.write)
    assert recorded <= {fact.item for fact in table.rows.values()}
    assert stored == len(table.rows)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_a_process_killed_while_it_delivers_stores_each_fact_once(
    tmp_path: Path, engine: Engine, database_url: str
) -> None:
    recorded: dict[str, set[str]] = {}
    for number in range(3):
        run_id = f"run-{number}"
        recorded[run_id] = record_then_kill(tmp_path, run_id, database_url, 600)
    deliver_spool(tmp_path, FactWriter(engine).write)
    for run_id, items in recorded.items():
        stored = stored_items(engine, run_id)
        assert len(stored) == len(set(stored))
        assert items <= set(stored)


def test_processes_at_once_share_spool_and_table(
    tmp_path: Path, engine: Engine, database_url: str
) -> None:
    with (
        recording(tmp_path, "one", 400, database_url) as one,
        recording(tmp_path, "two", 400, database_url) as two,
    ):
        while one.poll() is None or two.poll() is None:
            deliver_spool(tmp_path, FactWriter(engine).write)
            for process in (one, two):
                if process.poll() is None and process.stdout is not None:
                    process.stdout.read(1000)
    assert (one.returncode, two.returncode) == (0, 0)
    for run_id in ("one", "two"):
        assert sorted(stored_items(engine, run_id), key=int) == [str(n) for n in range(400)]
    assert list(tmp_path.glob("*.jsonl")) == []


def test_facts_wait_while_postgresql_is_stopped(offline_settings: Settings) -> None:
    settings = offline_settings
    with acquire_database(settings) as database:
        engine = make_engine(database)
        migrate(engine)
        recorder = FactRecorder(settings.spool_dir, FactWriter(engine).write)
        for fact in make_facts(50, "before"):
            recorder.record(fact)
        assert recorder.flush(30)
    assert wait_until_stopped(settings)

    for fact in make_facts(1200, "during"):
        recorder.record(fact)
    assert not recorder.flush(0.5)

    with acquire_database(settings):
        for fact in make_facts(50, "after"):
            recorder.record(fact)
        assert recorder.flush(30)
        assert recorder.close()
        for run_id, count in (("before", 50), ("during", 1200), ("after", 50)):
            items = sorted(stored_items(engine, run_id), key=int)
            assert items == [str(number) for number in range(count)]
        assert not (settings.spool_dir / "rejected").exists()
        engine.dispose()


def test_on_a_full_disk_facts_go_to_the_table_or_the_loss_is_said(tmp_path: Path) -> None:
    argv = [sys.executable, str(FULL_DISK), str(tmp_path)]
    ended = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    result = json.loads(ended.stdout)
    lost = len(result["said"])
    assert 0 < lost < 20
    assert all("is lost" in text for text in result["said"])
    assert result["delivered"]
    assert result["stored"] == 40 - lost
    assert not (tmp_path / "rejected").exists()


def test_a_large_backlog_is_delivered_in_small_batches(tmp_path: Path) -> None:
    table = FakeTable()
    table.is_away = True
    recorder = FactRecorder(tmp_path, table.write)
    fact = make_fact()
    for _ in range(40_000):
        recorder.record(fact)
    assert not recorder.close(timeout_s=0.1)
    table.is_away = False
    assert deliver_spool(tmp_path, table.write) == 1
    assert table.largest_batch <= 500
