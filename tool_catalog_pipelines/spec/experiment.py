"""The experiment file: an A/B test between two versions of one tool."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tool_catalog_pipelines.spec.base import (
    Identifier,
    SpecModel,
    Text,
    ToolRef,
    Version,
    parse_tool_ref,
)

Metric = Literal["duration_ms", "success_rate", "cost_units"]


class ExperimentSpec(SpecModel):
    """Two versions of one tool, and who gets which.

    `unit` is what is hashed: the run, the user, or the item of a `foreach` step. Arm A is the
    baseline. `traffic_split` is the share of units in arm B.
    """

    experiment: Identifier
    description: Text
    hypothesis: str = ""
    tool: str
    version_a: Version
    version_b: Version
    unit: Literal["run", "user", "item"] = "run"
    traffic_split: float = Field(default=0.5, gt=0, lt=1)
    metric: Metric = "duration_ms"
    guardrails: tuple[Metric, ...] = ("success_rate",)
    minimum_sample_per_arm: int = Field(default=150, ge=2)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    status: Literal["draft", "active", "completed", "cancelled"] = "active"
    target_environment: str | None = None
    target_users: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _two_versions(self) -> ExperimentSpec:
        if _padded(self.version_a) == _padded(self.version_b):
            raise ValueError("version_a and version_b are the same; write two versions to compare")
        return self

    def is_on(self, tool: ToolRef) -> bool:
        """True if it compares versions of this tool; a bare name, of either, means any platform."""
        own = parse_tool_ref(self.tool)
        is_same_platform = own.platform == tool.platform or None in (own.platform, tool.platform)
        return own.name == tool.name.lower() and is_same_platform


def _padded(version: str) -> tuple[str, ...]:
    """`1.0` and `1.0.0` are one version."""
    numbers, _, pre_release = version.partition("-")
    return (*f"{numbers}.0.0".split(".")[:3], pre_release)
