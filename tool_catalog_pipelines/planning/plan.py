"""The Plan: what a chain will do, resolved and immutable. Built by planning/build.py only.

A Plan names tools by reference (platform/name[@version|@channel]); which version runs is decided
once per run by the run lock. Positions are kept for error messages and are not part of the
fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tool_catalog_pipelines.errors import Position
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.chain import ChainInputSpec, RetrySpec, ScheduleSpec

INPUTS = "inputs"
"""The name under which the chain's inputs are referred to: `{from: inputs}`, `$.inputs.x`."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the chain."""

    value: Any


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders `{inputs.x}`, `{item}` or `{item.field}`.

    A text that is one placeholder and nothing else keeps the type of the value.
    """

    text: str
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A value taken from the output of a step (or from the inputs) by JSONPath.

    `path` may hold placeholders; their values enter the path as JSON literals.
    """

    step: str
    path: str
    type: str | None
    default: Any
    has_default: bool
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class MappingOf:
    """An object whose fields are value expressions."""

    fields: Mapping[str, ValueExpr]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of value expressions."""

    elements: tuple[ValueExpr, ...]


ValueExpr = Constant | Template | Reference | MappingOf | ListOf


@dataclass(frozen=True, slots=True)
class Foreach:
    """The list that a step runs over, as JSONPath on `{step: output, inputs: {...}}`."""

    path: str
    as_: str
    max: int
    parallel: int
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step. `data_from` and `needs` are step ids; `data_from` follows from references."""

    id: str
    kind: Literal["tool", "transform"]
    description: str
    tool: ToolRef | None
    capability: str
    pattern: str
    arguments: Mapping[str, ValueExpr]
    foreach: Foreach | None
    when: str | None
    data_from: tuple[str, ...]
    needs: tuple[str, ...]
    timeout_s: float | None
    retry: RetrySpec | None
    """None: as the tool says (`retries`)."""
    on_error: Literal["fail", "continue"]
    position: Position | None = None
    when_position: Position | None = None

    @property
    def upstream(self) -> tuple[str, ...]:
        """Every step that must have ended before this one, each once."""
        return tuple(dict.fromkeys((*self.data_from, *self.needs)))


@dataclass(frozen=True, slots=True)
class Plan:
    """One chain, ready to be explained, compiled and run."""

    chain: str
    version: str
    description: str
    inputs: Mapping[str, ChainInputSpec]
    steps: tuple[PlanStep, ...]
    levels: tuple[tuple[str, ...], ...]
    outputs: Mapping[str, Reference]
    schedule: ScheduleSpec | None
    parallel: int
    tags: Mapping[str, str]
    fingerprint: str
    position: Position | None = None
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The chain as written (JSON), recorded at the first run of this fingerprint."""

    def step(self, step_id: str) -> PlanStep:
        """The step of that id; KeyError if there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)
