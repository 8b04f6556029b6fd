"""When a further attempt is made and how long to wait for it. Used for steps and for items."""

from __future__ import annotations

from collections.abc import Mapping

from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.execution.context import Services
from tool_catalog_pipelines.facts import Status
from tool_catalog_pipelines.planning.lock import LockedStep
from tool_catalog_pipelines.planning.plan import PlanStep
from tool_catalog_pipelines.spec.chain import RetrySpec


def retry_of(step: PlanStep, locked: LockedStep, services: Services) -> RetrySpec:
    """How a step is tried again: as the chain says, else as its tool says.

    By itself a tool is tried again after transient failures only, and never when it may change
    the system: then only the author of the chain knows whether a second time does harm.
    """
    if step.retry is not None:
        return step.retry
    try:
        spec = services.snapshot().resolve(locked.ref).spec
        pattern = spec.pattern(step.capability, step.pattern)
    except (NotFoundError, KeyError):
        return RetrySpec()
    return RetrySpec(attempts=1 if pattern.effects == "system" else 1 + spec.retries)


def may_retry(retry: RetrySpec, status: Status, is_transient: bool, number: int) -> bool:
    """True if a further attempt is wanted after attempt `number` (counted from 1)."""
    if number >= retry.attempts or status == "cancelled":
        return False
    is_wanted: Mapping[str, bool] = {
        "any": True,
        "transient": is_transient,
        "timeout": status == "timeout",
    }
    return any(is_wanted[kind] for kind in retry.on)


def delay_s(retry: RetrySpec, number: int) -> float:
    """Seconds to wait after attempt `number`."""
    factor = 2 ** (number - 1) if retry.backoff == "exponential" else 1
    return min(retry.first_s * factor, retry.max_s)
