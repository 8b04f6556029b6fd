"""Commands on the catalogue itself: import, tools, promote."""

from __future__ import annotations

from typing import Annotated

import typer

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import snapshot_or_yaml
from tool_catalog_pipelines.cli.options import JsonOption
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import")(import_yaml)
    app.command("tools")(list_tools)
    app.command("promote")(promote)


def import_yaml(as_json: JsonOption = False) -> None:
    """Import the tools and experiments of the YAML folder; files with an error are left out."""
    from tool_catalog_pipelines.catalog.connect import open_catalog
    from tool_catalog_pipelines.catalog.importer import import_catalog
    from tool_catalog_pipelines.cli.starting import say_report

    settings = load_settings()
    screen = Screen(as_json)
    with open_catalog(settings) as catalog, screen.phase("import the catalogue"):
        report = import_catalog(catalog.store, settings)
    document = {
        "imported": report.imported,
        "unchanged": report.unchanged,
        "conflicts": report.conflicts,
        "refused": report.refused,
        "problems": [str(problem) for problem in report.problems],
    }
    screen.result(document)
    say_report(screen, report)
    if report.refused:
        raise typer.Exit(2)


def list_tools(
    text: Annotated[str, typer.Argument(help="Show only tools whose name or text has this.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the newest version of every tool with the estimate of its first pattern."""
    snapshot = snapshot_or_yaml(load_settings())
    tools = [tool for tool in snapshot.tools if "latest" in tool.channels and _matches(tool, text)]
    rows = [_row(tool) for tool in sorted(tools, key=lambda tool: tool.spec.key)]
    screen = Screen(as_json)
    screen.result({"tools": rows})
    if not as_json:
        screen.table("", rows)
        screen.say(f"{len(rows)} tools")


def promote(
    tool: Annotated[str, typer.Argument(help="platform/name@version")],
    channel: Annotated[str, typer.Option(help="stable or testing")] = "stable",
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "",
) -> None:
    """Let a channel point at a version; nothing else ever moves `stable`."""
    from tool_catalog_pipelines.catalog.connect import open_catalog

    if channel not in ("stable", "testing"):
        raise InvalidInputError.one(f"no channel {channel!r} to promote to", "stable or testing")
    settings = load_settings()
    with open_catalog(settings) as catalog:
        found = catalog.store.snapshot().resolve(_reference(tool))
        if found.tool_id is None:
            raise InvalidInputError.one(f"{tool} is not in the database", "tool-catalog import")
        catalog.store.promote(found.tool_id, channel, reason)
    Screen().say(f"{found.label} is {channel} now")


def _reference(text: str) -> ToolRef:
    try:
        return parse_tool_ref(text)
    except ValueError as error:
        raise InvalidInputError.one(str(error)) from error


def _matches(tool: CatalogTool, text: str) -> bool:
    spec = tool.spec
    return text.lower() in f"{spec.platform}/{spec.tool_name} {spec.description}".lower()


def _row(tool: CatalogTool) -> dict[str, object]:
    estimate = next(iter(tool.estimates.values()), None)
    patterns = [p for c in tool.spec.capabilities.values() for p in c.patterns.values()]
    return {
        "tool": f"{tool.spec.platform}/{tool.spec.tool_name}",
        "version": tool.spec.version,
        "patterns": len(patterns),
        "executable": "yes" if any(p.binding for p in patterns) else "no",
        "time_ms": estimate.time_ms if estimate else None,
        "basis": estimate.basis if estimate else "unknown",
        "description": tool.spec.description,
    }
