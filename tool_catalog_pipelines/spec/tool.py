"""The tool file: one tool, its capabilities, and the patterns in which each can be used.

What each key means to people is in docs/guides/tools_and_chains.md. Rules that need one
field only are declared here; rules across fields and files are in spec/checks.py.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import Field, field_validator

from tool_catalog_pipelines.spec.base import (
    Identifier,
    JsonValue,
    Name,
    SpecModel,
    Text,
    TypeName,
    Version,
)
from tool_catalog_pipelines.spec.binding import Binding, CommandBinding
from tool_catalog_pipelines.spec.example import ExampleSpec

Platform = Literal[
    "linux", "windows", "network", "scheduler", "custom", "multi-platform",
    "database", "cloud", "container", "kubernetes", "monitoring",
]  # fmt: skip
Category = Literal[
    "system", "network", "automation", "monitoring", "security", "database", "cloud", "container",
    "asset", "communication", "filesystem", "storage", "text-processing", "logging",
    "process-management", "scheduler",
]  # fmt: skip
Scope = Literal["single_item", "multiple_items", "batch", "exhaustive", "continuous"]
Score = Annotated[float, Field(ge=0, le=1)]


class DefaultsSpec(SpecModel):
    """What holds for every pattern of the tool unless it says otherwise."""

    accuracy_level: Literal["real-time", "cached", "estimated"] = "real-time"
    freshness: Literal["live", "recent", "historical"] = "live"
    data_source: str = "direct"


class CountOf(SpecModel):
    """A measured value that is the number of matches of a JSONPath."""

    count: str


class VariableSpec(SpecModel):
    """A variable of the estimate expressions.

    `before` says where the value comes from while planning: a JSONPath on `$.inputs`; without it,
    or when it matches nothing, `default` holds. `measured` says where the true value is found
    afterwards: a JSONPath to a number on `$.inputs` / `$.output`, or the count of matches.
    """

    unit: str
    default: float
    range: tuple[float, float] = (0.0, 1e12)
    description: str = ""
    before: str | None = None
    measured: str | CountOf | None = None


class PolicySpec(SpecModel):
    """Limits under which a pattern may be used. A missing limit does not limit."""

    max_cost: float | None = Field(default=None, ge=0)
    max_n_immediate: float | None = Field(default=None, ge=0, alias="max_N_immediate")
    requires_approval: bool = False
    requires_background_if: str | None = None
    production_safe: bool = True
    max_execution_time_s: float | None = Field(default=None, gt=0)
    allowed_environments: tuple[str, ...] | None = None
    required_permissions: tuple[str, ...] = ()


class PreferenceMatchSpec(SpecModel):
    """How well a pattern serves each wish, from 0 (badly) to 1 (perfectly)."""

    speed: Score = 0.5
    accuracy: Score = 0.5
    cost: Score = 0.5
    complexity: Score = 0.5
    completeness: Score = 0.5


class InputSpec(SpecModel):
    """One typed input. `validation` is a regular expression searched in a string value."""

    name: Identifier
    type: TypeName
    description: Text
    default: JsonValue = None
    allowed_values: tuple[JsonValue, ...] | None = None
    range: tuple[float, float] | None = None
    validation: str | None = None
    examples: tuple[JsonValue, ...] = ()


class OutputSpec(SpecModel):
    """One field of the output object; `schema` is a JSON Schema of its value."""

    name: Identifier
    type: TypeName
    description: str = ""
    schema_: dict[str, JsonValue] | None = Field(default=None, alias="schema")


class PriceSpec(SpecModel):
    """What one execution costs in cost units, from what was measured."""

    per_call: float = Field(default=0.0, ge=0)
    per_cpu_second: float = Field(default=0.0, ge=0)
    per_output_byte: float = Field(default=0.0, ge=0)


class PatternSpec(SpecModel):
    """One way to use a capability, with its estimates, policy, inputs, outputs and binding."""

    description: Text
    typical_use_cases: tuple[str, ...] = ()
    variables: dict[str, VariableSpec] = {}
    time_estimate_ms: str | None = None
    cost_estimate: str | None = None
    complexity_score: Score = 0.5
    scope: Scope = "single_item"
    completeness: Literal["complete", "partial", "summary"] = "complete"
    effects: Literal["read", "local", "system"] = "read"
    limitations: tuple[str, ...] = ()
    policy: PolicySpec = PolicySpec()
    preference_match: PreferenceMatchSpec = PreferenceMatchSpec()
    price: PriceSpec | None = None
    required_inputs: tuple[InputSpec, ...] = ()
    optional_inputs: tuple[InputSpec, ...] = ()
    expected_outputs: tuple[OutputSpec, ...] = ()
    binding: Binding | None = None
    examples: tuple[ExampleSpec, ...] = ()
    test_cases: tuple[ExampleSpec, ...] = ()

    @field_validator("time_estimate_ms", "cost_estimate", mode="before")
    @classmethod
    def _number_as_text(cls, value: JsonValue) -> JsonValue:
        """Estimates are expressions; a bare number is the constant expression."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if is_number else value

    @property
    def connection(self) -> str | None:
        """The connection over which the pattern is executed; None for this machine."""
        return self.binding.target if isinstance(self.binding, CommandBinding) else None

    @property
    def inputs(self) -> dict[str, InputSpec]:
        """All declared inputs by name, required ones first."""
        return {spec.name: spec for spec in (*self.required_inputs, *self.optional_inputs)}


class CapabilitySpec(SpecModel):
    """Something a tool can do."""

    description: Text
    patterns: dict[Identifier, PatternSpec] = Field(min_length=1)


class DependencySpec(SpecModel):
    """Something the tool needs on the machine that executes it."""

    name: str
    type: Literal[
        "binary", "package", "service", "permission", "filesystem", "platform", "runtime", "tool"
    ]
    required: bool = True
    version: str | None = None


class RateLimitSpec(SpecModel):
    """At most `calls` starts within any `per_s` seconds."""

    calls: int = Field(ge=1, le=1_000_000)
    per_s: float = Field(default=1.0, gt=0, le=86_400)


class ToolSpec(SpecModel):
    """One tool as a person wrote it.

    `environments` names those in which the tool is seen; empty means all. `timeout_s` and
    `retries` hold where neither the step nor the pattern's policy says otherwise.
    """

    tool_name: Name
    platform: Platform
    version: Version
    category: Category
    description: Text
    status: Literal["active", "deprecated", "disabled", "testing", "draft"] = "active"
    enabled: bool = True
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    environments: tuple[Identifier, ...] = ()
    requires_auth: bool = False
    rate_limit: RateLimitSpec | None = None
    timeout_s: float = Field(default=30.0, gt=0, le=86_400)
    retries: int = Field(default=3, ge=0, le=20)
    defaults: DefaultsSpec = DefaultsSpec()
    capabilities: dict[Identifier, CapabilitySpec] = Field(min_length=1)
    dependencies: tuple[DependencySpec, ...] = ()
    metadata: dict[str, JsonValue] = {}

    @property
    def key(self) -> tuple[str, str]:
        """Identity within a tenant: platform and name, case folded."""
        return (self.platform, self.tool_name.lower())

    @property
    def patterns(self) -> tuple[PatternSpec, ...]:
        """The patterns of all capabilities."""
        return tuple(p for group in self.capabilities.values() for p in group.patterns.values())

    @property
    def tags(self) -> tuple[str, ...]:
        """The texts under `metadata.tags`."""
        tags = self.metadata.get("tags")
        found = cast("list[JsonValue]", tags) if isinstance(tags, list) else []
        return tuple(tag for tag in found if isinstance(tag, str))

    def pattern(self, capability: str, pattern: str) -> PatternSpec:
        """The pattern of that name; KeyError if there is none."""
        return self.capabilities[capability].patterns[pattern]
