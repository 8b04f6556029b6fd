"""The tool file: one tool, its capabilities, and the patterns in which each can be used.

Key names are those of the design documents (docs/reference/tool_file.md). Rules that need one
field only are declared here; rules across fields and files are in spec/checks.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

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


class IfArgument(SpecModel):
    """Arguments that are present only if an input is given (and is not false)."""

    if_: Identifier = Field(alias="if")
    then: tuple[str, ...]
    else_: tuple[str, ...] = Field(default=(), alias="else")


class ParserSpec(SpecModel):
    """How standard output becomes the output object `{as: value}`.

    Parsers: `jc` (with `name` of the jc parser), `text` (string), `lines` (list of strings),
    `json`, `regex` (`pattern` with named groups, one object per matching line), `none` (nothing).
    """

    parser: Literal["jc", "text", "lines", "json", "regex", "none"]
    name: str | None = None
    as_: Identifier = Field(default="result", alias="as")
    pattern: str | None = None


class ExitCodes(SpecModel):
    """Meaning of exit codes; a code in no list is a failure."""

    success: tuple[int, ...] = (0,)
    no_result: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    transient: tuple[int, ...] = ()


class CommandBinding(SpecModel):
    """A command on this machine: an argv list with typed placeholders `{input}`, no shell.

    A placeholder that is a whole argument and holds an array becomes one argument per element.
    """

    kind: Literal["command"]
    argv: tuple[str | IfArgument, ...] = Field(min_length=1)
    output: ParserSpec
    exit_codes: ExitCodes = ExitCodes()
    stdin: str | None = None
    env: dict[str, str] = {}
    cwd: str | None = None
    max_output_bytes: int = Field(default=8_388_608, ge=1, le=1_073_741_824)


class PythonBinding(SpecModel):
    """A registered Python function (entry point group `tool_catalog_pipelines.functions`)."""

    kind: Literal["python"]
    function: Name


class HttpBinding(SpecModel):
    """One HTTP call. Texts hold typed placeholders `{input}`, as in a command.

    A query parameter or header whose text is one placeholder is left out when that input is not
    given. `body` is sent as JSON; a text in it that is one placeholder becomes the input's value.
    """

    kind: Literal["http"]
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    url: Text
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: JsonValue = None
    output: ParserSpec = ParserSpec(parser="json")
    success_statuses: tuple[int, ...] = (200, 201, 202, 203, 204, 206)
    no_result_statuses: tuple[int, ...] = ()
    transient_statuses: tuple[int, ...] = (408, 425, 429, 500, 502, 503, 504)
    max_output_bytes: int = Field(default=8_388_608, ge=1, le=1_073_741_824)


Binding = Annotated[CommandBinding | PythonBinding | HttpBinding, Field(discriminator="kind")]


class ExampleSpec(SpecModel):
    """A named call of the pattern and what is expected of it."""

    name: Text
    inputs: dict[str, JsonValue] = {}
    expect: dict[str, JsonValue] = {}


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

    @field_validator("time_estimate_ms", "cost_estimate", mode="before")
    @classmethod
    def _number_as_text(cls, value: JsonValue) -> JsonValue:
        """Estimates are expressions; a bare number is the constant expression."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if is_number else value

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

    def pattern(self, capability: str, pattern: str) -> PatternSpec:
        """The pattern of that name; KeyError if there is none."""
        return self.capabilities[capability].patterns[pattern]
