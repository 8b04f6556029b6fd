"""Commands about many tools at once: quality, docs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.options import JsonOption, reference
from tool_catalog_pipelines.cli.output import Screen, counted_noun
from tool_catalog_pipelines.settings import load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.spec.quality import Gap


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("quality")(quality)
    app.command("docs")(docs)


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
    screen.say(f"{len(found)} of {counted_noun(len(rated), 'tool')}; mean {mean:.0f} of 100 points")
    if any(len(rating.gaps) > 1 for _, rating in found):
        screen.say("--json gives every remedy with its points")


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
    screen.say(f"{counted_noun(len(found), 'page')} and an index in {output}")


def _named(names: Sequence[str] | None) -> list[CatalogTool]:
    snapshot = installed_snapshot(load_settings())
    if names:
        return [snapshot.resolve(reference(name)) for name in names]
    return sorted(snapshot.latest, key=lambda tool: tool.header.key)


def _first(gaps: Sequence[Gap]) -> str:
    return gaps[0].remedy if gaps else ""
