"""Builders of small valid objects for tests: tools, snapshots, chains, experiments.

Every builder gives something valid without arguments; a test names only what it is about.
Does not belong here: anything that opens a file, a database or a process.
Use: `from factories import make_tool` (tests/ is on the import path through tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

from tool_catalog_pipelines.catalog.records import (
    CatalogTool,
    Estimate,
    declared_estimates,
    header_of,
)
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.base import parse_tool_ref
from tool_catalog_pipelines.spec.chain import ChainSpec
from tool_catalog_pipelines.spec.checks import check_chain
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import Loaded
from tool_catalog_pipelines.spec.reader import read_document
from tool_catalog_pipelines.spec.tool import ToolSpec

CAPABILITY = "use"
PATTERN = "run"
TAKEN_AT = datetime(2026, 1, 1, tzinfo=UTC)
ECHO = {
    "kind": "command",
    "argv": ["echo", "hello"],
    "output": {"parser": "text", "as": "result"},
}


def make_input(name: str, type_: str = "string", **more: Any) -> dict[str, Any]:
    """One declared input of a pattern, as written in YAML."""
    return {"name": name, "type": type_, "description": f"The {name}", **more}


def make_output(name: str, type_: str = "string", **more: Any) -> dict[str, Any]:
    """One declared output field of a pattern, as written in YAML."""
    return {"name": name, "type": type_, **more}


def make_pattern(**more: Any) -> dict[str, Any]:
    """One pattern, as in YAML: `echo hello`, 10 ms, cost 1. `binding=None` leaves it out."""
    pattern = {
        "description": "Says hello",
        "time_estimate_ms": "10",
        "cost_estimate": "1",
        "binding": ECHO,
        **more,
    }
    return {key: value for key, value in pattern.items() if value is not None}


def make_tool_spec(
    ref: str = "linux/echo@1.0.0",
    capabilities: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    tool: Mapping[str, Any] | None = None,
    **pattern: Any,
) -> ToolSpec:
    """One tool version.

    Args:
        ref: `platform/name@version`; platform and version have defaults.
        capabilities: capability -> pattern -> pattern as of `make_pattern`; default is the one
            pattern `use.run`.
        tool: further keys of the tool file (`enabled`, `status`, `category`, ...).
        pattern: keys of the one pattern, when `capabilities` is not given.
    """
    parsed = parse_tool_ref(ref)
    wanted = capabilities or {CAPABILITY: {PATTERN: make_pattern(**pattern)}}
    return ToolSpec.model_validate(
        {
            "tool_name": parsed.name,
            "platform": parsed.platform or "linux",
            "version": parsed.at or "1.0.0",
            "category": "system",
            "description": f"The tool {parsed.name}",
            "capabilities": {
                name: {"description": name, "patterns": dict(patterns)}
                for name, patterns in wanted.items()
            },
            **(tool or {}),
        }
    )


def make_tool(
    ref: str = "linux/echo@1.0.0",
    *,
    tool_id: int | None = None,
    channels: Sequence[str] = ("latest",),
    estimates: Mapping[tuple[str, str], Estimate] | None = None,
    **spec: Any,
) -> CatalogTool:
    """One tool version in the catalogue; `spec` goes to `make_tool_spec`."""
    tool_spec = make_tool_spec(ref, **spec)
    header = replace(header_of(tool_spec, channels=channels), tool_id=tool_id)
    return CatalogTool.of(tool_spec, header, {**declared_estimates(tool_spec), **(estimates or {})})


def make_experiment(name: str = "faster_echo", **more: Any) -> ExperimentSpec:
    """An active experiment on linux/echo, version 1.0.0 (arm a) against 1.1.0 (arm b)."""
    return ExperimentSpec.model_validate(
        {
            "experiment": name,
            "description": "Is the new version faster?",
            "tool": "linux/echo",
            "version_a": "1.0.0",
            "version_b": "1.1.0",
            **more,
        }
    )


def make_snapshot(
    *tools: CatalogTool, experiments: Sequence[ExperimentSpec] = (), revision: int = 1
) -> CatalogSnapshot:
    """A catalogue with these tools (default: `make_tool()`)."""
    return CatalogSnapshot(
        revision=revision,
        taken_at=TAKEN_AT,
        tools=tools or (make_tool(),),
        experiments=tuple(experiments),
    )


def make_chain(
    text: str = "steps: {hello: {tool: linux/echo}}", file: str = "chains/t.yaml"
) -> Any:
    """A chain read from YAML text, with positions: `Loaded[ChainSpec]`.

    `chain`, `version` and `description` are appended when the text does not give them, so that
    line numbers in problems are those of the text.
    """
    body = dedent(text).rstrip() + "\n"
    header = {"chain": "t", "version": "1.0.0", "description": "A chain for a test"}
    lines = body.splitlines()
    missing = [
        f"{key}: {value}\n"
        for key, value in header.items()
        if not any(line.startswith(f"{key}:") for line in lines)
    ]
    document = read_document(body + "".join(missing), file)
    spec = ChainSpec.model_validate(document.value)
    if problems := check_chain(spec, document):
        raise InvalidInputError(problems)
    return Loaded(spec, document, Path(file))


def host_health_tools() -> tuple[CatalogTool, ...]:
    """The tools that the example chain `host_health` needs."""
    return (
        make_tool(
            "linux/df",
            capabilities={
                "disk_usage": {
                    "list_filesystems": make_pattern(
                        variables={
                            "num_filesystems": {
                                "unit": "count",
                                "default": 10,
                                "range": [0, 100000],
                                "measured": {"count": "$.output.filesystems[*]"},
                            }
                        },
                        time_estimate_ms="6 + 0.02 * num_filesystems",
                        expected_outputs=[make_output("filesystems", "array")],
                    )
                }
            },
        ),
        make_tool("linux/free", expected_outputs=[make_output("memory", "array")]),
        make_tool(
            "linux/ps",
            optional_inputs=[
                make_input("sort", allowed_values=["cpu", "memory"]),
                make_input("limit", "integer", range=[1, 1000]),
            ],
            expected_outputs=[make_output("processes", "array")],
        ),
        make_tool(
            "linux/du",
            required_inputs=[make_input("path", validation="^/")],
            optional_inputs=[make_input("depth", "integer", range=[0, 10], default=1)],
            time_estimate_ms="250",
            policy={"max_execution_time_s": 120},
            expected_outputs=[make_output("folders", "array")],
        ),
        make_tool(
            "custom/render_report",
            channels=("latest", "stable"),
            required_inputs=[make_input("title"), make_input("sections", "object")],
            optional_inputs=[make_input("formats", "array")],
            effects="local",
            binding={"kind": "python", "function": "render_report"},
            expected_outputs=[make_output("files", "object")],
        ),
    )
