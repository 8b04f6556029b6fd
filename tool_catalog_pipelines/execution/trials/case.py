"""One example or test case of a tool as it goes to a worker, and the result that comes back.

Both travel as JSON lines between processes. Does not belong here: running (child.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tool_catalog_pipelines.spec.example import ExampleSpec
from tool_catalog_pipelines.spec.tool import PatternSpec, ToolSpec

Ending = Literal["passed", "failed", "skipped"]
Kind = Literal["example", "test_case"]


class Case(BaseModel):
    """What to run: one call of one pattern."""

    model_config = ConfigDict(frozen=True)

    tool: str
    capability: str
    pattern_name: str
    kind: Kind
    example: ExampleSpec
    pattern: PatternSpec
    missing: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name in reports."""
        return f"{self.tool} {self.capability}.{self.pattern_name}: {self.example.name}"


class Result(BaseModel):
    """How a case ended: why it did not pass, and the beginning of what came out, as JSON."""

    model_config = ConfigDict(frozen=True)

    tool: str
    capability: str
    pattern: str
    kind: Kind
    name: str
    ending: Ending
    duration_s: float = 0.0
    message: str = ""
    output: str = ""

    @classmethod
    def of(
        cls,
        case: Case,
        ending: Ending,
        message: str = "",
        duration_s: float = 0.0,
        output: str = "",
    ) -> Result:
        """The result of a case."""
        return cls(
            tool=case.tool,
            capability=case.capability,
            pattern=case.pattern_name,
            kind=case.kind,
            name=case.example.name,
            ending=ending,
            duration_s=round(duration_s, 3),
            message=message,
            output=output,
        )


def cases_of(spec: ToolSpec, missing: Iterable[str] = ()) -> Iterator[Case]:
    """Every example and test case; `missing` is what the tool needs and this machine lacks."""
    lacks = tuple(missing)
    for capability, group in spec.capabilities.items():
        for name, pattern in group.patterns.items():
            calls: tuple[tuple[Kind, tuple[ExampleSpec, ...]], ...] = (
                ("example", pattern.examples),
                ("test_case", pattern.test_cases),
            )
            for kind, examples in calls:
                for example in examples:
                    yield Case(
                        tool=f"{spec.platform}/{spec.tool_name}@{spec.version}",
                        capability=capability,
                        pattern_name=name,
                        kind=kind,
                        example=example,
                        pattern=pattern,
                        missing=lacks,
                    )


def reason_to_skip(case: Case, allow_system: bool) -> str | None:
    """Why a case cannot or must not be run here, or None."""
    if case.pattern.binding is None:
        return "it has no binding"
    if case.pattern.connection is not None:
        return f"it runs on the host of the connection {case.pattern.connection}"
    if case.pattern.effects == "system" and not allow_system:
        return "it changes the system; allow it with --allow-system"
    if case.missing:
        return f"this machine lacks {', '.join(case.missing)}"
    return None
