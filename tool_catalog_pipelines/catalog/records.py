"""What the catalogue hands out: one version of a tool with its state, channels and estimates.

Pure records. Many of them together are a snapshot (catalog/snapshot.py); how they are stored is in
the *_rows.py modules, how they come to disk in catalog/snapshot_file.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, cast

from tool_catalog_pipelines.catalog.versioning import order_key
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.facts import Basis
from tool_catalog_pipelines.spec.tool import ToolSpec

SHARED = "shared"
"""The tenant whose tools every tenant sees."""

PatternKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The current estimate of one pattern of one tool version.

    Expressions are texts of expressions/; None means unknown. `runs` is the number of executions
    behind a recalibrated estimate, `revision` counts from 1 (the declared one).
    """

    time_ms: str | None
    cost_units: str | None
    basis: Basis
    runs: int = 0
    revision: int = 1
    evidence: Mapping[str, Any] | None = None

    def basis_of(self, text: str | None, declared: str | None) -> tuple[Basis, int]:
        """Where one of the two expressions comes from, and the executions behind it.

        Recalibration may change one and keep the other as its author declared it.
        """
        if text is None:
            return "unknown", 0
        return ("declared", 0) if text == declared else (self.basis, self.runs)


@dataclass(frozen=True, slots=True)
class ToolHeader:
    """Identity and state of a version: what is needed to find it and to decide whether it may run.

    `environments` names those in which it is seen; empty means all.
    """

    tenant: str
    platform: str
    tool_name: str
    version: str
    tool_id: int | None = None
    status: str = "active"
    enabled: bool = True
    environments: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[str, str]:
        """Identity within a tenant: platform and name, case folded."""
        return (self.platform, self.tool_name.lower())

    @property
    def is_usable(self) -> bool:
        """Whether somebody may start it: neither disabled nor a draft."""
        return self.enabled and self.status not in ("disabled", "draft")

    def is_seen_in(self, environment: str) -> bool:
        """Whether it exists for those who work in that environment."""
        return not self.environments or environment in self.environments

    def sort_key(self) -> tuple[Any, ...]:
        """Oldest version first."""
        return (self.tool_name.lower(), self.platform, order_key(self.version))


@dataclass(frozen=True, slots=True)
class _Content:
    spec: ToolSpec
    estimates: Mapping[PatternKey, Estimate]


@dataclass(slots=True, eq=False)
class CatalogTool:
    """One version of one tool. `raw` is JSON, read when somebody asks for what is in it.

    Most versions of a large catalogue are never looked at in one process, and a parsed one takes
    about ten times the memory of its text.
    """

    header: ToolHeader
    raw: bytes | memoryview
    _content: _Content | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        spec: ToolSpec,
        header: ToolHeader | None = None,
        estimates: Mapping[PatternKey, Estimate] | None = None,
    ) -> Self:
        """A record made from a spec; without estimates those that the spec declares."""
        found = declared_estimates(spec) if estimates is None else estimates
        return cls(header or header_of(spec), encode(spec, found), _Content(spec, found))

    @property
    def tool_id(self) -> int | None:
        """Row in the database; None for a tool that was only read from a file."""
        return self.header.tool_id

    @property
    def channels(self) -> frozenset[str]:
        """Channels that point at this version."""
        return self.header.channels

    @property
    def label(self) -> str:
        """`platform/name@version`."""
        return f"{self.header.platform}/{self.header.tool_name}@{self.header.version}"

    @property
    def spec(self) -> ToolSpec:
        """What a person wrote, with the state of now."""
        return self._parsed().spec

    @property
    def estimates(self) -> Mapping[PatternKey, Estimate]:
        """The current estimate by (capability, pattern)."""
        return self._parsed().estimates

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values, without making a model of it."""
        try:
            return cast("dict[str, Any]", json.loads(bytes(self.raw))["spec"])
        except (ValueError, KeyError, TypeError):
            raise self._damaged() from None

    def forget(self) -> None:
        """Drop what was parsed; it is parsed again when asked for."""
        self._content = None

    def _parsed(self) -> _Content:
        content = self._content
        if content is None:
            try:
                content = _decode(self.header, bytes(self.raw))
            except (ValueError, KeyError, TypeError):
                raise self._damaged() from None
            self._content = content
        return content

    def _damaged(self) -> TerminalError:
        return TerminalError(
            f"the content of {self.label} is damaged in the catalogue's snapshot on disk; remove "
            "catalog/snapshot.json from the installation's folder and run `tool-catalog import`"
        )


def header_of(spec: ToolSpec, tenant: str = SHARED, channels: Iterable[str] = ()) -> ToolHeader:
    """The header of a spec that is in no database."""
    return ToolHeader(
        tenant=tenant,
        platform=spec.platform,
        tool_name=spec.tool_name,
        version=spec.version,
        status=spec.status,
        enabled=spec.enabled,
        environments=spec.environments,
        channels=frozenset(channels),
    )


def declared_estimates(spec: ToolSpec) -> dict[PatternKey, Estimate]:
    """The estimates that the author of a tool wrote; unknown where nothing is written."""
    found: dict[PatternKey, Estimate] = {}
    for capability, declared in spec.capabilities.items():
        for name, pattern in declared.patterns.items():
            time_ms, cost_units = pattern.time_estimate_ms, pattern.cost_estimate
            basis: Basis = "unknown" if time_ms is None and cost_units is None else "declared"
            found[capability, name] = Estimate(time_ms, cost_units, basis)
    return found


def encode(spec: ToolSpec, estimates: Mapping[PatternKey, Estimate]) -> bytes:
    """The JSON of a record: `spec` and `estimates`."""
    content = {
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "estimates": [
            {"capability": key[0], "pattern": key[1], **asdict(estimate)}
            for key, estimate in estimates.items()
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _decode(header: ToolHeader, raw: bytes) -> _Content:
    content = json.loads(raw)
    state = {"version": header.version, "status": header.status, "enabled": header.enabled}
    spec = ToolSpec.model_validate({**content["spec"], **state})
    estimates: dict[PatternKey, Estimate] = {}
    for record in content["estimates"]:
        key = (record.pop("capability"), record.pop("pattern"))
        estimates[key] = Estimate(**record)
    return _Content(spec, estimates)
