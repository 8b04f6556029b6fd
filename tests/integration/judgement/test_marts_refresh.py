"""Marts hold every fact of PostgreSQL once, say what happened, and are published whole."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from fact_factory import STARTED, make_fact, make_facts
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tool_catalog_pipelines.db.addresses import with_database
from tool_catalog_pipelines.db.server import Database, acquire_database
from tool_catalog_pipelines.errors import DatabaseUnavailableError, TransientError
from tool_catalog_pipelines.facts import Execution
from tool_catalog_pipelines.judgement.marts import open_marts, publish_marts, refresh_marts
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.writer import FactWriter


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with acquire_database(settings) as acquired:
        yield acquired


@pytest.fixture
def writer(engine: Engine) -> FactWriter:
    return FactWriter(engine)


def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with open_marts(settings) as connection:
        return connection.execute(sql).fetchall()


def ask_one(settings: Settings, sql: str) -> dict[str, Any]:
    with open_marts(settings) as connection:
        result = connection.execute(sql)
        names = [str(column[0]) for column in result.description or ()]
        (row,) = result.fetchall()
        return dict(zip(names, row, strict=True))


def insert_test(database_url: str, unit: str) -> None:
    """An experiment `faster` on linux/echo."""
    tool = (
        "INSERT INTO tool_catalog.tools (platform, tool_name, version, original_version, status, "
        "enabled, category, description, content_hash, spec, created_by, updated_by) "
        "VALUES ('linux', 'echo', %s, %s, 'active', true, 'system', 'x', 'h', '{}', "
        "'me', 'me') RETURNING id"
    )
    with psycopg.connect(database_url) as connection:
        ids = [connection.execute(tool, (v, v)).fetchone()[0] for v in ("1.0.0", "1.1.0")]
        connection.execute(
            "INSERT INTO tool_catalog.tool_ab_tests (test_name, description, platform, tool_key, "
            "tool_a_id, tool_b_id, unit, traffic_split, metric, minimum_sample_per_arm, alpha, "
            "status, content_hash, spec, created_by, updated_by) VALUES ('faster', 'x', 'linux', "
            "'echo', %s, %s, %s, 0.5, 'duration_ms', 2, 0.05, 'active', 'h', '{}', 'me', 'me')",
            (*ids, unit),
        )


def test_an_empty_installation_has_empty_marts(settings: Settings, database: Database) -> None:
    report = refresh_marts(settings, database)
    assert (report.loaded_facts, report.rebuilt) == (0, "")
    assert set(report.rows.values()) == {0, 1}  # load_state has one row
    assert ask(settings, "SELECT count(*) FROM daily_performance") == [(0,)]


def test_a_fact_arrives_with_every_field(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    fact = make_fact(
        cost_units=2.5, exit_code=3, cpu_seconds=0.01, peak_memory_bytes=2**40, output_bytes=7,
        experiment="faster", arm="a", error_type="X", error_signature="x", error_message="why ü",
        started_at=datetime(2026, 11, 2, 23, 59, 59, 999_999, UTC),
    )  # fmt: skip
    writer.write([fact])
    assert refresh_marts(settings, database).loaded_facts == 1
    row = ask_one(settings, "SELECT * FROM executions")
    row["user"] = row.pop("user_id")
    for name in ("run_started_at", "started_at", "finished_at"):
        row[name] = row[name].replace(tzinfo=UTC)
    for name in ("variables_before", "variables_measured"):
        row[name] = duckdb.execute("SELECT ?::JSON::MAP(VARCHAR, DOUBLE)", [row[name]]).fetchone()[
            0
        ]
    assert Execution(**row) == fact


def test_each_refresh_loads_only_what_is_new(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    for number, count in enumerate((5, 0, 7)):
        writer.write(make_facts(count, f"run-{number}"))
        assert refresh_marts(settings, database).loaded_facts == count
    assert ask(settings, "SELECT count(*) FROM executions") == [(12,)]


def test_a_fact_that_is_loaded_again_is_not_doubled(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    """Should the watermark ever be wrong, the natural key still holds."""
    writer.write(make_facts(5))
    refresh_marts(settings, database)
    with duckdb.connect(str(settings.marts_path)) as connection:
        connection.execute("UPDATE load_state SET snapshot = '3:3:'")
        connection.execute("DELETE FROM executions WHERE item = '3'")
    assert refresh_marts(settings, database).loaded_facts == 1
    assert ask(settings, "SELECT count(*), count(DISTINCT item) FROM executions") == [(5, 5)]


def insert_fact(connection: psycopg.Connection, run_id: str) -> None:
    """One fact within the transaction of the caller."""
    connection.execute(
        "INSERT INTO tool_catalog.tool_telemetry (tenant, run_started_at, run_id, step, item, "
        "attempt, chain, chain_version, fingerprint, platform, tool_name, tool_version, "
        "capability, pattern, environment, user_id, host, status, started_at, finished_at, "
        "duration_ms) SELECT 'shared', now(), %s, 's', '', 1, 'c', '1', 'f', 'linux', 't', "
        "'1', 'c', 'p', 'e', 'u', 'h', 'success', now(), now(), 1",
        (run_id,),
    )


def runs_in_marts(settings: Settings) -> dict[str, int]:
    return dict(ask(settings, "SELECT run_id, count(*) FROM executions GROUP BY ALL"))


def test_an_older_transaction_that_commits_late_is_not_missed(
    settings: Settings, database: Database, writer: FactWriter, database_url: str
) -> None:
    """Nor does it hold back the facts of transactions that began after it."""
    with psycopg.connect(database_url) as late:
        insert_fact(late, "late")
        writer.write(make_facts(3, "meanwhile"))
        assert refresh_marts(settings, database).loaded_facts == 3
        writer.write(make_facts(2, "after"))
        assert refresh_marts(settings, database).loaded_facts == 2
        late.commit()
    assert refresh_marts(settings, database).loaded_facts == 1
    assert refresh_marts(settings, database).loaded_facts == 0
    assert runs_in_marts(settings) == {"late": 1, "meanwhile": 3, "after": 2}


def test_overlapping_transactions_are_each_loaded_once(
    settings: Settings, database: Database, database_url: str
) -> None:
    """They commit in another order than they began, with a refresh between any two commits."""
    open_ones = {name: psycopg.connect(database_url) for name in "abcde"}
    for name, connection in open_ones.items():
        insert_fact(connection, name)
    loaded = 0
    for name in "dbeac":
        with open_ones[name]:  # commits and closes
            pass
        loaded += refresh_marts(settings, database).loaded_facts
        assert name in runs_in_marts(settings)
    assert loaded == 5


def test_a_transaction_that_is_rolled_back_leaves_nothing(
    settings: Settings, database: Database, writer: FactWriter, database_url: str
) -> None:
    with psycopg.connect(database_url) as other:
        insert_fact(other, "undone")
        writer.write(make_facts(4))
        refresh_marts(settings, database)
        other.rollback()
    refresh_marts(settings, database)
    assert runs_in_marts(settings) == {"run-1": 4}


def test_days_and_hours_count_every_status(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    durations = [10.0, 20.0, 40.0]
    evening = STARTED.replace(hour=23, minute=59)
    facts = [
        make_fact(item=str(n), duration_ms=ms, estimate_ms=10.0, cost_units=1.5, started_at=evening)
        for n, ms in enumerate(durations)
    ]
    facts.extend(
        make_fact(item=status, status=status, duration_ms=1e6, started_at=evening)
        for status in ("no_result", "failed", "timeout", "cancelled", "skipped")
    )
    facts.append(make_fact(item="next", started_at=evening + timedelta(minutes=1)))
    writer.write(facts)
    refresh_marts(settings, database)
    first = ask_one(settings, "SELECT * FROM daily_performance ORDER BY day LIMIT 1")
    assert first["day"] == datetime(2026, 11, 2)
    counts = ("executions", "succeeded", "no_result", "failed", "timed_out", "cancelled", "skipped")
    assert [first[name] for name in counts] == [7, 3, 1, 1, 1, 1, 1]
    assert first["success_rate"] == pytest.approx(4 / 6)
    assert (first["timed"], first["p50_ms"], first["max_ms"]) == (3, 20.0, 40.0)
    assert first["mean_ms"] == pytest.approx(70 / 3)
    assert first["p95_ms"] == pytest.approx(38.0)
    assert first["sum_square_ms2"] == pytest.approx(100 + 400 + 1600)
    assert first["sum_square_ln_ms"] == pytest.approx(sum(math.log(ms) ** 2 for ms in durations))
    assert first["median_actual_to_estimate"] == 2.0
    assert first["cost_units"] == 4.5
    hours = ask(settings, "SELECT hour, executions FROM hourly_performance ORDER BY hour")
    assert hours == [(datetime(2026, 11, 2, 23), 7), (datetime(2026, 11, 3), 1)]


positive = st.floats(0.01, 1e6)


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(positive, st.integers(0, 40)), min_size=2, max_size=30))
def test_hours_merge_into_the_whole(
    settings: Settings, database: Database, writer: FactWriter, sample: list[tuple[float, int]]
) -> None:
    """Mean and variance of ln(duration) from the sums of hours are those of all durations."""
    run = f"run-{datetime.now(UTC).timestamp()}"
    writer.write(
        [
            make_fact(run_id=run, tool_name=run, item=str(n), duration_ms=ms,
                      started_at=STARTED + timedelta(hours=hours))
            for n, (ms, hours) in enumerate(sample)
        ]
    )  # fmt: skip
    refresh_marts(settings, database)
    n, total, squares = ask(
        settings,
        "SELECT sum(timed), sum(sum_ln_ms), sum(sum_square_ln_ms) "
        f"FROM hourly_performance WHERE tool_name = '{run}'",
    )[0]
    logs = [math.log(ms) for ms, _hours in sample]
    assert n == len(logs)
    assert total / n == pytest.approx(statistics.fmean(logs), abs=1e-9)
    assert squares / n - (total / n) ** 2 == pytest.approx(statistics.pvariance(logs), abs=1e-6)


@pytest.mark.parametrize(("unit", "units"), [("run", 2), ("user", 1), ("item", 6)])
def test_arms_count_first_attempts_and_units(
    settings: Settings, database: Database, writer: FactWriter, database_url: str,
    unit: str, units: int,
) -> None:  # fmt: skip
    insert_test(database_url, unit)
    facts = [
        make_fact(run_id=run, item=str(n), duration_ms=math.e, cost_units=2.0, experiment="faster",
                  arm="b", tool_version="1.1.0", status=status)
        for run in ("one", "two")
        for n, status in enumerate(("success", "failed", "cancelled"))
    ]  # fmt: skip
    facts.append(make_fact(run_id="one", item="1", attempt=2, experiment="faster", arm="b"))
    facts.append(make_fact(run_id="one", item="9", status="skipped", experiment="faster", arm="b"))
    facts.append(make_fact(run_id="other"))
    writer.write(facts)
    refresh_marts(settings, database)
    arm = ask_one(settings, "SELECT * FROM experiment_arms")
    assert (arm["experiment"], arm["arm"], arm["tool_version"]) == ("faster", "b", "1.1.0")
    assert (arm["exposures"], arm["successes"], arm["cancelled"], arm["timed"]) == (4, 2, 2, 2)
    assert arm["sum_ln_ms"] == pytest.approx(2.0)
    assert (arm["costed"], arm["sum_square_cost_units"]) == (4, 16.0)
    assert arm["units"] == units
    timed_units = {"run": 2, "user": 1, "item": 2}[unit]
    assert arm["timed_units"] == timed_units
    assert arm["sum_unit_ln_ms"] == pytest.approx(timed_units)
    assert arm["sum_unit_success_rate"] == pytest.approx({"run": 1, "user": 0.5, "item": 2}[unit])


def test_ratios_and_points_carry_variables_as_numbers(
    settings: Settings, database: Database, writer: FactWriter, database_url: str
) -> None:
    insert_test(database_url, "run")
    with psycopg.connect(database_url) as connection:
        (tool_id,) = connection.execute("SELECT min(id) FROM tool_catalog.tools").fetchone()
    measured = {"lines": 120.0, "files": math.nan}
    before = {"lines": 100.0, "files": 5.0}
    writer.write(
        [
            make_fact(tool_id=tool_id, variables_before=before, variables_measured=measured),
            make_fact(item="failed", tool_id=tool_id, status="failed"),
            make_fact(item="unknown tool"),
            make_fact(item="no estimate", tool_id=tool_id, estimate_ms=None),
        ]
    )
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE tool_catalog.tool_telemetry SET variables_measured = "
            """'{"lines": "many", "odd": [1], "flag": true}' WHERE item = 'no estimate'"""
        )
    refresh_marts(settings, database)
    points = ask(settings, "SELECT item, variables FROM recalibration_points ORDER BY item")
    assert points == [
        ("", {"lines": 120.0, "files": 5.0}),
        ("no estimate", {"lines": 100.0, "flag": 1.0}),
    ]
    ratios = ask(settings, "SELECT item, ln_ratio FROM estimate_ratio ORDER BY item")
    expected = pytest.approx(math.log(1.2))
    assert ratios == [("", expected), ("no estimate", None), ("unknown tool", expected)]


def test_catalogue_tables_are_copied_whole(
    settings: Settings, database: Database, database_url: str
) -> None:
    insert_test(database_url, "run")
    refresh_marts(settings, database)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE tool_catalog.tools SET status = 'deprecated'")
    refresh_marts(settings, database)
    versions = ask(settings, "SELECT version, status FROM tools ORDER BY id")
    assert versions == [("1.0.0", "deprecated"), ("1.1.0", "deprecated")]
    assert ask(settings, "SELECT test_name, unit FROM tool_ab_tests") == [("faster", "run")]


def test_facts_of_another_database_replace_the_marts(
    settings: Settings, database: Database, writer: FactWriter, empty_database_url: str
) -> None:
    from tool_catalog_pipelines.db.engine import make_engine
    from tool_catalog_pipelines.db.migrate import migrate

    writer.write(make_facts(3))
    refresh_marts(settings, database)
    other = make_engine(empty_database_url)
    migrate(other)
    FactWriter(other).write(make_facts(2, "elsewhere"))
    other.dispose()
    address = with_database(database.libpq_url, empty_database_url.rpartition("/")[2].split("?")[0])
    moved = Settings(
        home=settings.home, database_url=address, catalog_dir=settings.catalog_dir,
        analytics_dir=settings.analytics_dir, actor="tester",
    )  # fmt: skip
    with acquire_database(moved) as second:
        report = refresh_marts(moved, second)
    assert (report.loaded_facts, report.rebuilt) == (
        2, "the facts in the file came from another database",
    )  # fmt: skip
    assert ask(settings, "SELECT DISTINCT run_id FROM executions") == [("elsewhere",)]


def test_a_database_set_back_or_a_new_layout_begins_anew(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    writer.write(make_facts(3))
    refresh_marts(settings, database)
    for change, reason in (
        ("snapshot = '4000000000000:4000000000000:'", "set back"),
        ("layout = 'older'", "tables have changed"),
        ("snapshot = 'nonsense'", "another version"),
    ):
        with duckdb.connect(str(settings.marts_path)) as connection:
            connection.execute(f"UPDATE load_state SET {change}")
        report = refresh_marts(settings, database)
        assert report.loaded_facts == 3
        assert reason in report.rebuilt


def test_a_file_of_a_stranger_begins_anew(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    writer.write(make_facts(3))
    settings.marts_path.parent.mkdir()
    with duckdb.connect(str(settings.marts_path)) as connection:
        connection.execute("CREATE TABLE something (a INTEGER)")
    report = refresh_marts(settings, database)
    assert (report.loaded_facts, report.rebuilt) == (3, "the file was made by another version")


def _garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 3000)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(12_288, len(content)):
        content[at] ^= 0x5A
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_garbage, _empty, _cut, _flipped])
def test_a_damaged_file_is_made_anew_and_said(
    settings: Settings, database: Database, writer: FactWriter, damage: Any
) -> None:
    writer.write(make_facts(3000))
    refresh_marts(settings, database)
    damage(settings.marts_path)
    report = refresh_marts(settings, database)
    assert report.loaded_facts == 3000
    assert "damaged" in report.rebuilt
    assert refresh_marts(settings, database).rebuilt == ""


def test_a_file_that_is_open_elsewhere_is_not_taken_for_damaged(
    settings: Settings, database: Database
) -> None:
    import subprocess
    import sys

    refresh_marts(settings, database)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    argv = [sys.executable, "-c", hold, str(settings.marts_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(TransientError, match="open in another process"):
            refresh_marts(settings, database)
        holder.communicate("\n")
    assert refresh_marts(settings, database).rebuilt == ""


def test_a_second_writer_waits_then_names_the_first(
    settings: Settings, database: Database, database_url: str
) -> None:
    name = "tool-catalog marts, process 4711 on far-away"
    with psycopg.connect(database_url, application_name=name, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7236110451884020)")
        with pytest.raises(TransientError, match="process 4711 on far-away"):
            refresh_marts(settings, database, wait_s=0.3)
        other.execute("SELECT pg_advisory_unlock(7236110451884020)")
        refresh_marts(settings, database)


def test_without_postgresql_the_marts_stay_as_they_are(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    writer.write(make_facts(3))
    refresh_marts(settings, database)
    away = Database.__new__(Database)
    away.libpq_url = "postgresql://me:s3cret@127.0.0.1:9/none"
    with pytest.raises(DatabaseUnavailableError) as caught:
        refresh_marts(settings, away)
    assert "s3cret" not in str(caught.value)
    assert ask(settings, "SELECT count(*) FROM executions") == [(3,)]


def test_readers_keep_the_file_they_opened(
    settings: Settings, database: Database, writer: FactWriter
) -> None:
    writer.write(make_facts(3))
    refresh_marts(settings, database)
    query = "SELECT count(*) FROM facts"
    with (
        open_marts(settings) as old,
        duckdb.connect(str(settings.published_path), read_only=True) as direct,
    ):
        before = settings.published_path.stat().st_ino
        writer.write(make_facts(4, "more"))
        refresh_marts(settings, database)
        assert settings.published_path.stat().st_ino != before
        with open_marts(settings) as new:
            assert new.execute(query).fetchall() == [(7,)]
            assert old.execute(query).fetchall() == [(3,)]
            assert direct.execute(query).fetchall() == [(3,)]


def test_the_published_file_is_for_everybody_to_read_and_nobody_to_write(
    settings: Settings, database: Database
) -> None:
    refresh_marts(settings, database)
    path = publish_marts(settings)
    assert path == settings.published_path
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]
    with open_marts(settings) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("DELETE FROM executions")


def test_before_the_first_refresh_there_is_nothing_to_open_or_publish(settings: Settings) -> None:
    with pytest.raises(TransientError, match="refresh them first"), open_marts(settings):
        pass
    with pytest.raises(TransientError, match="refresh them first"):
        publish_marts(settings)
