"""The log of reloads: shared by processes, bounded, readable whatever happened to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tool_catalog_pipelines.catalog import reload_log
from tool_catalog_pipelines.catalog.reload_log import ReloadLog, counted
from tool_catalog_pipelines.catalog.reloads import Reload

START = datetime(2026, 1, 1, tzinfo=UTC)


def reload_at(second: int, error: str = "") -> Reload:
    return Reload(
        START + timedelta(seconds=second), "poll", second, second + 1, 10, float(second), error
    )


def test_the_newest_come_first_with_their_statistics(tmp_path: Path) -> None:
    log = ReloadLog(tmp_path / "catalog" / "reloads.jsonl")
    for second in (1, 2, 3):
        log.add(reload_at(second, "away" if second == 2 else ""))
    found = log.newest(10)
    assert [one.reload.from_revision for one in found] == [3, 2, 1]
    assert log.newest(1) == found[:1]
    statistics = counted(found).statistics()
    assert (statistics.reloads, statistics.failures, statistics.longest_ms) == (2, 1, 3.0)
    assert statistics.mean_ms == 2.0


def test_the_file_stays_small_and_keeps_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload_log, "MAX_BYTES", 2_000)
    log = ReloadLog(tmp_path / "reloads.jsonl")
    for second in range(200):
        log.add(reload_at(second))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5_000
    assert log.newest(1)[0].reload.from_revision == 199


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "reloads.jsonl"
    log = ReloadLog(path)
    log.add(reload_at(1))
    with path.open("ab") as file:
        file.write(b'{"process": 1, "at"\n[]\n\xff\xfe\n{"process": "x"}\n')
    log.add(reload_at(2))
    assert [one.reload.from_revision for one in log.newest(10)] == [2, 1]


def test_many_write_at_once(tmp_path: Path) -> None:
    log = ReloadLog(tmp_path / "reloads.jsonl")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda second: log.add(reload_at(second)), range(100)))
    assert len(log.newest(1000)) == 100


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    log = ReloadLog(tmp_path / "file" / "reloads.jsonl")
    log.add(reload_at(1))
    assert log.newest(5) == ()
