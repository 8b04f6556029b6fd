"""What a step may run on now: the tool version that still fits, the experiment that applies.

Asked once per run, by planning/lock.py. Does not belong here: which experiment a tool is in and who
takes part (selection/exposure.py), drawing an arm.
"""

from __future__ import annotations

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError, Problem
from tool_catalog_pipelines.planning.plan import PlanStep
from tool_catalog_pipelines.planning.tool_use import is_disabled
from tool_catalog_pipelines.selection.exposure import active_experiment
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.experiment import ExperimentSpec


def usable_tool(
    step: PlanStep, ref: ToolRef, snapshot: CatalogSnapshot, because: str = ""
) -> CatalogTool:
    """The version that a reference means now, if the step can run on it.

    Args:
        step: the step, which names capability and pattern.
        ref: the version wanted.
        snapshot: the catalogue as it is now.
        because: put before each message, to say why just this version is wanted.

    Raises:
        NotFoundError: there is no such tool or version.
        InvalidInputError: it is disabled, or lacks the pattern.
    """
    try:
        tool = snapshot.resolve(ref)
    except NotFoundError as error:
        raise NotFoundError(
            [
                Problem(f"step {step.id}: {because}{p.message}", step.position, p.hint, p.code)
                for p in error.problems
            ]
        ) from None
    if is_disabled(tool):
        raise _unusable(step, f"{because}{tool.label} is disabled", "enable it or choose another")
    capability = tool.spec.capabilities.get(step.capability)
    pattern = capability.patterns.get(step.pattern) if capability else None
    if pattern is None or pattern.binding is None:
        raise _unusable(
            step,
            f"{because}{tool.label} has no executable pattern {step.capability}/{step.pattern}",
            "pin the step to a version that has it, or change the step",
        )
    return tool


def _unusable(step: PlanStep, message: str, hint: str) -> InvalidInputError:
    return InvalidInputError.one(f"step {step.id}: {message}", hint, step.position)


def step_experiment(
    step: PlanStep, ref: ToolRef, tool: CatalogTool, snapshot: CatalogSnapshot
) -> ExperimentSpec | None:
    """The active experiment that a step takes part in.

    None for a step that asks for a version or channel, and for a step without `foreach` where the
    experiment assigns items: it has none, so it runs on what its reference means.

    Raises:
        InvalidInputError: the tool has several active experiments.
    """
    if ref.at not in (None, "latest"):
        return None
    try:
        experiment = active_experiment(tool, snapshot)
    except InvalidInputError as error:
        (problem,) = error.problems
        message = f"step {step.id}: {problem.message}"
        raise InvalidInputError.one(message, problem.hint, step.position) from None
    has_no_unit = experiment is not None and experiment.unit == "item" and step.foreach is None
    return None if has_no_unit else experiment
