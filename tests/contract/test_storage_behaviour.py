"""The same runs on the storage of dagster-postgres and on ours: the same is read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.events.log import EventLogEntry
from dagster_runs import Ran, fresh_database, in_memory, pooled_instance, run_job, stock_instance

from tool_catalog_pipelines.orchestration.executor import threads_executor

KEY = dg.AssetKey(["marts", "speed"])


@pytest.fixture(scope="module")
def stock(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home: Path = tmp_path_factory.mktemp("stock")
    with fresh_database(server_url) as url, stock_instance(url, home) as made:
        yield made


@pytest.fixture(scope="module")
def pooled(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home: Path = tmp_path_factory.mktemp("pooled")
    with fresh_database(server_url) as url, pooled_instance(url, home) as made:
        yield made


@pytest.fixture(params=["stock", "pooled"])
def instance(request: pytest.FixtureRequest) -> dg.DagsterInstance:
    return request.getfixturevalue(request.param)


@dg.op
def talks(context) -> int:
    context.log.info("hello")
    return 1


@dg.op
def stumbles(context, x: int) -> int:
    if context.retry_number == 0:
        raise dg.RetryRequested(max_retries=1)
    return x


@dg.op
def observes(context, x: int) -> None:
    context.log_event(dg.AssetObservation(KEY, metadata={"x": x}))
    context.log_event(dg.AssetMaterialization(KEY, metadata={"x": x}, tags={DATA_VERSION_TAG: "7"}))
    raise dg.Failure("enough")


@dg.op
def follows(x) -> None:
    pass


@dg.graph
def eventful() -> None:
    follows(observes(stumbles(talks())))


def _run(instance: dg.DagsterInstance, executor: dg.ExecutorDefinition) -> Ran:
    return run_job(in_memory(eventful, executor), instance)


def _shape(entry: EventLogEntry) -> tuple[Any, ...]:
    event = entry.dagster_event
    return (entry.level, entry.step_key, entry.user_message if event is None else event.event_type)


@pytest.mark.parametrize(
    "executor", [dg.in_process_executor, threads_executor], ids=["in_process", "threads"]
)
def test_the_same_events_in_the_same_order(
    stock: dg.DagsterInstance, pooled: dg.DagsterInstance, executor: dg.ExecutorDefinition
) -> None:
    expected, found = _run(stock, executor), _run(pooled, executor)
    assert found.status == expected.status == "FAILURE"
    assert [_shape(entry) for entry in found.entries] == [_shape(e) for e in expected.entries]
    assert len(found.entries) > 20


def test_statistics_of_the_run_and_its_steps(instance: dg.DagsterInstance) -> None:
    ran = _run(instance, threads_executor)
    stats = instance.get_run_stats(ran.run_id)
    assert (stats.steps_succeeded, stats.steps_failed, stats.materializations) == (2, 1, 1)
    steps = {step.step_key: step for step in instance.get_run_step_stats(ran.run_id)}
    assert {key: (step.status.value, step.attempts) for key, step in steps.items()} == {
        "talks": ("SUCCESS", 1),
        "stumbles": ("SUCCESS", 2),
        "observes": ("FAILURE", 1),
    }


def test_assets_are_known(instance: dg.DagsterInstance) -> None:
    ran = _run(instance, threads_executor)
    materialization = instance.get_latest_materialization_event(KEY)
    assert materialization is not None
    assert materialization.run_id == ran.run_id
    assert instance.event_log_storage.get_event_tags_for_asset(KEY)[0] == {DATA_VERSION_TAG: "7"}
    observations = instance.fetch_observations(KEY, limit=1).records
    assert [record.run_id for record in observations] == [ran.run_id]


def test_assets_and_checks_of_a_job(instance: dg.DagsterInstance) -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("positive", asset="rows")])
    def rows() -> Iterator[Any]:
        yield dg.Output(3)
        yield dg.AssetCheckResult(passed=True)

    result = dg.materialize([rows], instance=instance)
    assert result.success
    key = dg.AssetCheckKey(dg.AssetKey("rows"), "positive")
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert [(record.run_id, record.status.value) for record in records] == [
        (result.run_id, "SUCCEEDED")
    ]


def test_pages_follow_each_other(instance: dg.DagsterInstance) -> None:
    ran = _run(instance, threads_executor)
    whole = instance.get_records_for_run(ran.run_id).records
    ids, cursor, more = [], None, True
    while more:
        page = instance.get_records_for_run(ran.run_id, cursor=cursor, limit=7)
        ids += [record.storage_id for record in page.records]
        cursor, more = page.cursor, page.has_more
    assert ids == [record.storage_id for record in whole] == sorted(ids)
    times = [record.event_log_entry.timestamp for record in whole]
    assert times == sorted(times)  # one step after the other: order of ids is order of time


def test_a_deleted_run_is_gone(instance: dg.DagsterInstance) -> None:
    ran = _run(instance, threads_executor)
    instance.delete_run(ran.run_id)
    assert instance.all_logs(ran.run_id) == []


def test_schedules_and_cursors(instance: dg.DagsterInstance) -> None:
    instance.daemon_cursor_storage.set_cursor_values({"a": "1"})
    assert instance.daemon_cursor_storage.get_cursor_values({"a"}) == {"a": "1"}
    assert instance.all_instigator_state() == []


def test_the_schema_is_at_dagsters_newest_revision(instance: dg.DagsterInstance) -> None:
    from dagster_postgres.event_log import PostgresEventLogStorage

    storage = instance.event_log_storage
    assert isinstance(storage, PostgresEventLogStorage)
    found, newest = storage.alembic_version()
    assert found == newest is not None
    instance.upgrade()  # a second time is harmless
