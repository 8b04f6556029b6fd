"""A plan step together with what the catalogue says about its tool now; both renderings use it.

Read only; does not belong here: words and layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.planning.exposure import step_experiment, usable_tool
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.tool import PatternSpec


@dataclass(frozen=True, slots=True)
class StepView:
    """One step; `tool` is None for transforms, without catalogue, and with a `trouble`."""

    step: PlanStep
    level: int
    tool: CatalogTool | None = None
    experiment: ExperimentSpec | None = None
    trouble: str = ""

    @property
    def pattern(self) -> PatternSpec | None:
        """The pattern in the version that is current."""
        if self.tool is None:
            return None
        return self.tool.spec.pattern(self.step.capability, self.step.pattern)

    @property
    def needs_approval(self) -> bool:
        """True if the policy wants somebody's consent."""
        return self.pattern is not None and self.pattern.policy.requires_approval


def step_views(plan: Plan, snapshot: CatalogSnapshot | None) -> tuple[StepView, ...]:
    """A view of every step, in the order of the plan; levels count from 1."""
    levels = {step_id: n for n, group in enumerate(plan.levels, 1) for step_id in group}
    return tuple(_view(step, levels[step.id], snapshot) for step in plan.steps)


def _view(step: PlanStep, level: int, snapshot: CatalogSnapshot | None) -> StepView:
    if step.tool is None or snapshot is None:
        return StepView(step, level)
    try:
        tool = usable_tool(step, step.tool, snapshot)
    except InvalidInputError as error:
        return StepView(step, level, trouble=error.problems[0].message)
    try:
        experiment = step_experiment(step, step.tool, tool, snapshot)
    except InvalidInputError as error:
        return StepView(step, level, tool, trouble=error.problems[0].message)
    return StepView(step, level, tool, experiment)
