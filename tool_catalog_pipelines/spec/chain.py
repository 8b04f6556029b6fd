"""The chain file: steps, how data flows between them, when they run and what happens on errors.

Rules that need one field only are declared here; rules across steps and tools are in planning/.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tool_catalog_pipelines.spec.base import (
    Identifier,
    JsonValue,
    SpecModel,
    Text,
    TypeName,
    Version,
)

MappedType = Literal[
    "string", "integer", "number", "boolean", "array", "object",
    "list[string]", "list[integer]", "list[number]", "list[boolean]", "list[object]",
]  # fmt: skip
NO_DEFAULT = "\0no default"
"""Marks a mapping without default, since null is a legal default."""


class ChainInputSpec(SpecModel):
    """One input of the chain; without a default it must be given at the start of a run."""

    type: TypeName
    description: Text
    default: JsonValue = NO_DEFAULT
    range: tuple[float, float] | None = None
    allowed_values: tuple[JsonValue, ...] | None = None
    validation: str | None = None

    @property
    def is_required(self) -> bool:
        """True if every run must give a value."""
        return isinstance(self.default, str) and self.default == NO_DEFAULT


class ReferenceSpec(SpecModel):
    """A value taken from an earlier step: JSONPath on that step's output, with conversion.

    No match gives `default`; without a default it is an error that names this line. One match
    gives the value itself, more matches (or a `list[...]` type) give a list.
    """

    from_: str = Field(alias="from")
    path: str = "$"
    type: MappedType | None = None
    default: JsonValue = NO_DEFAULT

    @property
    def has_default(self) -> bool:
        """True if a default was written (null counts)."""
        return not (isinstance(self.default, str) and self.default == NO_DEFAULT)


ValueSpec = JsonValue
"""A value in `with:` or `transform:`: a literal, a text with placeholders `{inputs.x}` / `{item}`,
a mapping with the key `from` (a ReferenceSpec), or a list or mapping of such values."""


class ForeachSpec(SpecModel):
    """Run the step once per element of a list, in order, several at a time."""

    in_: str = Field(alias="in")
    as_: Identifier = Field(default="item", alias="as")
    max: int = Field(default=1000, ge=1, le=100_000)
    parallel: int = Field(default=4, ge=1, le=64)


class RetrySpec(SpecModel):
    """Further attempts after a failure; `attempts` counts the first one too."""

    attempts: int = Field(default=1, ge=1, le=20)
    on: tuple[Literal["transient", "timeout", "any"], ...] = ("transient",)
    backoff: Literal["constant", "exponential"] = "exponential"
    first_s: float = Field(default=1.0, ge=0, le=3600)
    max_s: float = Field(default=60.0, ge=0, le=86_400)


class StepSpec(SpecModel):
    """One node of the chain: either a `tool` with arguments or a pure `transform`."""

    tool: str | None = None
    capability: Identifier | None = None
    pattern: Identifier | None = None
    with_: dict[Identifier, ValueSpec] = Field(default={}, alias="with")
    transform: dict[Identifier, ValueSpec] | None = None
    foreach: ForeachSpec | None = None
    when: str | None = None
    needs: tuple[Identifier, ...] = ()
    timeout_s: float | None = Field(default=None, gt=0, le=86_400)
    retry: RetrySpec | None = None
    on_error: Literal["fail", "continue"] = "fail"
    description: str = ""

    @model_validator(mode="after")
    def _tool_or_transform(self) -> StepSpec:
        if (self.tool is None) == (self.transform is None):
            raise ValueError("a step has either `tool` or `transform`; write exactly one of them")
        if self.transform is not None and (self.foreach or self.with_ or self.pattern):
            raise ValueError("a `transform` step takes no `foreach`, `with` or `pattern`")
        return self


class ScheduleSpec(SpecModel):
    """When the chain starts by itself. Off until switched on in the UI unless `enabled`."""

    cron: str
    timezone: str = "UTC"
    enabled: bool = False


class ChainSpec(SpecModel):
    """One chain as a person wrote it."""

    chain: Annotated[Identifier, Field(description="Name; also the name of the Dagster job")]
    version: Version
    description: Text
    inputs: dict[Identifier, ChainInputSpec] = {}
    steps: dict[Identifier, StepSpec] = Field(min_length=1)
    outputs: dict[Identifier, ReferenceSpec] = {}
    schedule: ScheduleSpec | None = None
    parallel: int = Field(default=32, ge=1, le=256)
    tags: dict[str, str] = {}
