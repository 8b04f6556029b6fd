"""A foreach step: one execution per element of a list, several at a time, retried one by one.

Does not belong here: what one execution is (attempt.py).
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from tool_catalog_pipelines.execution.attempt import Attempt, Outcome, run_attempt
from tool_catalog_pipelines.execution.cancellation import is_cancelled
from tool_catalog_pipelines.execution.context import AttemptError, Services
from tool_catalog_pipelines.execution.mapping import Scope, evaluate
from tool_catalog_pipelines.execution.result import StepError, StepResult
from tool_catalog_pipelines.execution.retry import delay_s, may_retry, retry_of
from tool_catalog_pipelines.expressions.jsonpath import find_values
from tool_catalog_pipelines.facts import Execution, Status
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.planning.plan import Foreach, PlanStep
from tool_catalog_pipelines.spec.chain import RetrySpec

FAILURES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Item:
    """The end of one item: the facts of its attempts and the last outcome."""

    name: str
    facts: tuple[Execution, ...]
    output: Any
    error: AttemptError | None


def items_of(step: PlanStep, scope: Scope) -> list[Any]:
    """The list that the step runs over.

    Raises:
        AttemptError: the path gives no list, or a list longer than `max`.
    """
    foreach = cast("Foreach", step.foreach)
    found = find_values(foreach.path, scope.document())
    elements = found
    if len(found) == 1 and isinstance(found[0], list):
        elements = cast("list[Any]", found[0])
    elif not found:
        raise AttemptError(
            "MappingError",
            f"{foreach.path} matches nothing, so there is no list to run over",
            position=foreach.position,
        )
    if len(elements) > foreach.max:
        raise AttemptError(
            "MappingError",
            f"{foreach.path} has {len(elements)} elements, more than max: {foreach.max}",
            position=foreach.position,
        )
    return elements


def run_items(step: PlanStep, lock: RunLock, scope: Scope, services: Services) -> StepResult:
    """Run every item and gather the outputs in order."""
    foreach = cast("Foreach", step.foreach)
    elements = items_of(step, scope)

    def run_one(index: int, element: Any) -> Item:
        return _run_item(step, lock, scope.with_item(foreach.as_, element), services, str(index))

    with ThreadPoolExecutor(max_workers=foreach.parallel) as pool:
        items = list(_in_order(pool, run_one, elements, foreach.parallel))
    return _gathered(step, items)


def _in_order(
    pool: ThreadPoolExecutor,
    run_one: Callable[[int, Any], Item],
    elements: list[Any],
    parallel: int,
) -> Iterator[Item]:
    """Submit a bounded window of items, so that a long list holds no long queue."""
    numbered = iter(enumerate(elements))
    window = [_submit(pool, run_one, n) for n in islice(numbered, parallel * 2)]
    while window:
        first = window.pop(0)
        yield first.result()
        window += [_submit(pool, run_one, n) for n in islice(numbered, 1)]


def _submit(
    pool: ThreadPoolExecutor, run_one: Callable[[int, Any], Item], n: tuple[int, Any]
) -> Future[Item]:
    """Each item runs in a copy of our context, so that cancelling the run reaches it."""
    return pool.submit(contextvars.copy_context().run, run_one, *n)


def _run_item(step: PlanStep, lock: RunLock, scope: Scope, services: Services, name: str) -> Item:
    locked = lock.steps[step.id].for_item(lock.identity.run_id, name)
    facts: list[Execution] = []
    retry = retry_of(step, locked, services)
    for number in range(1, retry.attempts + 1):
        attempt = Attempt(step, lock, locked, number, services, name)
        outcome = _attempt(attempt, step, scope)
        facts.append(outcome.fact)
        if outcome.error is None or not _again(retry, outcome.error, number):
            return Item(name, tuple(facts), outcome.output, outcome.error)
        _wait(delay_s(retry, number))
    raise AssertionError("a retry specification allows at least one attempt")


def _attempt(attempt: Attempt, step: PlanStep, scope: Scope) -> Outcome:
    try:
        arguments = {name: evaluate(value, scope) for name, value in step.arguments.items()}
    except AttemptError as error:
        return run_attempt(attempt, {}, refused=error)
    return run_attempt(attempt, arguments)


def _again(retry: RetrySpec, error: AttemptError, number: int) -> bool:
    return may_retry(retry, error.status, error.is_transient, number) and not is_cancelled()


def _wait(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not is_cancelled():
        time.sleep(min(0.05, seconds))


def _gathered(step: PlanStep, items: list[Item]) -> StepResult:
    failed = [item for item in items if item.error is not None]
    output = {
        "items": [None if item.error else item.output for item in items],
        "succeeded": len(items) - len(failed),
        "failed": len(failed),
    }
    facts = tuple(fact for item in items for fact in item.facts)
    labels = sorted({f"{f.platform}/{f.tool_name}@{f.tool_version}" for f in facts})
    status: Status = "failed" if failed else "success"
    return StepResult(
        step=step.id,
        status="success" if failed and step.on_error == "continue" else status,
        output=output,
        error=_error(failed, len(items)) if failed and step.on_error == "fail" else None,
        executions=facts,
        reason=_reason(failed, len(items)) if failed and step.on_error == "continue" else "",
        tool_label=", ".join(labels),
    )


def _error(failed: list[Item], total: int) -> StepError:
    errors = [item.error for item in failed if item.error is not None]
    return StepError(
        type=errors[0].kind,
        message=_reason(failed, total),
        is_transient=all(error.is_transient for error in errors),
        position=str(errors[0].position) if errors[0].position else None,
    )


def _reason(failed: list[Item], total: int) -> str:
    shown = "; ".join(f"item {item.name}: {item.error}" for item in failed[:FAILURES_SHOWN])
    more = f"; and {len(failed) - FAILURES_SHOWN} more" if len(failed) > FAILURES_SHOWN else ""
    return f"{len(failed)} of {total} items failed: {shown}{more}"
