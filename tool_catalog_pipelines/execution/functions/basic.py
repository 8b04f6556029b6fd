"""Functions without a purpose of their own: for trying chains and for measuring overhead."""

from __future__ import annotations

import time

from tool_catalog_pipelines.execution.cancellation import is_cancelled
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext

POLL_S = 0.05


def noop(context: FunctionContext, value: object = None) -> dict[str, object]:
    """Return the value given."""
    del context
    return {"value": value}


def wait(context: FunctionContext, seconds: float) -> dict[str, float]:
    """Wait, and stop waiting when the run is cancelled."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if is_cancelled():
            raise AttemptError(
                "Cancelled", f"step {context.step} was stopped with its run", status="cancelled"
            )
        time.sleep(min(POLL_S, left))
    return {"waited_s": seconds}
