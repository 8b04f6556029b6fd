"""What a chain's references may point at: its inputs, its steps, and the fields steps give.

Pure lookup. The checks that use it are in planning/references.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tool_catalog_pipelines.planning.tool_use import ToolUse
from tool_catalog_pipelines.spec.chain import ChainSpec, StepSpec

FOREACH_FIELDS = frozenset({"items", "succeeded", "failed"})
"""The output of every `foreach` step: output of each item, and how many went well or not."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that references of one chain may use.

    `fields` holds, by step, the fields of its output; None where the tool does not declare them.
    """

    inputs: frozenset[str]
    fields: Mapping[str, frozenset[str] | None]

    @property
    def steps(self) -> frozenset[str]:
        """The ids of all steps."""
        return frozenset(self.fields)


def scope_of(spec: ChainSpec, uses: Mapping[str, ToolUse | None]) -> Scope:
    """The scope of a chain whose tools were looked up already."""
    return Scope(
        inputs=frozenset(spec.inputs),
        fields={step_id: _fields(step, uses.get(step_id)) for step_id, step in spec.steps.items()},
    )


def _fields(step: StepSpec, use: ToolUse | None) -> frozenset[str] | None:
    if step.foreach is not None:
        return FOREACH_FIELDS
    if step.transform is not None:
        return frozenset(step.transform)
    if use is None or not use.pattern.expected_outputs:
        return None
    return frozenset(output.name for output in use.pattern.expected_outputs)
