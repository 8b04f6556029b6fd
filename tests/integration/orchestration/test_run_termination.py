"""Terminating a run: a real signal to a real run worker process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dagster_runs import DEADLINE_S

SCRIPT = Path(__file__).parents[2] / "fixtures" / "terminated_run.py"


def _terminate(executor: str, mode: str) -> dict[str, Any]:
    """Also proves that the process ends: a step that never ends must not keep it alive."""
    result = subprocess.run(
        [sys.executable, str(SCRIPT), executor, mode],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def _steps(ran: dict[str, Any], kind: str) -> set[str]:
    return {step for found, step in ran["kinds"] if found == kind}


@pytest.mark.parametrize("executor", ["in_process", "threads"])
def test_a_requested_termination_cancels_the_run(executor: str) -> None:
    ran = _terminate(executor, "obedient")
    assert ran["status"] == "CANCELED"
    assert "waits" in _steps(ran, "STEP_FAILURE")
    assert "a later step started" not in ran["noticed"]
    assert [kind for kind, _ in ran["kinds"]][-1] == "PIPELINE_CANCELED"


def test_running_steps_learn_of_it() -> None:
    ran = _terminate("threads", "obedient")
    assert ran["noticed"] == ["cancelled", "cancelled"]
    assert _steps(ran, "STEP_FAILURE") == {"waits", "beside"}


def test_a_step_that_ignores_it_is_given_up() -> None:
    ran = _terminate("threads", "stubborn")
    assert ran["status"] == "CANCELED"
    assert _steps(ran, "STEP_FAILURE") == {"waits", "ignores"}


def test_without_a_request_it_is_a_failure() -> None:
    ran = _terminate("threads", "unrequested")
    assert ran["status"] == "FAILURE"
    assert ran["noticed"] == ["cancelled", "cancelled"]
