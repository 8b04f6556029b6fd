"""The table holds each fact once, takes odd values, and an error tells whose fault it is."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from fact_factory import make_fact, make_facts
from sqlalchemy import Engine, text

from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.errors import DatabaseUnavailableError, TerminalError
from tool_catalog_pipelines.telemetry.partitions import ensure_partitions
from tool_catalog_pipelines.telemetry.recorder import FactRecorder
from tool_catalog_pipelines.telemetry.writer import FactWriter


def test_facts_are_stored_with_every_field(engine: Engine) -> None:
    fact = make_fact(
        cost_units=2.5, exit_code=0, cpu_seconds=0.01, peak_memory_bytes=2**40, output_bytes=7,
        experiment="faster", arm="a", error_type="X", error_signature="x", error_message="why",
    )  # fmt: skip
    assert FactWriter(engine).write([fact]) == 1
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM tool_catalog.tool_telemetry")).mappings().one()
    stored = {("user" if name == "user_id" else name): value for name, value in row.items()}
    wanted = {name: getattr(fact, name) for name in fact.__slots__}
    assert {name: stored[name] for name in wanted} == wanted


@pytest.mark.parametrize("count", [0, 1, 50, 1500])
def test_facts_that_are_there_stay_as_they_are(engine: Engine, count: int) -> None:
    writer = FactWriter(engine)
    assert writer.write(make_facts(count)) == count
    assert writer.write(make_facts(count, duration_ms=99.0)) == 0
    assert writer.write(make_facts(count + 3)) == 3
    assert writer.count() == count + 3
    with engine.connect() as connection:
        slowest = "SELECT max(duration_ms) FROM tool_catalog.tool_telemetry"
        assert connection.execute(text(slowest)).scalar_one() == 12.0


def test_the_same_facts_from_many_writers_are_stored_once(engine: Engine) -> None:
    writer = FactWriter(engine)
    with ThreadPoolExecutor(4) as pool:
        stored = pool.map(lambda _n: writer.write(make_facts(200)), range(4))
        assert sum(stored) == 200


def test_texts_that_postgresql_cannot_hold_do_not_lose_the_fact(engine: Engine) -> None:
    fact = make_fact(item="a\0b", error_message="\udcff", variables_before={"n\0": 1.0})
    assert FactWriter(engine).write([fact]) == 1
    with engine.connect() as connection:
        columns = "item, error_message, variables_before"
        select = text(f"SELECT {columns} FROM tool_catalog.tool_telemetry")
        assert tuple(connection.execute(select).one()) == ("a\ufffdb", "\ufffd", {"n\ufffd": 1.0})


def test_numbers_that_are_none_become_null(engine: Engine) -> None:
    fact = make_fact(estimate_ms=math.nan, variables_measured={"n": math.inf, "m": 1.0})
    assert FactWriter(engine).write([fact]) == 1
    with engine.connect() as connection:
        select = text("SELECT estimate_ms, variables_measured FROM tool_catalog.tool_telemetry")
        assert tuple(connection.execute(select).one()) == (None, {"n": None, "m": 1.0})


@pytest.mark.parametrize(
    "field",
    [
        {"tool_id": 4_711},
        {"status": "exploded"},
        {"output_bytes": 2**70},
        {"attempt": 2**40},
        {"duration_ms": math.nan},
        {"attempt": "many"},
        {"host": object()},
    ],
    ids=lambda field: next(iter(field)),
)
def test_a_refused_fact_is_at_fault_itself(engine: Engine, field: dict[str, object]) -> None:
    writer = FactWriter(engine)
    with pytest.raises(TerminalError, match="refuses the fact"):
        writer.write([make_fact(), make_fact(item="bad", **field)])
    assert writer.count() == 0


def test_a_missing_table_is_not_the_facts_fault(empty_database_url: str, tmp_path: Path) -> None:
    """Facts wait for the migration; none is set aside."""
    engine = make_engine(empty_database_url)
    with pytest.raises(DatabaseUnavailableError, match="tool_telemetry"):
        FactWriter(engine).write([make_fact()])
    recorder = FactRecorder(tmp_path, FactWriter(engine).write)
    recorder.record(make_fact())
    assert not recorder.close(timeout_s=0.3)
    assert not (tmp_path / "rejected").exists()
    engine.dispose()


def test_a_read_only_database_is_not_the_facts_fault(engine: Engine, database_url: str) -> None:
    name = engine.url.database
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(DatabaseUnavailableError, match="read-only"):
        FactWriter(engine).write([make_fact()])


def test_an_error_never_holds_the_password() -> None:
    engine = make_engine("postgresql://me:s3cret@127.0.0.1:9/none?connect_timeout=2")
    with pytest.raises(DatabaseUnavailableError) as caught:
        FactWriter(engine).write([make_fact()])
    error: BaseException | None = caught.value
    assert "s3cret" not in repr(error)
    assert "s3cret" not in str(error.__cause__)


def test_a_broken_connection_is_replaced(engine: Engine, database_url: str) -> None:
    writer = FactWriter(engine)
    writer.write([make_fact()])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert writer.write([make_fact(item="later")]) == 1


def test_many_may_make_partitions_while_facts_arrive(engine: Engine) -> None:
    writer = FactWriter(engine)
    with ThreadPoolExecutor(6) as pool:
        made = [pool.submit(ensure_partitions, engine) for _ in range(3)]
        stored = [pool.submit(writer.write, make_facts(100, f"run-{n}")) for n in range(3)]
        names = [name for future in made for name in future.result()]
        assert sum(future.result() for future in stored) == 300
    assert len(names) == len(set(names))
    assert ensure_partitions(engine) == ()
    with engine.connect() as connection:
        present = connection.execute(
            text("SELECT count(*) FROM pg_inherits WHERE inhparent = CAST(:t AS regclass)"),
            {"t": "tool_catalog.tool_telemetry"},
        )
        assert present.scalar_one() >= 4  # three months and the default


def test_a_fact_without_a_partition_of_its_month_is_stored(engine: Engine) -> None:
    fact = make_fact(run_started_at=datetime(2041, 5, 1, tzinfo=UTC))
    assert FactWriter(engine).write([fact]) == 1


def test_partitions_do_not_make_writers_wait_for_a_long_reader(
    engine: Engine, database_url: str
) -> None:
    """The attempt gives up; the next one succeeds."""
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM tool_catalog.tool_telemetry")
        assert ensure_partitions(engine, months_ahead=5) == ()
        assert FactWriter(engine).write([make_fact()]) == 1
    assert len(ensure_partitions(engine, months_ahead=5)) >= 3
