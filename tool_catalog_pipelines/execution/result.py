"""What a step leaves: its result, and the error if there is one.

Does not belong here: the fact of an attempt (facts.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.facts import Execution, Status


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a step failed; `position` is the line of the chain, where the chain is to blame."""

    type: str
    message: str
    is_transient: bool = False
    position: str | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """The end of one step. `executions` are its facts and are not stored with the output."""

    step: str
    status: Status
    output: Any
    error: StepError | None = None
    executions: tuple[Execution, ...] = ()
    reason: str = ""
    tool_label: str = ""

    @property
    def has_output(self) -> bool:
        """True if later steps can read from it."""
        return self.status in ("success", "no_result")

    def to_json(self) -> dict[str, Any]:
        """What later steps need, JSON-ready."""
        return {
            "step": self.step,
            "status": self.status,
            "output": self.output,
            "error": dataclasses.asdict(self.error) if self.error else None,
            "reason": self.reason,
            "tool_label": self.tool_label,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> StepResult:
        """The inverse of `to_json`, without executions."""
        error = record.get("error")
        return cls(
            step=record["step"],
            status=record["status"],
            output=record["output"],
            error=StepError(**error) if error else None,
            reason=record.get("reason", ""),
            tool_label=record.get("tool_label", ""),
        )
