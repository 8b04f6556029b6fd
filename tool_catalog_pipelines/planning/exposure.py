"""What a step may run on now: the tool version that still fits, the experiment that applies.

Asked once per run, by planning/lock.py. Does not belong here: drawing an arm.
"""

from __future__ import annotations

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError, Problem
from tool_catalog_pipelines.planning.plan import PlanStep
from tool_catalog_pipelines.planning.tool_use import is_disabled
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref
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


def active_experiment(
    step: PlanStep, ref: ToolRef, tool: CatalogTool, snapshot: CatalogSnapshot
) -> ExperimentSpec | None:
    """The active experiment on a tool; a step that asks for a version or channel has none.

    Raises:
        InvalidInputError: the tool has several active experiments.
    """
    if ref.at not in (None, "latest"):
        return None
    active = [
        experiment
        for experiment in snapshot.seen_experiments
        if experiment.status == "active" and _is_about(experiment, tool)
    ]
    if len(active) > 1:
        names = ", ".join(sorted(experiment.experiment for experiment in active))
        raise InvalidInputError.one(
            f"step {step.id}: {ref} has several active experiments: {names}",
            "set the status of all but one to draft, completed or cancelled",
            step.position,
        )
    return active[0] if active else None


def _is_about(experiment: ExperimentSpec, tool: CatalogTool) -> bool:
    ref = parse_tool_ref(experiment.tool)
    return ref.name == tool.spec.tool_name.lower() and ref.platform in (None, tool.spec.platform)


def is_target(experiment: ExperimentSpec, environment: str, user: str) -> bool:
    """True if runs of this user in this environment take part."""
    in_environment = experiment.target_environment in (None, environment)
    return in_environment and (not experiment.target_users or user in experiment.target_users)
