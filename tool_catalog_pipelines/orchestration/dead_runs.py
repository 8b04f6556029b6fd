"""Runs whose process is gone without having said so are closed as failed.

A run that the command line executes lives in that process. When the process is killed, or
PostgreSQL stays away until it gives up, nobody can write the run's end, and Dagster would show it
as running for ever. Such runs carry a mark of their process, and whoever next opens the instance
on the same machine closes them. Runs that Dagster's daemon launched have no mark; Dagster's run
monitoring looks after those.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import psutil

from tool_catalog_pipelines.orchestration.naming import TAG_HOST, TAG_PROCESS

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_MESSAGE = (
    "The process that executed this run ended before the run did: it was killed, or PostgreSQL "
    "was away for too long. The facts of the steps that ended are kept. Run the chain again."
)


def process_tags(host: str) -> Mapping[str, str]:
    """The mark of this process for a run that it executes itself."""
    return {TAG_HOST: host, TAG_PROCESS: _mark(psutil.Process(os.getpid()))}


def close_dead_runs(instance: dg.DagsterInstance, host: str) -> list[str]:
    """Close the runs of this machine whose process is gone; returns their ids."""
    unfinished = dg.RunsFilter(statuses=_UNFINISHED, tags={TAG_HOST: host})
    closed: list[str] = []
    for run in instance.get_runs(unfinished):
        if not is_alive(run.tags.get(TAG_PROCESS, "")):
            instance.report_run_failed(run, _MESSAGE)
            closed.append(run.run_id)
    return closed


def is_alive(mark: str) -> bool:
    """Whether the process with this mark still runs; the same number may mean another by now."""
    number = mark.partition("/")[0]
    try:
        return number.isdigit() and _mark(psutil.Process(int(number))) == mark
    except psutil.NoSuchProcess:
        return False


def _mark(process: psutil.Process) -> str:
    boot = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""
    return f"{process.pid}/{process.create_time():.2f}/{boot}"
