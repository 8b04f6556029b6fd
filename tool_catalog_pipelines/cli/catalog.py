"""Commands that read the catalogue: list, get, versions, diff, audit.

Commands that change it are in catalog_change.py, those that move files in catalog_files.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tool_catalog_pipelines.catalog.filters import ToolFilter, matching
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.options import (
    JsonOption,
    ToolArgument,
    WhereOption,
    reference,
    storable,
    wanted_metadata,
)
from tool_catalog_pipelines.cli.output import Screen, counted_noun
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.tool import PatternSpec


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("list")(list_tools)
    app.command("get")(get)
    app.command("versions")(versions)
    app.command("diff")(diff)
    app.command("audit")(audit)
    app.command("reloads")(reloads)


def list_tools(
    text: Annotated[str, typer.Argument(help="A text in names, descriptions or metadata.")] = "",
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    status: Annotated[
        str | None, typer.Option(help="active, deprecated, disabled, testing or draft.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Only tools of this owner.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only tools with this tag.")] = None,
    capability: Annotated[str | None, typer.Option(help="Only with this capability.")] = None,
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the latest version of every tool with the estimate of its first pattern."""
    snapshot = installed_snapshot(load_settings())
    metadata = wanted_metadata(where)
    wanted = ToolFilter(text, platform, category, status, owner, tag, capability, metadata)
    found = matching(snapshot.latest, wanted)
    rows = [_row(tool) for tool in sorted(found, key=lambda tool: tool.header.key)]
    screen = Screen(as_json)
    screen.result({"source": snapshot.source, "revision": snapshot.revision, "tools": rows})
    if not as_json:
        screen.table("", rows)
        screen.say(f"{counted_noun(len(rows), 'tool')}{_age(snapshot)}")
        if not rows:
            screen.say("`tool-catalog list` without filters shows every tool")


def get(tool: ToolArgument, as_json: JsonOption = False) -> None:
    """Show one version of a tool: as YAML, or with state, channels and estimates as JSON."""
    from tool_catalog_pipelines.catalog.export import exported_text

    snapshot = installed_snapshot(load_settings())
    found = snapshot.resolve(reference(tool))
    screen = Screen(as_json)
    if as_json:
        screen.result(_document(found, snapshot))
        return
    state = found.header.status if found.header.enabled else "disabled"
    channels = ", ".join(sorted(found.channels)) or "none"
    screen.say(f"# {found.label}   {state}   channels: {channels}{_age(snapshot)}")
    screen.say(exported_text(found.spec, found.label).rstrip())
    rows = [{"pattern": "/".join(key), **_estimate(found, key)} for key in sorted(found.estimates)]
    screen.table("\n# estimates", rows)


def versions(tool: ToolArgument, as_json: JsonOption = False) -> None:
    """List every version of a tool, newest first, also those that are deleted."""
    from tool_catalog_pipelines.catalog import history
    from tool_catalog_pipelines.catalog.connect import open_catalog
    from tool_catalog_pipelines.catalog.naming import find_tool

    settings = load_settings()
    screen = Screen(as_json)
    with open_catalog(settings) as catalog, catalog.store.reading() as connection:
        name = find_tool(connection, settings.tenant, reference(tool), to_change=False)
        rows = history.versions(connection, name)
    screen.result({"tool": name.label, "versions": rows})
    if not as_json:
        screen.table(name.label, [_shown(row) for row in rows])


def diff(
    tool: ToolArgument,
    old: Annotated[str, typer.Argument(help="The older version or a channel.")],
    new: Annotated[str, typer.Argument(help="The newer version or a channel.")] = "latest",
    as_json: JsonOption = False,
) -> None:
    """Compare two versions field by field, and say which changes break users of the tool."""
    from tool_catalog_pipelines.catalog.diff import breaks, compare

    snapshot = installed_snapshot(load_settings())
    ref = reference(tool)
    before, after = (snapshot.resolve(ToolRef(ref.name, ref.platform, at)) for at in (old, new))
    changes = compare(before.spec, after.spec)
    rows = [
        {"field": c.path, "old": c.old, "new": c.new, "breaking": c.why_breaking} for c in changes
    ]
    screen = Screen(as_json)
    screen.result(
        {"old": before.label, "new": after.label, "breaking": breaks(changes), "changes": rows}
    )
    if not as_json:
        title = f"{before.label} -> {after.label}"
        screen.table(title, [_shown(row) for row in rows], one_field_a_line=True)
        screen.say(
            "users of the old version may break"
            if breaks(changes)
            else f"{counted_noun(len(changes), 'change')}; none breaks users of the old version"
        )


def audit(
    tool: Annotated[
        str | None,
        typer.Argument(help="platform/name, or an experiment.", callback=storable),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(help="created, updated, disabled ...", callback=storable),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(help="Who made the change.", callback=storable),
    ] = None,
    since: Annotated[datetime | None, typer.Option(help="Not before (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before (UTC).")] = None,
    text: Annotated[
        str | None,
        typer.Option(help="A text in keys, reasons, origins or values.", callback=storable),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="At most so many, newest first.")
    ] = 50,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write every entry found to a file, one JSON a line."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who changed what, when and why."""
    from tool_catalog_pipelines.catalog import history
    from tool_catalog_pipelines.catalog.connect import open_catalog
    from tool_catalog_pipelines.cli.output import write_lines

    settings = load_settings()
    query = history.AuditQuery(settings.tenant, tool, action, actor, _utc(since), _utc(until), text)
    screen = Screen(as_json)
    with open_catalog(settings) as catalog, catalog.store.reading() as connection:
        if output is not None:
            written = write_lines(output, history.entries(connection, query))
            screen.result({"entries_written": written, "file": str(output)})
            screen.say(f"{written} entries written to {output}")
            return
        rows = list(history.entries(connection, query, limit))
    screen.result({"entries": rows})
    if not as_json:
        screen.table("", [_entry(row) for row in rows])
        if not rows:
            screen.say("no entries; `tool-catalog audit` without anything shows the newest")
        elif len(rows) == limit:
            screen.say(f"the newest {limit}; --limit shows more, -o FILE writes all")


def reloads(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show when runs took over changes that were made to the catalogue meanwhile."""
    from dataclasses import asdict

    from tool_catalog_pipelines.catalog.reload_log import ReloadLog, counted

    logged = ReloadLog(load_settings().reloads_path).newest(limit)
    rows = [{"process": one.process, **asdict(one.reload)} for one in logged]
    statistics = counted(logged).statistics()
    screen = Screen(as_json)
    screen.result({"reloads": rows, "statistics": asdict(statistics)})
    if not as_json:
        screen.table("", [_shown({"at": row.pop("at"), **row}) for row in rows])
        screen.say(
            f"{counted_noun(statistics.reloads, 'reload')}, {statistics.failures} failed; "
            f"mean {statistics.mean_ms:.1f} ms, longest {statistics.longest_ms:.1f} ms"
            if rows
            else "no reloads yet; a run notes one when the catalogue changes while it goes on"
        )


def _document(tool: CatalogTool, snapshot: CatalogSnapshot) -> dict[str, Any]:
    header = tool.header
    return {
        "tool": tool.label,
        "tenant": header.tenant,
        "status": header.status,
        "enabled": header.enabled,
        "channels": sorted(tool.channels),
        "source": snapshot.source,
        "revision": snapshot.revision,
        "estimates": {"/".join(key): _estimate(tool, key) for key in tool.estimates},
        "spec": tool.document() | {"version": header.version},
    }


def _estimate(tool: CatalogTool, key: tuple[str, str]) -> dict[str, Any]:
    estimate = tool.estimates[key]
    return {
        "time_ms": estimate.time_ms,
        "cost_units": estimate.cost_units,
        "basis": estimate.basis,
        "runs": estimate.runs,
        "revision": estimate.revision,
    }


def _row(tool: CatalogTool) -> dict[str, object]:
    estimate = next(iter(tool.estimates.values()), None)
    patterns = [p for c in tool.spec.capabilities.values() for p in c.patterns.values()]
    return {
        "tool": f"{tool.header.platform}/{tool.header.tool_name}",
        "version": tool.header.version,
        "state": tool.header.status if tool.header.enabled else "disabled",
        "patterns": len(patterns),
        "executable": _where(patterns),
        "time_ms": estimate.time_ms if estimate else None,
        "basis": estimate.basis if estimate else "unknown",
        "description": tool.spec.description,
    }


def _where(patterns: Sequence[PatternSpec]) -> str:
    """Whether anything of a tool can be executed, and where."""
    bound = [pattern for pattern in patterns if pattern.binding is not None]
    if any(pattern.connection is None for pattern in bound):
        return "yes"
    return "elsewhere" if bound else "no"


def _entry(row: Mapping[str, Any]) -> dict[str, object]:
    fields = ", ".join(change["field"] for change in row["changes"])
    return {
        "when": f"{row['changed_at']:%Y-%m-%d %H:%M:%S}",
        "who": row["changed_by"],
        "what": row["action"],
        "which": row["entity_key"],
        "fields": fields,
        "why": row["reason"],
    }


def _shown(row: dict[str, Any]) -> dict[str, object]:
    """Lists and moments as a person reads them."""
    shown: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, list):
            shown[key] = ", ".join(map(str, cast("list[object]", value)))
        elif isinstance(value, datetime):
            shown[key] = f"{value:%Y-%m-%d %H:%M:%S}"
        else:
            shown[key] = value
    return shown


def _age(snapshot: CatalogSnapshot) -> str:
    """A word on where the answer comes from, if it may be old."""
    if snapshot.source == "yaml":
        return "   (from the files; nothing was imported yet)"
    return f"   (revision {snapshot.revision}, as of {snapshot.taken_at:%Y-%m-%d %H:%M} UTC)"


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.year < 1970:
        raise InvalidInputError.one(f"there are no entries of {moment.year}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
