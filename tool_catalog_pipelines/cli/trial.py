"""`tool-catalog test`: a tool's own examples and test cases, run in a scratch folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_catalog_pipelines.cli.options import JsonOption
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.execution.trials.case import Case, Result
    from tool_catalog_pipelines.spec.tool import ToolSpec

_SHOWN = 10
"""Tools that are named for one reason."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="test")(test_tools)


def test_tools(
    tools: Annotated[
        list[str] | None,
        typer.Argument(help="Tools (`df`, `linux/df@1.0.0`), files or folders of tools."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every tool of the catalogue.")] = False,
    allow_system: Annotated[
        bool, typer.Option("--allow-system", help="Also run what changes the system.")
    ] = False,
    side_by_side: Annotated[
        int, typer.Option("--jobs", "-j", min=0, max=64, help="Trials side by side; 0: choose.")
    ] = 0,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML report here.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print what came out, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the examples and test cases of tools, here and now, and compare the results.

    Each runs in an empty folder with a small environment, without secrets, and with limits.
    Nothing of it is left. No isolation is claimed.
    """
    from tool_catalog_pipelines.catalog.export import write_whole
    from tool_catalog_pipelines.execution.trials import report
    from tool_catalog_pipelines.execution.trials.runner import default_width, run_cases

    if not tools and not every:
        raise InvalidInputError.one("no tool is named", "name tools or files, or give --all")
    specs = list(_specs(tools or []))
    cases = [case for spec in specs for case in _cases(spec)]
    screen = Screen(as_json)
    results: list[Result] = []
    with screen.counted("run examples") as progress:
        running = run_cases(
            cases, side_by_side=side_by_side or default_width(), allow_system=allow_system
        )
        for result in running:
            results.append(result)
            progress(len(results), len(cases), f"{result.tool} {result.name}")
    if junit is not None:
        write_whole(junit, report.as_junit(results))
    screen.result(report.as_json(results))
    if not as_json:
        _say_untested(screen, specs, results)
        _say(screen, results, show)
    if any(result.ending == "failed" for result in results):
        raise typer.Exit(1)


def _specs(names: Sequence[str]) -> Iterator[ToolSpec]:
    """The tools that are meant; all of the catalogue where none is named."""
    from tool_catalog_pipelines.catalog.sources import installed_snapshot
    from tool_catalog_pipelines.spec.base import parse_tool_ref
    from tool_catalog_pipelines.spec.load import load_tool, yaml_files

    installed = None
    for name in names:
        path = Path(name)
        if path.exists() and ("/" in name or path.suffix):
            for file in yaml_files(path) if path.is_dir() else (path,):
                yield load_tool(file).spec
            continue
        if path.suffix in (".yaml", ".yml"):
            raise InvalidInputError.one(f"there is no file {name}", "check the path")
        installed = installed or installed_snapshot(load_settings())
        try:
            yield installed.resolve(parse_tool_ref(name)).spec
        except ValueError as error:
            raise InvalidInputError.one(str(error), "name a tool, a file or a folder") from None
    if not names:
        yield from (tool.spec for tool in installed_snapshot(load_settings()).tools)


def _cases(spec: ToolSpec) -> Iterator[Case]:
    from tool_catalog_pipelines.execution.requirements import missing_here
    from tool_catalog_pipelines.execution.trials.case import cases_of

    return cases_of(spec, [f"the {need.type} {need.name}" for need in missing_here(spec)])


def _say_untested(screen: Screen, specs: Sequence[ToolSpec], results: Sequence[Result]) -> None:
    tested = {result.tool for result in results}
    names = [f"{spec.platform}/{spec.tool_name}@{spec.version}" for spec in specs]
    untested = [name for name in names if name not in tested]
    if untested:
        screen.say(f"no examples or test cases: {_some(untested)}", "yellow")


def _some(tools: Sequence[str]) -> str:
    more = len(tools) - _SHOWN
    return ", ".join(tools[:_SHOWN]) + (f" and {more} more; --json names all" if more > 0 else "")


def _say(screen: Screen, results: Sequence[Result], show: bool) -> None:
    """Failures one by one, what was skipped by reason, then the counts."""
    for result in results:
        if show and result.output:
            screen.say(f"{result.tool} {result.name}: {result.output}")
        if result.ending == "failed":
            what = f"{result.tool} {result.capability}.{result.pattern}: {result.name}"
            screen.say(f"failed: {what}\n    " + result.message.replace("\n", "\n    "), "red")
    skipped: dict[str, list[str]] = {}
    for result in results:
        if result.ending == "skipped":
            skipped.setdefault(result.message, []).append(result.tool)
    for reason, tools in sorted(skipped.items()):
        screen.say(f"skipped: {reason}: {_some(sorted(set(tools)))}", "yellow")
    counts = {
        ending: sum(result.ending == ending for result in results)
        for ending in ("passed", "failed", "skipped")
    }
    screen.say(", ".join(f"{count} {ending}" for ending, count in counts.items()))
