"""Commands about many tools at once: bulk-update, quality, docs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_catalog_pipelines.catalog.filters import ToolFilter, matching
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.catalog_change import ORIGIN, ReasonOption, given_patch
from tool_catalog_pipelines.cli.options import JsonOption, reference, words
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.bulk import Done, Planned
    from tool_catalog_pipelines.spec.quality import Gap

_SHOWN = 60


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("bulk-update")(bulk_update)
    app.command("quality")(quality)
    app.command("docs")(docs)


def bulk_update(
    text: Annotated[str, typer.Argument(help="A text in names, descriptions or metadata.")] = "",
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    status: Annotated[str | None, typer.Option(help="Only this state.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only tools of this owner.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only tools with this tag.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="key=value in the metadata; may be repeated.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="field=value, dots lead inside; null removes; repeatable."),
    ] = None,
    add_tag: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    remove_tag: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes shown.")] = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Change the same in many tools. Shows what would change; --apply makes it so."""
    from tool_catalog_pipelines.catalog.bulk import BulkChange, make_changes, planned
    from tool_catalog_pipelines.catalog.connect import open_catalog

    patch = given_patch(assignments or [], None) if assignments else {}
    if not (patch or add_tag or remove_tag):
        raise InvalidInputError.one("nothing to change", "give --set, --add-tag or --remove-tag")
    metadata = tuple(words(pair, "--where") for pair in where or ())
    wanted = ToolFilter(text, platform, category, status, owner, tag, None, metadata)
    change = BulkChange(patch, tuple(add_tag or ()), tuple(remove_tag or ()))
    screen = Screen(as_json)
    with open_catalog(load_settings()) as catalog:
        plan = planned(matching(catalog.store.snapshot().latest, wanted), change)
        done: list[Done] = []
        if apply:
            with screen.counted("change tools") as progress:
                for one in make_changes(plan, catalog.editor, ORIGIN, reason):
                    done.append(one)
                    progress(len(done), len(plan), one.tool)
    screen.result({"applied": apply, "preview": [_planned(one) for one in plan]} | _outcomes(done))
    if not as_json:
        _say_plan(screen, plan, done, apply)
    if any(one.outcome == "conflict" for one in done):
        raise typer.Exit(1)


def quality(
    tools: Annotated[list[str] | None, typer.Argument(help="Tools; none means all.")] = None,
    below: Annotated[int, typer.Option(help="Only tools with fewer points.")] = 101,
    as_json: JsonOption = False,
) -> None:
    """Points from 0 to 100 for each tool, and what would bring more."""
    from tool_catalog_pipelines.spec.quality import quality_of

    rated = [(tool, quality_of(tool.spec)) for tool in _named(tools)]
    found = sorted(
        ((tool, rating) for tool, rating in rated if rating.points < below),
        key=lambda pair: (pair[1].points, pair[0].header.key),
    )
    screen = Screen(as_json)
    screen.result(
        {
            "tools": [
                {
                    "tool": tool.label,
                    "points": rating.points,
                    "gaps": [{"points": gap.points, "remedy": gap.remedy} for gap in rating.gaps],
                }
                for tool, rating in found
            ]
        }
    )
    if as_json:
        return
    rows = [
        {"tool": tool.label, "points": rating.points, "first remedy": _first(rating.gaps)}
        for tool, rating in found
    ]
    screen.table("", rows)
    mean = sum(rating.points for _, rating in rated) / len(rated) if rated else 0
    screen.say(f"{len(found)} of {len(rated)} tools; mean {mean:.0f} of 100 points")


def docs(
    tools: Annotated[list[str] | None, typer.Argument(help="Tools; none means all.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder.")] = Path("tool-docs"),
    as_json: JsonOption = False,
) -> None:
    """Write a reference page for each tool, as Markdown, and an index."""
    from tool_catalog_pipelines.catalog.export import write_whole
    from tool_catalog_pipelines.catalog.pages import index_page, page_name, tool_page

    found = _named(tools)
    screen = Screen(as_json)
    with screen.counted("write pages") as progress:
        for number, tool in enumerate(found, start=1):
            write_whole(output / page_name(tool), tool_page(tool))
            progress(number, len(found), tool.label)
    write_whole(output / "README.md", index_page(found))
    screen.result({"folder": str(output), "pages": [page_name(tool) for tool in found]})
    screen.say(f"{len(found)} pages and an index in {output}")


def _named(names: Sequence[str] | None) -> list[CatalogTool]:
    snapshot = installed_snapshot(load_settings())
    if names:
        return [snapshot.resolve(reference(name)) for name in names]
    return sorted(snapshot.latest, key=lambda tool: tool.header.key)


def _first(gaps: Sequence[Gap]) -> str:
    return gaps[0].remedy if gaps else ""


def _planned(one: Planned) -> dict[str, object]:
    changes = [
        {"field": c.path, "old": c.old, "new": c.new, "breaking": c.why_breaking}
        for c in one.changes
    ]
    return {"tool": one.tool.label, "changes": changes}


def _outcomes(done: Sequence[Done]) -> dict[str, object]:
    return {
        "results": [{"tool": d.tool, "outcome": d.outcome, "note": d.note} for d in done],
    }


def _say_plan(screen: Screen, plan: Sequence[Planned], done: Sequence[Done], apply: bool) -> None:
    rows = [
        {
            "tool": one.tool.label,
            "field": change.path,
            "old": str(change.old)[:_SHOWN],
            "new": str(change.new)[:_SHOWN],
            "breaks users": change.why_breaking,
        }
        for one in plan
        for change in one.changes
    ]
    screen.table("", rows)
    for one in done:
        if one.outcome == "conflict":
            screen.say(f"{one.tool}: {one.note}", "yellow")
    if apply:
        changed = sum(one.outcome != "conflict" for one in done)
        screen.say(f"{changed} tools changed, {len(done) - changed} conflicts")
    else:
        screen.say(f"{len(plan)} tools would change; repeat with --apply")
