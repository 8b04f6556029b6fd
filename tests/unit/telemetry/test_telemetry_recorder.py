"""Facts are on disk at once, reach the table in the background, and one bad fact stops no other."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fact_factory import POISON, FakeTable, key_of, make_fact, make_facts, wait_until

from tool_catalog_pipelines.errors import EnvironmentUnfitError, TerminalError
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.telemetry.backlog import Backlog
from tool_catalog_pipelines.telemetry.delivery import BATCH_FACTS
from tool_catalog_pipelines.telemetry.lines import from_line, to_line
from tool_catalog_pipelines.telemetry.recorder import FactRecorder
from tool_catalog_pipelines.telemetry.spool import deliver_spool
from tool_catalog_pipelines.telemetry.spool_file import SpoolFile


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


def spool_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def lines_of_dead_process(folder: Path, content: bytes, name: str = "1-dead.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def rejected(folder: Path) -> list[dict[str, str]]:
    return [json.loads(file.read_text()) for file in sorted((folder / "rejected").glob("*"))]


def test_a_fact_is_on_disk_when_record_returns(tmp_path: Path, table: FakeTable) -> None:
    table.is_away = True
    with FactRecorder(tmp_path, table.write) as recorder:
        recorder.record(make_fact())
        (file,) = spool_files(tmp_path)
        assert from_line(file.read_bytes()) == make_fact()
        table.is_away = False


def test_facts_are_delivered_without_being_asked_for(tmp_path: Path, table: FakeTable) -> None:
    with FactRecorder(tmp_path, table.write) as recorder:
        recorder.record(make_fact())
        wait_until(lambda: len(table.rows) == 1)
        (file,) = spool_files(tmp_path)
        wait_until(lambda: file.stat().st_size == 0)
        recorder.record(make_fact(attempt=2))
        wait_until(lambda: len(table.rows) == 2)


def test_flush_delivers_now_in_batches(tmp_path: Path, table: FakeTable) -> None:
    facts = make_facts(3 * BATCH_FACTS + 7)
    with FactRecorder(tmp_path, table.write) as recorder:
        for fact in facts:
            recorder.record(fact)
        assert recorder.flush(10)
        assert list(table.rows) == [key_of(fact) for fact in facts]
        assert table.largest_batch <= BATCH_FACTS


def test_flush_says_that_postgresql_is_away_and_succeeds_when_it_is_back(
    tmp_path: Path, table: FakeTable
) -> None:
    table.is_away = True
    with FactRecorder(tmp_path, table.write) as recorder:
        for fact in make_facts(20):
            recorder.record(fact)
        assert not recorder.flush(0.3)
        table.is_away = False
        assert recorder.flush(10)
        assert len(table.rows) == 20


def test_close_removes_the_file_and_is_idempotent(tmp_path: Path, table: FakeTable) -> None:
    recorder = FactRecorder(tmp_path, table.write)
    recorder.record(make_fact())
    assert recorder.close()
    assert recorder.close()
    assert spool_files(tmp_path) == []
    assert len(table.rows) == 1
    with pytest.raises(TerminalError, match="closed"):
        recorder.record(make_fact(attempt=2))


def test_what_close_cannot_deliver_waits_for_the_next_process(
    tmp_path: Path, table: FakeTable
) -> None:
    table.is_away = True
    recorder = FactRecorder(tmp_path, table.write)
    for fact in make_facts(5):
        recorder.record(fact)
    assert not recorder.close(timeout_s=0.2)
    assert not recorder.close(timeout_s=0.2)
    assert deliver_spool(tmp_path, table.write) == 0
    assert len(spool_files(tmp_path)) == 1
    table.is_away = False
    assert deliver_spool(tmp_path, table.write) == 5
    assert spool_files(tmp_path) == []
    assert deliver_spool(tmp_path, table.write) == 0


def test_a_refused_fact_is_set_aside_with_its_reason(tmp_path: Path, table: FakeTable) -> None:
    facts = make_facts(300)
    facts[17] = make_fact(step=POISON, item="a")
    facts[299] = make_fact(step=POISON, item="b")
    with FactRecorder(tmp_path, table.write) as recorder:
        for fact in facts:
            recorder.record(fact)
        assert recorder.flush(10)
    assert len(table.rows) == 298
    found = rejected(tmp_path)
    assert {from_line(r["line"].encode()).item for r in found} == {"a", "b"}
    assert all("it is poison" in r["reason"] for r in found)


def test_an_outage_while_the_refused_fact_is_searched_loses_nothing(
    tmp_path: Path, table: FakeTable
) -> None:
    calls = 0

    def away_at_times(facts: Sequence[Execution]) -> int:
        nonlocal calls
        calls += 1
        table.is_away = calls % 3 == 0 and calls < 30
        return table.write(facts)

    facts = [*make_facts(60), make_fact(step=POISON), *make_facts(60, "run-2")]
    lines_of_dead_process(tmp_path, b"".join(map(to_line, facts)))
    while spool_files(tmp_path):
        deliver_spool(tmp_path, away_at_times)
    assert len(table.rows) == 120
    assert len(rejected(tmp_path)) == 1


def test_any_error_of_write_is_survived(tmp_path: Path, table: FakeTable) -> None:
    def write(facts: Sequence[Execution]) -> int:
        if any(fact.item == "3" for fact in facts):
            raise ZeroDivisionError("a mistake of ours")
        return table.write(facts)

    with FactRecorder(tmp_path, write) as recorder:
        for fact in make_facts(10):
            recorder.record(fact)
        assert recorder.flush(10)
    assert len(table.rows) == 9
    assert rejected(tmp_path)[0]["reason"] == "ZeroDivisionError: a mistake of ours"


def test_a_torn_last_line_is_reported_and_the_other_facts_arrive(
    tmp_path: Path, table: FakeTable
) -> None:
    torn = to_line(make_fact(item="torn"))[:-30]
    lines_of_dead_process(tmp_path, b"".join(map(to_line, make_facts(3))) + torn)
    assert deliver_spool(tmp_path, table.write) == 3
    (report,) = rejected(tmp_path)
    assert report["reason"].startswith("cut off when its process died")
    assert report["line"] == torn.decode()


def test_a_last_line_that_lacks_only_its_end_is_a_fact(tmp_path: Path, table: FakeTable) -> None:
    lines_of_dead_process(tmp_path, to_line(make_fact())[:-1])
    assert deliver_spool(tmp_path, table.write) == 1
    assert rejected(tmp_path) == []


def test_garbage_between_facts_costs_only_itself(tmp_path: Path, table: FakeTable) -> None:
    one, two = map(to_line, make_facts(2))
    lines_of_dead_process(tmp_path, one + b"\x00\xff\n\n[1]\n" + two)
    assert deliver_spool(tmp_path, table.write) == 2
    assert len(rejected(tmp_path)) == 3


def test_a_file_delivered_twice_rejects_a_line_once(tmp_path: Path, table: FakeTable) -> None:
    for _ in range(2):
        lines_of_dead_process(tmp_path, b"garbage\n" + to_line(make_fact()))
        deliver_spool(tmp_path, table.write)
    assert len(rejected(tmp_path)) == 1
    assert len(table.rows) == 1


def test_lines_longer_than_a_read_arrive(tmp_path: Path, table: FakeTable) -> None:
    long = make_facts(3, error_message="x" * 2_500_000)
    lines_of_dead_process(tmp_path, b"".join(map(to_line, long)))
    assert deliver_spool(tmp_path, table.write) == 3


def test_the_file_of_a_living_recorder_is_left_alone(tmp_path: Path, table: FakeTable) -> None:
    table.is_away = True
    with FactRecorder(tmp_path, table.write) as recorder:
        recorder.record(make_fact())
        assert deliver_spool(tmp_path, FakeTable().write) == 0
        assert len(spool_files(tmp_path)) == 1
        table.is_away = False


def test_without_a_spool_folder_there_is_nothing_to_deliver(tmp_path: Path) -> None:
    assert deliver_spool(tmp_path / "nowhere", FakeTable().write) == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentUnfitError, match="TOOL_CATALOG_HOME"):
        FactRecorder(tmp_path / "file" / "spool", FakeTable().write)


def test_many_threads_record_at_once(tmp_path: Path, table: FakeTable) -> None:
    with FactRecorder(tmp_path, table.write) as recorder, ThreadPoolExecutor(8) as pool:
        runs = [make_facts(150, f"run-{number}") for number in range(8)]
        list(pool.map(lambda facts: [recorder.record(fact) for fact in facts], runs))
        assert recorder.flush(20)
    assert set(table.rows) == {key_of(fact) for facts in runs for fact in facts}
    assert rejected(tmp_path) == []


def test_many_take_overs_deliver_each_fact_once(tmp_path: Path, table: FakeTable) -> None:
    for number in range(12):
        content = b"".join(map(to_line, make_facts(30, f"run-{number}")))
        lines_of_dead_process(tmp_path, content, f"{number}-dead.jsonl")
    with ThreadPoolExecutor(6) as pool:
        stored = pool.map(lambda _n: deliver_spool(tmp_path, table.write), range(6))
        assert sum(stored) == 360
    assert spool_files(tmp_path) == []


def test_new_files_are_safe_from_take_overs(tmp_path: Path) -> None:
    """A file that is taken away between its making and its lock is made again."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            deliver_spool(tmp_path, FakeTable().write)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(sweep)
        try:
            for _ in range(200):
                file = SpoolFile.create(tmp_path)
                assert file.path.exists()
                file.remove()
        finally:
            stop.set()


def test_under_a_load_without_pause_full_files_are_removed(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, file_bytes=1000)
    lines = [f'{{"n": {number:06}}}\n'.encode() for number in range(500)]
    delivered: list[bytes] = []
    for line in lines:  # always one line ahead of delivery, so never empty
        backlog.append(line)
        if len(delivered) < len(lines) - 1 and line is not lines[0]:
            batch = backlog.next_lines(1)
            delivered.extend(batch.lines)
            backlog.confirm(batch)
            assert len(spool_files(tmp_path)) <= 2
    confirmed, recorded = backlog.positions()
    assert (confirmed, recorded) == (499 * len(lines[0]), 500 * len(lines[0]))
    assert delivered == lines[:-1]
    backlog.close()
    assert len(spool_files(tmp_path)) == 1
