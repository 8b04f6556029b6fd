"""Every private name of Dagster that we build on, with the shape we rely on.

The minor version is pinned (pyproject.toml). When an upgrade fails here, read the named source in
the new version and adapt orchestration/; the behaviour tests beside this file say whether it works.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from typing import Any

import pytest

_PLAN = "dagster._core.execution.plan"
_SIGNATURES = [
    # orchestration/thread_run.py and thread_steps.py
    (f"{_PLAN}.plan:ExecutionPlan.start", "self retry_mode sort_key_fn max_concurrent"
     " tag_concurrency_limits instance_concurrency_context step_dependency_config"),
    (f"{_PLAN}.plan:ExecutionPlan.get_steps_to_execute_in_topo_order", "self"),
    (f"{_PLAN}.active:ActiveExecution.get_steps_to_execute", "self limit"),
    (f"{_PLAN}.active:ActiveExecution.get_known_state", "self"),
    (f"{_PLAN}.active:ActiveExecution.get_step_by_key", "self step_key"),
    (f"{_PLAN}.active:ActiveExecution.handle_event", "self dagster_event"),
    (f"{_PLAN}.active:ActiveExecution.verify_complete", "self job_context step_key"),
    (f"{_PLAN}.active:ActiveExecution.plan_events_iterator", "self job_context"),
    (f"{_PLAN}.active:ActiveExecution.concurrency_event_iterator", "self plan_context"),
    (f"{_PLAN}.active:ActiveExecution.check_for_interrupts", "self"),
    (f"{_PLAN}.active:ActiveExecution.mark_interrupted", "self"),
    (f"{_PLAN}.active:ActiveExecution.sleep_interval", "self"),
    (f"{_PLAN}.execute_plan:dagster_event_sequence_for_step", "step_context force_local_execution"),
    (f"{_PLAN}.execute_plan:_trigger_hook", "step_context step_event_list"),
    (f"{_PLAN}.instance_concurrency_context:InstanceConcurrencyContext.__init__",
     "self instance dagster_run"),
    (f"{_PLAN}.instance_concurrency_context:InstanceConcurrencyContext.free_step",
     "self step_key"),
    ("dagster._core.execution.context.system:PlanExecutionContext.for_step",
     "self step known_state"),
    ("dagster._core.execution.compute_logs:create_compute_log_file_key", ""),
    ("dagster._core.events:DagsterEvent.step_failure_event",
     "step_context step_failure_data message"),
    ("dagster._core.events:DagsterEvent.capture_logs",
     "job_context step_keys log_key log_context"),
    # orchestration/executor.py
    ("dagster._core.execution.api:ExecuteRunWithPlanIterable.__init__",
     "self execution_plan iterator execution_context_manager"),
    ("dagster._core.execution.context_creation_job:PlanExecutionContextManager.__init__",
     "self job execution_plan run_config dagster_run instance retry_mode"
     " scoped_resources_builder_cm raise_on_error output_capture step_dependency_config"),
    ("dagster._core.executor.base:Executor.execute", "self plan_context execution_plan"),
    # orchestration/storage.py
    ("dagster_postgres.event_log:PostgresEventLogStorage.__init__",
     "self postgres_url should_autocreate_tables inst_data token_provider"),
    ("dagster_postgres.run_storage:PostgresRunStorage.__init__",
     "self postgres_url should_autocreate_tables inst_data token_provider"),
    ("dagster_postgres.schedule_storage:PostgresScheduleStorage.__init__",
     "self postgres_url should_autocreate_tables inst_data token_provider"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.store_event", "self event"),
    ("dagster_postgres.event_log:PostgresEventLogStorage._event_to_row", "self event"),
    ("dagster_postgres.event_log:PostgresEventLogStorage._store_asset_event",
     "self conn event event_id"),
    ("dagster_postgres.event_log:PostgresEventLogStorage._store_asset_event_tags",
     "self conn events event_ids"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.store_asset_check_event",
     "self event event_id"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.get_records_for_run",
     "self run_id cursor of_type limit ascending"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.get_event_records",
     "self event_records_filter limit ascending"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.get_stats_for_run", "self run_id"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.get_step_stats_for_run",
     "self run_id step_keys"),
    ("dagster_postgres.event_log:PostgresEventLogStorage.optimize_for_webserver",
     "self statement_timeout pool_recycle max_overflow"),
    ("dagster_postgres.run_storage:PostgresRunStorage.handle_run_event",
     "self run_id event update_timestamp"),
]  # fmt: skip


def _find(path: str) -> Any:
    module, _, names = path.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(("path", "parameters"), _SIGNATURES, ids=[p for p, _ in _SIGNATURES])
def test_signature(path: str, parameters: str) -> None:
    assert list(inspect.signature(_find(path)).parameters) == parameters.split()


def test_the_state_of_a_concurrency_context() -> None:
    source = inspect.getsource(
        _find(f"{_PLAN}.instance_concurrency_context:InstanceConcurrencyContext")
    )
    assert "self._claims = set()" in source
    assert "self._pending_timeouts = defaultdict(float)" in source
    assert "if time.time() > self._pending_timeouts[step_key]:" in source


def test_a_step_context_holds_its_event_loop_where_we_replace_it() -> None:
    context = "dagster._core.execution.context.system:PlanExecutionContext"
    assert "self._event_loop = event_loop" in inspect.getsource(_find(f"{context}.__init__"))
    assert "return self._event_loop" in inspect.getsource(_find(f"{context}.event_loop").fget)
    compute = inspect.getsource(importlib.import_module(f"{_PLAN}.compute"))
    assert compute.count("event_loop") == compute.count("context.event_loop.run_until_complete(")


def test_a_log_manager_holds_one_handler_and_the_managed_loggers() -> None:
    from dagster._core.log_manager import DagsterLogManager

    manager = DagsterLogManager.create(loggers=[])
    assert len(manager.handlers) == 1
    assert all(isinstance(each, logging.Logger) for each in vars(manager)["_managed_loggers"])
    assert "for logger in self._managed_loggers" in inspect.getsource(
        DagsterLogManager.begin_python_log_capture
    )


def test_the_storages_keep_their_engine_where_we_replace_it() -> None:
    for path in (
        "dagster_postgres.event_log:PostgresEventLogStorage._connect",
        "dagster_postgres.run_storage:PostgresRunStorage.connect",
        "dagster_postgres.schedule_storage:PostgresScheduleStorage.connect",
    ):
        assert "create_pg_connection(self._engine)" in inspect.getsource(_find(path))


def test_the_webserver_follows_a_run_by_polling() -> None:
    watch = inspect.getsource(_find("dagster_postgres.event_log:PostgresEventLogStorage.watch"))
    assert "SqlPollingEventWatcher(self)" in watch  # so it needs no NOTIFY of ours


def test_events_are_stored_as_dagster_postgres_stores_them() -> None:
    stock = inspect.getsource(
        _find("dagster_postgres.event_log:PostgresEventLogStorage.store_event")
    )
    steps = ["prepare_insert_event", "_store_asset_event_tags", "_store_asset_event(",
             "store_asset_check_event"]  # fmt: skip
    assert [stock.count(step) for step in steps] == [1, 1, 1, 1]
    columns = inspect.getsource(
        _find("dagster_postgres.event_log:PostgresEventLogStorage._event_to_row")
    )
    for column in ("run_id", "event", "timestamp"):
        assert f'"{column}":' in columns
