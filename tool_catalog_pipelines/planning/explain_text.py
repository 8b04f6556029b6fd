"""Layout of a plan as text: what it is, what to mind, its steps by level, what it will take.

Written to be read at night by somebody who did not write the chain. Words are in wording.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tool_catalog_pipelines.planning import wording
from tool_catalog_pipelines.planning.forecast import Forecast, StepForecast
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.planning.step_view import StepView

SHORT_FINGERPRINT = 12
_LABEL_WIDTH = 9


def text_lines(plan: Plan, views: Sequence[StepView], expected: Forecast | None) -> Iterator[str]:
    """The lines of the text; without a forecast a line says so."""
    yield f"{plan.chain} {plan.version} (plan {plan.fingerprint[:SHORT_FINGERPRINT]})"
    yield plan.description
    yield from _attention(views)
    yield from _inputs(plan)
    yield from _steps(plan, views)
    yield from _ending(plan)
    yield ""
    if expected is None:
        yield "Forecast: none, no catalogue at hand"
    else:
        yield from _forecast(plan, expected)


def _attention(views: Sequence[StepView]) -> Iterator[str]:
    """What a person should know before starting; nothing if there is nothing."""
    lines = [f"  {line}" for view in views for line in _warnings(view)]
    if lines:
        yield from ("", "Attention", *lines)


def _warnings(view: StepView) -> Iterator[str]:
    pattern = view.pattern
    if view.trouble:
        yield view.trouble
    if pattern is None:
        return
    subject = f"step {view.step.id}: {view.step.tool}"
    if view.needs_approval:
        yield f"{subject} requires approval (effects: {pattern.effects})"
    if not pattern.policy.production_safe:
        yield f"{subject} is not safe in production (effects: {pattern.effects})"


def _inputs(plan: Plan) -> Iterator[str]:
    if not plan.inputs:
        return
    yield from ("", "Inputs")
    for name, spec in plan.inputs.items():
        yield f"  {name}: {wording.input_rules(spec)}"
        yield f"    {spec.description}"


def _steps(plan: Plan, views: Sequence[StepView]) -> Iterator[str]:
    by_id = {view.step.id: view for view in views}
    for number, level in enumerate(plan.levels, 1):
        together = f" ({len(level)} steps, side by side)" if len(level) > 1 else ""
        yield from ("", f"Level {number}{together}")
        for step_id in level:
            yield from _step(by_id[step_id])


def _step(view: StepView) -> Iterator[str]:
    step = view.step
    yield f"  {step.id}{f': {step.description}' if step.description else ''}"
    for label, text in _step_facts(view):
        yield f"    {label:<{_LABEL_WIDTH}} {text}"


def _step_facts(view: StepView) -> Iterator[tuple[str, str]]:
    step = view.step
    yield from _tool_facts(view)
    if step.data_from:
        yield "reads", ", ".join(step.data_from)
    order_only = [name for name in step.needs if name not in step.data_from]
    if order_only:
        yield "after", f"{', '.join(order_only)} (order only)"
    if step.foreach:
        yield "foreach", wording.repetition(step.foreach)
    if step.when:
        yield "when", step.when
    label = "with" if step.tool else "gives"
    for line in _argument_lines(view):
        yield label, line
        label = ""
    if step.timeout_s is not None:
        yield "timeout", f"{step.timeout_s:g} s"
    if step.retry is not None and step.retry.attempts > 1:
        yield "retry", wording.retries(step.retry)
    if step.on_error == "continue":
        yield "on error", "continue; what reads its output without a default is skipped"


def _tool_facts(view: StepView) -> Iterator[tuple[str, str]]:
    step, pattern = view.step, view.pattern
    if step.tool is None:
        yield "transform", "reshapes outputs of earlier steps, executes nothing"
        return
    now = f" (now {view.tool.spec.version})" if view.tool else ""
    yield "tool", f"{step.tool}{now}, {step.capability}/{step.pattern}"
    if pattern is not None:
        yield "effects", pattern.effects
        if notes := wording.policy_notes(pattern.policy):
            yield "policy", ", ".join(notes)
    if view.experiment is not None:
        trial = view.experiment
        yield (
            "trial",
            f"{trial.experiment}: {trial.version_a} (a) or {trial.version_b} (b), "
            f"b for {trial.traffic_split:.0%}, drawn by {trial.unit}",
        )


def _argument_lines(view: StepView) -> Iterator[str]:
    arguments = view.step.arguments
    for name, value in arguments.items():
        yield from wording.value_lines(name, value)
    declared = view.pattern.inputs if view.pattern else {}
    for name, spec in declared.items():
        if name not in arguments and spec.default is not None:
            yield f"{name} = {wording.literal(spec.default)} (default of the tool)"


def _ending(plan: Plan) -> Iterator[str]:
    if plan.outputs:
        yield from ("", "Outputs")
        for name, reference in plan.outputs.items():
            yield f"  {name} <- {wording.source(reference)}"
    yield ""
    if plan.schedule is not None:
        state = "on" if plan.schedule.enabled else "off until switched on"
        yield f"Schedule: {plan.schedule.cron} {plan.schedule.timezone} ({state})"
    if plan.tags:
        yield f"Tags: {', '.join(f'{key}={value}' for key, value in plan.tags.items())}"
    yield f"Steps at a time: at most {plan.parallel}"


def _forecast(plan: Plan, expected: Forecast) -> Iterator[str]:
    yield "Forecast (current estimates, no failures and no retries)"
    rows = [_row(step) for step in expected.steps if step.executions]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        yield f"  {'  '.join(cells)}  {row[3]}"
    time_limits = _limits(expected, expected.unknown_time)
    path = " -> ".join(expected.critical_path)
    yield f"  time   {time_limits}{wording.duration(expected.elapsed_ms)}: {path}"
    yield f"  work   {time_limits}{wording.duration(expected.work_ms)} in all steps together"
    cost_limits = _limits(expected, expected.unknown_cost)
    yield f"  cost   {cost_limits}{wording.amount(expected.cost_units)} cost units"
    yield from _reservations(plan, expected)


def _row(step: StepForecast) -> tuple[str, str, str, str]:
    """Step, time, cost, and where the figures come from."""
    time = "?" if step.elapsed_ms is None else wording.duration(step.elapsed_ms)
    cost = "?" if step.total_cost_units is None else wording.amount(step.total_cost_units)
    same = step.time_ms.origin == step.cost_units.origin
    origin = (
        step.time_ms.origin
        if same
        else f"time {step.time_ms.origin}; cost {step.cost_units.origin}"
    )
    return step.step, time, f"cost {cost}", f"{origin}{_counting(step)}"


def _counting(step: StepForecast) -> str:
    """How a step's figures came from those of one execution."""
    if not step.is_upper_bound:
        return ""
    one = "?" if step.time_ms.value is None else wording.duration(step.time_ms.value)
    return f"; upper bound: {step.executions} items of {one} in {step.rounds} rounds"


def _limits(expected: Forecast, unknown: Sequence[str]) -> str:
    """`up to` with upper bounds inside, `at least` with unknown parts, `about` with both."""
    if unknown:
        return "about " if expected.upper_bounds else "at least "
    return "up to " if expected.upper_bounds or expected.conditional else ""


def _reservations(plan: Plan, expected: Forecast) -> Iterator[str]:
    """Everything that the sums above leave out or assume."""
    assumptions = (
        (expected.unknown_time, "time unknown, counted as zero"),
        (expected.unknown_cost, "cost unknown, counted as zero"),
        (expected.upper_bounds, "list of unknown length, counted with its greatest length"),
        (expected.conditional, "has a condition, counted as if it ran"),
    )
    for steps, text in assumptions:
        if steps:
            yield f"  note   {', '.join(steps)}: {text}"
    widest = max(len(level) for level in plan.levels)
    if widest > plan.parallel:
        yield (
            f"  note   {widest} steps could run side by side but only {plan.parallel} may, "
            "so it will take longer"
        )
    yield f"  note   how far this varies, from past runs: tool-catalog chain forecast {plan.chain}"
