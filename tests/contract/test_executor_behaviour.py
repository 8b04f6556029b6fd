"""What a run does, the same on Dagster's in-process executor and on ours.

A Dagster upgrade that changes the ground under the threads executor fails here.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
import pytest
from dagster_runs import DEADLINE_S, Gauge, in_memory, run_job

from tool_catalog_pipelines.execution.cancellation import CANCELLATION
from tool_catalog_pipelines.orchestration.executor import chain_executor, threads_executor

IN_PROCESS = {"in_process": {}}
THREADS = {"threads": {}}
Run = Callable[..., Any]

ORDINARY = ["STEP_START", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"]
WITH_INPUT = ["STEP_START", "LOADED_INPUT", "STEP_INPUT", *ORDINARY[1:]]


@pytest.fixture(params=[IN_PROCESS, THREADS], ids=["in_process", "threads"])
def executor(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    return request.param


@pytest.fixture
def run(instance: dg.DagsterInstance, executor: Mapping[str, Any]) -> Run:
    """Run a graph on the executor under test."""

    def run_graph(graph: dg.GraphDefinition, raise_on_error: bool = False, **more: Any) -> Any:
        job = in_memory(graph, chain_executor, **more)
        return run_job(job, instance, executor, raise_on_error)

    return run_graph


@dg.op
def one() -> int:
    return 1


@dg.op
def plus_one(x: int) -> int:
    return x + 1


@dg.op
def fails() -> int:
    raise ValueError("broken on purpose")


@dg.graph
def chain_of_three() -> None:
    plus_one.alias("third")(plus_one.alias("second")(one()))


@dg.graph
def broken() -> None:
    plus_one.alias("never")(plus_one.alias("downstream")(fails()))
    plus_one.alias("other")(one())


def test_a_chain_runs_in_order_and_succeeds(run: Run) -> None:
    ran = run(chain_of_three)
    assert ran.status == "SUCCESS"
    assert ran.of_step("one") == ORDINARY
    assert ran.of_step("second") == ran.of_step("third") == WITH_INPUT
    ends = [step for kind, step in ran.kinds if kind == "STEP_SUCCESS"]
    assert ends == ["one", "second", "third"]
    assert [kind for kind, _ in ran.kinds][-1] == "PIPELINE_SUCCESS"
    assert ran.steps("RESOURCE_INIT_SUCCESS") == {None}


def test_a_failure_stops_what_follows_it_and_nothing_else(run: Run) -> None:
    ran = run(broken)
    assert ran.status == "FAILURE"
    assert ran.steps("STEP_FAILURE") == {"fails"}
    assert ran.steps("STEP_SUCCESS") == {"one", "other"}
    assert ran.steps("STEP_START") == {"fails", "one", "other"}
    messages = [entry.user_message for entry in ran.entries if entry.step_key == "downstream"]
    assert messages == ["Dependencies for step downstream failed: ['fails']. Not executing."]


def test_raise_on_error_raises_the_error_of_the_step(run: Run) -> None:
    with pytest.raises(ValueError, match="broken on purpose"):
        run(broken, raise_on_error=True)


def test_an_intentional_failure_keeps_its_description(run: Run) -> None:
    @dg.op
    def refuses() -> None:
        raise dg.Failure("not today", metadata={"why": "rain"}, allow_retries=False)

    @dg.graph
    def refusing() -> None:
        refuses()

    ran = run(refusing)
    failure = next(e.dagster_event for e in ran.entries if e.dagster_event.is_step_failure)
    assert failure.step_failure_data.user_failure_data.description == "not today"


def _fails_first(times: int, raised: Callable[[], BaseException]) -> dg.OpDefinition:
    calls = iter(range(100))

    @dg.op
    def unsteady() -> int:
        if next(calls) < times:
            raise raised()
        return 1

    return unsteady


def _graph_of(*ops: dg.OpDefinition) -> dg.GraphDefinition:
    return dg.GraphDefinition(name="g", node_defs=list(ops))


def test_a_requested_retry_runs_the_step_again(run: Run) -> None:
    ran = run(_graph_of(_fails_first(2, lambda: dg.RetryRequested(max_retries=2))))
    assert ran.status == "SUCCESS"
    assert ran.of_step("unsteady") == [
        *["STEP_START", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_UP_FOR_RETRY"],
        *["STEP_RESTARTED", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"],
    ]


def test_retries_end(run: Run) -> None:
    ran = run(_graph_of(_fails_first(9, lambda: dg.RetryRequested(max_retries=1))))
    assert ran.status == "FAILURE"
    assert ran.of_step("unsteady")[-1] == "STEP_FAILURE"
    assert ran.of_step("unsteady").count("STEP_UP_FOR_RETRY") == 1


def test_a_delayed_retry_waits_while_others_go_on(run: Run) -> None:
    delay_s = 0.3
    unsteady = _fails_first(1, lambda: dg.RetryRequested(1, seconds_to_wait=delay_s))
    ran = run(_graph_of(unsteady, one))
    assert ran.status == "SUCCESS"
    times = {
        entry.dagster_event.event_type_value: entry.timestamp
        for entry in ran.entries
        if entry.dagster_event and entry.dagster_event.step_key == "unsteady"
    }
    assert times["STEP_RESTARTED"] - times["STEP_UP_FOR_RETRY"] >= delay_s - 0.05
    assert ran.steps("STEP_SUCCESS") == {"unsteady", "one"}


def test_a_retry_policy_applies_to_any_error(run: Run) -> None:
    unsteady = _fails_first(1, lambda: ValueError("once"))
    node = dg.NodeInvocation("unsteady", retry_policy=dg.RetryPolicy(max_retries=1, delay=0.05))
    graph = dg.GraphDefinition(name="g", node_defs=[unsteady], dependencies={node: {}})
    assert run(graph).status == "SUCCESS"


def test_a_missing_optional_output_skips_what_needs_it(run: Run) -> None:
    @dg.op(out={"yes": dg.Out(is_required=False), "no": dg.Out(is_required=False)})
    def choose() -> Iterator[dg.Output[int]]:
        yield dg.Output(1, "yes")

    @dg.graph
    def branch() -> None:
        yes, no = choose()
        plus_one.alias("taken")(yes)
        plus_one.alias("after")(plus_one.alias("left")(no))

    ran = run(branch)
    assert ran.status == "SUCCESS"
    assert ran.steps("STEP_SKIPPED") == {"left", "after"}
    assert ran.steps("STEP_SUCCESS") == {"choose", "taken"}


def _dynamic(count: int) -> tuple[dg.GraphDefinition, list[int]]:
    totals: list[int] = []

    @dg.op(out=dg.DynamicOut(int))
    def fan() -> Iterator[dg.DynamicOutput[int]]:
        for number in range(count):
            yield dg.DynamicOutput(number, str(number))

    @dg.op
    def total(values: list[int]) -> None:
        totals.append(sum(values))

    @dg.graph
    def fan_out() -> None:
        total(fan().map(plus_one).collect())

    return fan_out, totals


@pytest.mark.parametrize("count", [0, 1, 7])
def test_dynamic_outputs_are_mapped_and_collected(run: Run, count: int) -> None:
    graph, totals = _dynamic(count)
    ran = run(graph)
    assert ran.status == "SUCCESS"
    assert totals == [sum(range(1, count + 1))]
    assert len(ran.steps("STEP_SUCCESS")) == count + 2


def test_a_failing_resource_fails_the_run(run: Run) -> None:
    @dg.resource
    def broken_resource(_: Any) -> None:
        raise ValueError("no connection")

    needs = dg.OpDefinition(
        name="needs", compute_fn=lambda *_: iter(()), required_resource_keys={"service"}, outs={}
    )
    ran = run(_graph_of(needs), resource_defs={"service": broken_resource})
    assert ran.status == "FAILURE"
    assert ran.steps("RESOURCE_INIT_FAILURE")
    assert not ran.steps("STEP_START")


def test_hooks_run_after_their_step(run: Run) -> None:
    seen: list[str] = []

    @dg.success_hook
    def tell(context: dg.HookContext) -> None:
        seen.append(f"{context.op.name} succeeded")

    @dg.failure_hook
    def mourn(context: dg.HookContext) -> None:
        seen.append(f"{context.op.name} failed: {context.op_exception}")
        raise RuntimeError("a hook may fail too")

    ran = run(broken, hooks={tell, mourn})
    assert sorted(seen) == [
        "fails failed: broken on purpose",
        "one succeeded",
        "other succeeded",
    ]
    assert ran.steps("HOOK_COMPLETED") == {"one", "other"}
    assert ran.steps("HOOK_ERRORED") == {"fails"}


def test_async_ops_run_side_by_side(run: Run) -> None:
    @dg.op
    async def waits() -> int:
        await asyncio.sleep(0)
        return 1

    @dg.graph
    def waiting() -> None:
        for number in range(5):
            waits.alias(f"w{number}")()

    assert run(waiting).status == "SUCCESS"


def test_python_logs_belong_to_the_step_that_wrote_them(run: Run) -> None:
    @dg.op
    def says(context) -> None:
        dg.get_dagster_logger().info(f"logger of {context.op_handle}")
        context.log.info(f"context of {context.op_handle}")

    @dg.graph
    def talking() -> None:
        for number in range(4):
            says.alias(f"s{number}")()

    ran = run(talking)
    said = sorted((e.step_key, e.user_message) for e in ran.entries if not e.dagster_event)
    expected = [(f"s{n}", f"{what} of s{n}") for n in range(4) for what in ("context", "logger")]
    assert said == expected


def test_compute_logs_are_captured_once_for_all_steps(
    run: Run, instance: dg.DagsterInstance
) -> None:
    ran = run(chain_of_three)
    captured = [
        entry.dagster_event.logs_captured_data.step_keys
        for entry in ran.entries
        if entry.dagster_event and entry.dagster_event.event_type_value == "LOGS_CAPTURED"
    ]
    assert captured == [["one", "second", "third"]]


def test_a_pool_limits_steps_of_one_run(run: Run, instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.set_concurrency_slots("narrow", 1)
    gauge = Gauge()

    @dg.op(pool="narrow")
    def enters() -> None:
        with gauge:
            time.sleep(0.01)  # what is measured: long enough for another step to come in

    @dg.graph
    def crowd() -> None:
        for number in range(4):
            enters.alias(f"e{number}")()

    ran = run(crowd)
    assert ran.status == "SUCCESS"
    assert gauge.highest == 1
    info = instance.event_log_storage.get_concurrency_info("narrow")
    assert info.active_slot_count == 0
    assert info.pending_step_count == 0


def test_a_slot_is_freed_by_a_failing_step(run: Run, instance: dg.DagsterInstance) -> None:
    instance.event_log_storage.set_concurrency_slots("fragile", 1)

    @dg.op(pool="fragile")
    def breaks() -> None:
        raise ValueError("broken on purpose")

    ran = run(_graph_of(breaks))
    assert ran.status == "FAILURE"
    assert instance.event_log_storage.get_concurrency_info("fragile").active_slot_count == 0


def test_upstream_outputs_suffice_where_configured(
    instance: dg.DagsterInstance, executor: Mapping[str, Any]
) -> None:
    @dg.op(out={"early": dg.Out(int), "late": dg.Out(int)})
    def two_outputs() -> Iterator[dg.Output[int]]:
        yield dg.Output(1, "early")
        yield dg.Output(2, "late")

    @dg.graph
    def early_start() -> None:
        early, late = two_outputs()
        plus_one.alias("a")(early)
        plus_one.alias("b")(late)

    kind = next(iter(executor))
    config = {kind: {"step_dependency_config": {"require_upstream_step_success": False}}}
    ran = run_job(in_memory(early_start, chain_executor), instance, config)
    assert ran.status == "SUCCESS"


# What only the threads executor promises


def test_threads_are_the_default(instance: dg.DagsterInstance) -> None:
    ran = run_job(in_memory(chain_of_three, chain_executor), instance)
    assert any("as threads" in (entry.message or "") for entry in ran.entries)


def test_steps_run_at_the_same_time(instance: dg.DagsterInstance) -> None:
    meeting = threading.Barrier(8, timeout=DEADLINE_S)

    @dg.op
    def meets() -> None:
        meeting.wait()

    @dg.graph
    def crowd() -> None:
        for number in range(8):
            meets.alias(f"m{number}")()

    assert run_job(in_memory(crowd, threads_executor), instance).status == "SUCCESS"


@pytest.mark.parametrize(
    "limits",
    [
        {"max_concurrent": 2},
        {"tag_concurrency_limits": [{"key": "kind", "value": "heavy", "limit": 2}]},
    ],
    ids=["max_concurrent", "tag"],
)
def test_limits_of_the_run_hold(instance: dg.DagsterInstance, limits: Mapping[str, Any]) -> None:
    gauge = Gauge()

    @dg.op(tags={"kind": "heavy"})
    def enters() -> None:
        with gauge:
            time.sleep(0.01)  # what is measured: long enough for another step to come in

    @dg.graph
    def crowd() -> None:
        for number in range(6):
            enters.alias(f"e{number}")()

    ran = run_job(in_memory(crowd, chain_executor), instance, {"threads": limits})
    assert ran.status == "SUCCESS"
    assert gauge.highest <= 2


def test_a_limit_that_lets_nothing_start_ends_the_run(instance: dg.DagsterInstance) -> None:
    config = {"threads": {"tag_concurrency_limits": [{"key": "kind", "limit": 0}]}}
    idle = dg.OpDefinition(name="idle", compute_fn=lambda *_: iter(()), tags={"kind": "x"}, outs={})
    ran = run_job(in_memory(_graph_of(idle), chain_executor), instance, config)
    assert ran.status == "FAILURE"
    assert any("no step of this run can start" in str(e.dagster_event) for e in ran.entries)


def test_a_failing_resource_fails_the_first_steps(instance: dg.DagsterInstance) -> None:
    @dg.resource
    def service(_: Any) -> None:
        raise ValueError("no connection")

    @dg.op(required_resource_keys={"service"}, retry_policy=dg.RetryPolicy(max_retries=3))
    def needs() -> int:
        return 1

    @dg.graph
    def needing() -> None:
        plus_one(needs())
        one()

    job = in_memory(needing, chain_executor, resource_defs={"service": service})
    ran = run_job(job, instance)
    assert ran.status == "FAILURE"
    assert ran.steps("STEP_FAILURE") == {"needs", "one"}
    assert not ran.steps("STEP_UP_FOR_RETRY")
    failure = next(e.dagster_event for e in ran.entries if e.dagster_event.is_step_failure)
    assert "no connection" in failure.step_failure_data.error.to_string()


def test_a_failing_resource_raises_where_errors_raise(instance: dg.DagsterInstance) -> None:
    @dg.resource
    def service(_: Any) -> None:
        raise ValueError("no connection")

    needs = dg.OpDefinition(
        name="needs", compute_fn=lambda *_: iter(()), required_resource_keys={"service"}, outs={}
    )
    job = in_memory(_graph_of(needs), chain_executor, resource_defs={"service": service})
    with pytest.raises(Exception, match="service"):
        run_job(job, instance, raise_on_error=True)


def test_resources_are_made_once_and_closed_after_the_last_step(
    instance: dg.DagsterInstance,
) -> None:
    life: list[str] = []

    @dg.resource
    def service(_: Any) -> Iterator[str]:
        life.append("open")
        yield "service"
        life.append("close")

    @dg.op(required_resource_keys={"service"})
    def uses() -> None:
        life.append("use")

    @dg.graph
    def using() -> None:
        for number in range(3):
            uses.alias(f"u{number}")()

    run_job(in_memory(using, chain_executor, resource_defs={"service": service}), instance)
    assert life == ["open", "use", "use", "use", "close"]


def test_an_error_in_the_executor_cancels_the_running_steps(instance: dg.DagsterInstance) -> None:
    waiting = threading.Event()
    ended: list[bool] = []

    @dg.op
    def waits() -> None:
        cancelled = CANCELLATION.get()
        assert cancelled is not None
        waiting.set()
        ended.append(cancelled.wait(DEADLINE_S))

    @dg.op
    def breaks() -> None:
        assert waiting.wait(DEADLINE_S)
        raise ValueError("broken on purpose")

    with pytest.raises(ValueError, match="broken on purpose"):
        run_job(in_memory(_graph_of(waits, breaks), chain_executor), instance, raise_on_error=True)
    assert ended == [True]


@pytest.mark.parametrize("config", [{"max_concurrent": 0}, {"cancel_grace_s": -1.0}])
def test_impossible_limits_are_refused(
    instance: dg.DagsterInstance, config: Mapping[str, Any]
) -> None:
    with pytest.raises(Exception, match="max_concurrent"):
        run_job(in_memory(_graph_of(one), chain_executor), instance, {"threads": config}, True)
