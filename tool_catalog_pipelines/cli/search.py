"""Commands that find tools: search, related, compare, capabilities."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.options import JsonOption, ToolArgument, reference
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import Settings, load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.search.search import Hit, Page, ToolSearch

SHORTLIST_HITS = 100


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("search")(search)
    app.command("related")(related)
    app.command("compare")(compare)
    app.command("capabilities")(capabilities)


def search(
    question: Annotated[list[str] | None, typer.Argument(help="What you want to do.")] = None,
    platform: Annotated[
        str | None, typer.Option(help="This platform, and tools for several.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only this state; without it neither disabled nor drafts.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Only tools with this tag.")] = None,
    capability: Annotated[str | None, typer.Option(help="Only with this capability.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only tools of this owner.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only tools of this tenant.")] = None,
    page: Annotated[int, typer.Option(help="Which page, from 1.")] = 1,
    per_page: Annotated[int, typer.Option(help="Hits on a page.")] = 10,
    budget: Annotated[
        int | None, typer.Option(min=1, help="A short list for a language model, in tokens.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find tools by words and by meaning, with the reason for each."""
    from tool_catalog_pipelines.catalog.search.question import Filters, Question

    filters = Filters(platform, category, status, tag, capability, owner, tenant)
    wanted = SHORTLIST_HITS if budget is not None else per_page
    asked = Question(" ".join(question or []), filters, page, wanted)
    screen = Screen(as_json)
    with opened_search(screen) as engine:
        found = engine.find(asked)
    if budget is not None:
        _show_shortlist(screen, found, budget)
        return
    screen.result(_page(found, asked.per_page))
    if not as_json:
        screen.table("", [_row(hit) for hit in found.hits], one_field_a_line=True)
        _say(screen, found, asked.per_page)


def related(
    tool: ToolArgument,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Show the tools that are most like a tool."""
    found = installed_snapshot(load_settings()).resolve(reference(tool))
    screen = Screen(as_json)
    with opened_search(screen) as engine:
        hits = engine.related(found, count)
    screen.result({"tool": found.label, "related": [_hit(hit) for hit in hits]})
    if not as_json:
        screen.table(
            f"related to {found.label}", [_row(hit) for hit in hits], one_field_a_line=True
        )


def compare(
    tools: Annotated[list[str], typer.Argument(help="Two tools or more.")],
    as_json: JsonOption = False,
) -> None:
    """Show tools side by side."""
    from tool_catalog_pipelines.catalog.comparison import side_by_side

    if len(tools) < 2:
        raise InvalidInputError.one("one tool cannot be compared", "name two tools or more")
    snapshot = installed_snapshot(load_settings())
    found = [snapshot.resolve(reference(tool)) for tool in tools]
    names = [tool.label for tool in found]
    lines = side_by_side(found)
    screen = Screen(as_json)
    screen.result(
        {
            "tools": names,
            "properties": [
                {"name": line.name, "values": list(line.values), "differs": line.differs}
                for line in lines
            ],
        }
    )
    if not as_json:
        rows = [
            {"": line.name, **dict(zip(names, line.values, strict=True))}
            for line in lines
            if any(line.values)
        ]
        screen.table("", rows)


def capabilities(
    name: Annotated[str | None, typer.Argument(help="Only this capability.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what tools can do, and which tools can do it."""
    by_name: dict[str, list[str]] = {}
    for tool in installed_snapshot(load_settings()).latest:
        for capability in tool.document()["capabilities"]:
            if name in (None, capability):
                label = f"{tool.header.platform}/{tool.header.tool_name}"
                by_name.setdefault(capability, []).append(label)
    if name is not None and not by_name:
        raise InvalidInputError.one(
            f"no tool has the capability {name!r}", "`tool-catalog capabilities` lists all"
        )
    rows = [{"capability": key, "tools": sorted(tools)} for key, tools in sorted(by_name.items())]
    screen = Screen(as_json)
    screen.result({"capabilities": rows})
    if not as_json:
        screen.table("", [{**row, "tools": ", ".join(row["tools"])} for row in rows])


@contextmanager
def opened_search(screen: Screen, settings: Settings | None = None) -> Generator[ToolSearch]:
    """The search of an installation, without settings of this one, its index up to date."""
    from tool_catalog_pipelines.catalog.connect import open_catalog
    from tool_catalog_pipelines.catalog.search.search import ToolSearch

    settings = settings or load_settings()
    if settings.source == "yaml":
        raise InvalidInputError.one(
            "only a database can be searched, and TOOL_CATALOG_SOURCE is yaml",
            "use `tool-catalog list TEXT`, or unset it",
        )
    with open_catalog(settings) as catalog:
        engine = ToolSearch(catalog.engine, settings, catalog.store)
        with screen.counted("index the catalogue") as progress:
            engine.refresh(lambda done, total: progress(done, total, ""))
        yield engine


def _page(found: Page, per_page: int) -> dict[str, Any]:
    return {
        "found": found.found,
        "page": found.page,
        "per_page": per_page,
        "corrections": {word: list(texts) for word, texts in found.corrections.items()},
        "hits": [_hit(hit) for hit in found.hits],
    }


def _hit(hit: Hit) -> dict[str, Any]:
    reasons = asdict(hit.reasons)
    reasons["words"] = dict(hit.reasons.words)
    return {
        "tool": hit.tool.label,
        "description": hit.tool.spec.description,
        "score": round(hit.score, 5),
        "reasons": reasons,
    }


def _row(hit: Hit) -> dict[str, object]:
    return {
        "tool": f"{hit.tool.header.platform}/{hit.tool.header.tool_name}",
        "description": hit.tool.spec.description,
        "why": str(hit.reasons),
    }


def _say(screen: Screen, found: Page, per_page: int) -> None:
    for word, texts in found.corrections.items():
        screen.say(f"{word} is in no tool; also looked for {' and '.join(texts)}", "yellow")
    if found.searched == 0:
        screen.say(
            "no tool passes the filters; `tool-catalog list` shows what there is, and "
            "`tool-catalog import` brings tools in"
        )
    elif not found.found:
        screen.say(f"nothing like that in {found.searched} tools; try other words")
    else:
        first = (found.page - 1) * per_page + 1
        last = first + len(found.hits) - 1
        more = f"; --page {found.page + 1} shows more" if last < found.found else ""
        screen.say(f"{first}-{last} of {found.found} hits{more}")


def _show_shortlist(screen: Screen, found: Page, budget: int) -> None:
    from tool_catalog_pipelines.catalog.search.shortlist import shortlist

    listed = shortlist((hit.tool for hit in found.hits), budget)
    document = {"tools": list(listed.rows), "tokens": listed.tokens, "left_out": listed.left_out}
    screen.result({**document, "budget": budget, "found": found.found})
    shown = [
        {**row, "can": ", ".join(row["can"]), "tags": ", ".join(row["tags"])} for row in listed.rows
    ]
    if not screen.as_json:
        screen.table("", shown, one_field_a_line=True)
        fits = f"{len(shown)} tools in about {listed.tokens} tokens"
        screen.say(f"{fits}; {listed.left_out} left out")
