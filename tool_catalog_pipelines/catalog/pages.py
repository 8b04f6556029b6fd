"""Tools as Markdown: a page for each, and an index. Pure.

Does not belong here: the reference of the file format (cli/reference.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from tool_catalog_pipelines.catalog.records import CatalogTool, Estimate
from tool_catalog_pipelines.spec.binding import CommandBinding, HttpBinding, IfArgument
from tool_catalog_pipelines.spec.quality import quality_of
from tool_catalog_pipelines.spec.tool import InputSpec, PatternSpec, ToolSpec

_MARKS = re.compile(r"([\\`*_\[\]<>|#])")


def page_name(tool: CatalogTool) -> str:
    """Where its page is, relative to the index."""
    return f"{tool.header.platform}/{tool.header.tool_name}.md"


def index_page(tools: Iterable[CatalogTool]) -> str:
    """A table of all tools for each platform."""
    lines = ["# Tools", ""]
    in_order = sorted(tools, key=lambda tool: tool.header.key)
    for platform, group in groupby(in_order, key=lambda tool: tool.header.platform):
        lines += [f"## {platform}", "", "| tool | what for | state |", "|---|---|---|"]
        for tool in group:
            name = tool.header.tool_name
            state = tool.header.status if tool.header.enabled else "disabled"
            what_for = _plain(tool.spec.description)
            lines.append(f"| [{_plain(name)}]({page_name(tool)}) | {what_for} | {state} |")
        lines.append("")
    return "\n".join(lines)


def tool_page(tool: CatalogTool) -> str:
    """Everything that somebody wants to know before using a tool."""
    spec = tool.spec
    lines = [f"# {_plain(f'{spec.platform}/{spec.tool_name}')}", "", _plain(spec.description), ""]
    lines += _facts(tool)
    for capability, group in spec.capabilities.items():
        lines += [f"## {_plain(capability)}", "", _plain(group.description), ""]
        for name, pattern in group.patterns.items():
            lines += _pattern(name, pattern, tool.estimates.get((capability, name)))
    return "\n".join(lines).rstrip() + "\n"


def _facts(tool: CatalogTool) -> list[str]:
    spec = tool.spec
    rows = [
        ("version", f"{spec.version} ({', '.join(sorted(tool.channels)) or 'no channel'})"),
        ("state", spec.status if spec.enabled else "disabled"),
        ("category", spec.category),
        ("owner", spec.owner or ""),
        ("tags", ", ".join(spec.tags)),
        ("needs", ", ".join(f"{need.type} {need.name}" for need in spec.dependencies)),
        ("documentation", _link(spec)),
        ("quality", f"{quality_of(spec).points} of 100"),
    ]
    return [*_table(("", ""), [(name, value) for name, value in rows if value]), ""]


def _link(spec: ToolSpec) -> str:
    url = spec.metadata.get("documentation_url")
    return url if isinstance(url, str) else ""


def _pattern(name: str, pattern: PatternSpec, estimate: Estimate | None) -> list[str]:
    lines = [f"### {_plain(name)}", "", _plain(pattern.description), ""]
    if pattern.typical_use_cases:
        lines += [f"Used for: {_plain('; '.join(pattern.typical_use_cases))}.", ""]
    lines += [*_table(("", ""), _about(pattern, estimate)), ""]
    if pattern.inputs:
        required = {spec.name for spec in pattern.required_inputs}
        rows = [_input(spec, spec.name in required) for spec in pattern.inputs.values()]
        lines += [*_table(("input", "type", "required", "default", "meaning"), rows), ""]
    if pattern.expected_outputs:
        outputs = [(spec.name, spec.type, spec.description) for spec in pattern.expected_outputs]
        lines += [*_table(("output", "type", "meaning"), outputs), ""]
    lines += [f"- {_plain(text)}" for text in pattern.limitations]
    lines += [""] if pattern.limitations else []
    for example in pattern.examples:
        inputs = json.dumps(example.inputs, ensure_ascii=False)
        lines += [f"Example, {_plain(example.name)}:", "", "```json", inputs, "```", ""]
    return lines


def _about(pattern: PatternSpec, estimate: Estimate | None) -> list[tuple[str, str]]:
    rows = [
        ("runs", _binding(pattern)),
        ("effects", pattern.effects),
        (
            "time",
            f"{estimate.time_ms} ms ({estimate.basis})" if estimate and estimate.time_ms else "",
        ),
        ("cost", f"{estimate.cost_units} units" if estimate and estimate.cost_units else ""),
        ("approval", "needed" if pattern.policy.requires_approval else ""),
        ("production", "" if pattern.policy.production_safe else "not safe"),
    ]
    return [(name, value) for name, value in rows if value]


def _binding(pattern: PatternSpec) -> str:
    binding = pattern.binding
    if binding is None:
        return "not executable"
    if isinstance(binding, CommandBinding):
        where = f" (over the connection {binding.target})" if binding.target else ""
        return " ".join(_argument(element) for element in binding.argv) + where
    if isinstance(binding, HttpBinding):
        return f"{binding.method} {binding.url}"
    return f"the Python function {binding.function}"


def _argument(element: str | IfArgument) -> str:
    return element if isinstance(element, str) else f"[{' '.join(element.then)}]"


def _input(spec: InputSpec, is_required: bool) -> tuple[str, ...]:
    default = "" if spec.default is None else json.dumps(spec.default, ensure_ascii=False)
    limits = [spec.description]
    if spec.allowed_values is not None:
        limits.append(f"one of {', '.join(map(str, spec.allowed_values))}")
    if spec.range is not None:
        limits.append(f"from {spec.range[0]:g} to {spec.range[1]:g}")
    return (spec.name, spec.type, "yes" if is_required else "no", default, "; ".join(limits))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows]


def _plain(text: str) -> str:
    """A text in which nothing is Markdown or HTML, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
