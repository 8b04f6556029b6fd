"""Commands between the catalogue and files: import, export, discover."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from tool_catalog_pipelines.catalog.saving import OnConflict
from tool_catalog_pipelines.cli.options import JsonOption, WhereOption, reference, wanted_metadata
from tool_catalog_pipelines.cli.output import Screen, counted_noun
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import")(import_files)
    app.command("export")(export)
    app.command("discover")(discover)


def import_files(
    path: Annotated[
        Path | None, typer.Argument(help="A file or folder; default: the YAML folder.")
    ] = None,
    on_conflict: Annotated[
        str,
        typer.Option(help="new_version, skip or fail: other content under a number that exists."),
    ] = "new_version",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import tools and experiments, our own and those in formats of others."""
    from tool_catalog_pipelines.catalog.connect import open_catalog
    from tool_catalog_pipelines.catalog.importer import ImportRules, import_catalog
    from tool_catalog_pipelines.cli.import_output import say_report

    if on_conflict not in get_args(OnConflict):
        allowed = ", ".join(get_args(OnConflict))
        raise InvalidInputError.one(f"--on-conflict cannot be {on_conflict!r}", f"one of {allowed}")
    rules = ImportRules(cast("OnConflict", on_conflict), dry_run)
    screen = Screen(as_json)
    with (
        open_catalog(load_settings()) as catalog,
        screen.counted("import the catalogue") as progress,
    ):
        report = import_catalog(catalog, path, rules, progress)
    screen.result(report.to_json())
    say_report(screen, report, with_coerced=True)
    if report.refused:
        raise typer.Exit(2)


def export(
    tools: Annotated[
        list[str] | None,
        typer.Argument(help="platform/name or platform/name@1.0.0; none means all."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder; with --bundle a file.")
    ] = Path("export"),
    bundle: Annotated[bool, typer.Option("--bundle", help="One file with all tools.")] = False,
    every_version: Annotated[
        bool, typer.Option("--every-version", help="Not only the latest.")
    ] = False,
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only tools with this tag.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only tools of this owner.")] = None,
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write tools as YAML that imports to the same tools again."""
    from tool_catalog_pipelines.catalog.export import export_bundle, export_files
    from tool_catalog_pipelines.catalog.filters import ToolFilter, matching
    from tool_catalog_pipelines.catalog.sources import installed_snapshot

    snapshot = installed_snapshot(load_settings())
    chosen = snapshot.seen if every_version else snapshot.latest
    if tools:
        chosen = tuple(snapshot.resolve(reference(text)) for text in tools)
    metadata = wanted_metadata(where)
    wanted = ToolFilter(platform=platform, tag=tag, owner=owner, metadata=metadata)
    found = list(matching(chosen, wanted))
    screen = Screen(as_json)
    if bundle:
        export_bundle(found, output)
    else:
        export_files(found, output)
    screen.result({"exported": [tool.label for tool in found], "output": str(output)})
    screen.say(f"{counted_noun(len(found), 'tool')} written to {output}")


def discover(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the proposals to this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose tools for programs of this machine whose output can be parsed."""
    from tool_catalog_pipelines.catalog.discovery import discovered
    from tool_catalog_pipelines.catalog.export import exported_text, write_whole
    from tool_catalog_pipelines.catalog.sources import installed_snapshot

    known = {tool.header.key for tool in installed_snapshot(load_settings()).seen}
    found = discovered()
    rows = [
        {
            "tool": f"{spec.platform}/{spec.tool_name}",
            "program": spec.dependencies[0].name,
            "known": "yes" if spec.key in known else "no",
            "description": spec.description,
        }
        for spec in found
    ]
    screen = Screen(as_json)
    new = [spec for spec in found if spec.key not in known]
    if output is not None:
        for spec in new:
            write_whole(output / f"{spec.tool_name}.yaml", exported_text(spec))
    screen.result({"proposals": rows, "output": str(output) if output else None})
    if not as_json:
        screen.table("", rows)
    if output is not None:
        screen.say(f"{len(new)} proposals written to {output}; read them before you import them")
    else:
        screen.say(f"{len(new)} of {len(found)} are new; --output FOLDER writes them as tool files")
