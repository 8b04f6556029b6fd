"""Steps in processes of their own, by configuration, on the same job and the same storage."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.errors import DagsterUnmetExecutorRequirementsError
from dagster_runs import in_memory, pooled_instance, read_run, run_job

from tool_catalog_pipelines.orchestration.executor import chain_executor

MODULE = Path(__file__).parents[2] / "fixtures" / "isolated_chain.py"


def test_multiprocess_is_a_matter_of_configuration(empty_database_url: str, tmp_path: Path) -> None:
    from dagster._core.definitions.reconstruct import ReconstructableJob

    job = ReconstructableJob.for_file(str(MODULE), "isolated_chain")
    options = {"max_concurrent": 1, "start_method": {"forkserver": {}}}
    with pooled_instance(empty_database_url, tmp_path) as instance:
        result = dg.execute_job(
            job, instance, run_config={"execution": {"config": {"multiprocess": options}}}
        )
        ran = read_run(instance, result.run_id)
    assert ran.status == "SUCCESS"
    assert "isolated: True" in [entry.user_message for entry in ran.entries]
    kinds = ran.of_step("own_pid")
    assert kinds[:2] == ["STEP_WORKER_STARTING", "STEP_WORKER_STARTED"]
    assert kinds[-4:] == ["STEP_START", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"]


def test_a_job_that_cannot_be_rebuilt_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    @dg.graph
    def empty() -> None:
        dg.OpDefinition(name="idle", compute_fn=lambda *_: iter(()), outs={})()

    with (
        pooled_instance(empty_database_url, tmp_path) as instance,
        pytest.raises(DagsterUnmetExecutorRequirementsError, match="not reconstructable"),
    ):
        run_job(in_memory(empty, chain_executor), instance, {"multiprocess": {}}, True)
