"""Which tool, capability and pattern a step uses, and whether it can be executed at all.

One check per step. What the step passes to the tool is checked in planning/arguments.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.planning.findings import Findings
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.chain import StepSpec
from tool_catalog_pipelines.spec.notes import name_hint
from tool_catalog_pipelines.spec.reader import DocumentPath
from tool_catalog_pipelines.spec.tool import PatternSpec


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A step's tool, resolved as of now; `ref` is fully qualified and keeps `at` as written."""

    ref: ToolRef
    tool: CatalogTool
    capability: str
    pattern_name: str

    @property
    def pattern(self) -> PatternSpec:
        """The pattern that the step uses."""
        return self.tool.spec.pattern(self.capability, self.pattern_name)


def resolve_use(
    step_id: str, step: StepSpec, snapshot: CatalogSnapshot, findings: Findings
) -> ToolUse | None:
    """The tool and pattern of a tool step, or None with the reason noted."""
    where: DocumentPath = ("steps", step_id, "tool")
    found = _resolve_tool(step.tool or "", where, snapshot, findings)
    if found is None:
        return None
    ref, tool = found
    chosen = _choose_pattern(step_id, step, tool, findings)
    if chosen is None:
        return None
    use = ToolUse(ref, tool, *chosen)
    if use.pattern.binding is None:
        findings.add(
            where,
            f"{tool.label} {use.capability}/{use.pattern_name} is not executable: "
            "the pattern has no binding",
            "add a binding to the tool file, or use a pattern that has one",
            "not_executable",
        )
    elif use.pattern.connection is not None:
        findings.add(
            where,
            f"{tool.label} {use.capability}/{use.pattern_name} is not executable: "
            f"it runs over the connection {use.pattern.connection}, and none can be opened yet",
            "use a tool of this machine",
            "not_executable",
        )
    return use


def _resolve_tool(
    text: str, where: DocumentPath, snapshot: CatalogSnapshot, findings: Findings
) -> tuple[ToolRef, CatalogTool] | None:
    written = parse_tool_ref(text)  # loading the file checked it
    try:
        tool = snapshot.resolve(written)
    except NotFoundError as error:
        disabled = _disabled(written, snapshot)
        if disabled is None:
            findings.add_all(where, error, code="unknown_tool")
        else:
            _note_disabled(disabled, where, findings)
        return None
    if is_disabled(tool):
        _note_disabled(tool, where, findings)
        return None
    return ToolRef(tool.spec.tool_name.lower(), tool.spec.platform, written.at), tool


def is_disabled(tool: CatalogTool) -> bool:
    """True if nobody may start this version."""
    return not tool.header.is_usable


def _disabled(ref: ToolRef, snapshot: CatalogSnapshot) -> CatalogTool | None:
    """A version of the tool, if all are disabled: then no channel leads to one."""
    versions = [
        tool
        for tool in snapshot.by_name.get(ref.name, ())
        if ref.platform in (None, tool.spec.platform)
    ]
    return versions[-1] if versions and all(map(is_disabled, versions)) else None


def _note_disabled(tool: CatalogTool, where: DocumentPath, findings: Findings) -> None:
    findings.add(
        where, f"{tool.label} is disabled", "enable it or use another tool", "tool_disabled"
    )


def _choose_pattern(
    step_id: str, step: StepSpec, tool: CatalogTool, findings: Findings
) -> tuple[str, str] | None:
    """The (capability, pattern) named by the step, or the only one that fits."""
    all_pairs = [
        (capability, pattern)
        for capability, group in tool.spec.capabilities.items()
        for pattern in group.patterns
    ]
    fits = [
        (capability, pattern)
        for capability, pattern in all_pairs
        if step.capability in (None, capability) and step.pattern in (None, pattern)
    ]
    if len(fits) == 1:
        return fits[0]
    if fits:
        options = ", ".join(f"{capability}/{pattern}" for capability, pattern in sorted(fits))
        findings.add(
            ("steps", step_id, "tool"),
            f"{tool.label} can be used in several ways: {options}",
            "name one with `capability:` and `pattern:`",
            "pattern_ambiguous",
        )
        return None
    _note_unknown_pattern(step_id, step, tool, findings)
    return None


def _note_unknown_pattern(
    step_id: str, step: StepSpec, tool: CatalogTool, findings: Findings
) -> None:
    capabilities = tool.spec.capabilities
    if step.capability is not None and step.capability not in capabilities:
        findings.add(
            ("steps", step_id, "capability"),
            f"{tool.label} has no capability {step.capability!r}",
            name_hint(step.capability, capabilities),
            "unknown_capability",
        )
        return
    groups = [capabilities[step.capability]] if step.capability else list(capabilities.values())
    findings.add(
        ("steps", step_id, "pattern"),
        f"{tool.label} has no pattern {step.pattern!r}"
        + (f" in capability {step.capability}" if step.capability else ""),
        name_hint(
            step.pattern or "", sorted({name for group in groups for name in group.patterns})
        ),
        "unknown_pattern",
    )
