"""`tool-catalog update`: fields of one tool, or the same fields of many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from tool_catalog_pipelines.catalog.filters import ToolFilter, matching
from tool_catalog_pipelines.cli.catalog_change import ORIGIN, ReasonOption
from tool_catalog_pipelines.cli.options import (
    JsonOption,
    WhereOption,
    json_value,
    reference,
    wanted_metadata,
    words,
)
from tool_catalog_pipelines.cli.output import Screen, counted_noun
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.bulk import BulkChange, Done, Planned

_LARGEST_PATCH = 1_048_576
_SHOWN = 60


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(update)


def update(
    tool: Annotated[
        str | None, typer.Argument(help="platform/name; without it, every tool of the filters.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="field=value, dots lead inside; null removes; repeatable."),
    ] = None,
    patch_file: Annotated[
        Path | None, typer.Option("--patch", help="A JSON merge patch (RFC 7396).")
    ] = None,
    expect: Annotated[
        str | None, typer.Option(help="Refuse if the latest version is another one by now.")
    ] = None,
    add_tag: Annotated[list[str] | None, typer.Option(help="In many tools; repeatable.")] = None,
    remove_tag: Annotated[list[str] | None, typer.Option(help="In many tools; repeatable.")] = None,
    text: Annotated[str, typer.Option(help="Tools with this text.")] = "",
    platform: Annotated[str | None, typer.Option(help="Tools of this platform.")] = None,
    category: Annotated[str | None, typer.Option(help="Tools of this category.")] = None,
    status: Annotated[str | None, typer.Option(help="Tools in this state.")] = None,
    owner: Annotated[str | None, typer.Option(help="Tools of this owner.")] = None,
    tag: Annotated[str | None, typer.Option(help="Tools with this tag.")] = None,
    where: WhereOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every tool.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Many tools: make the changes that are shown.")
    ] = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Change fields of a tool, or the same fields of many; the result is a new version of each.

    Many tools are changed with --apply only; without it, what would change is shown.
    """
    from tool_catalog_pipelines.catalog.bulk import BulkChange

    metadata = wanted_metadata(where)
    wanted = ToolFilter(text, platform, category, status, owner, tag, None, metadata)
    tags = bool(add_tag or remove_tag)
    patch = _given_patch(assignments or [], patch_file, may_be_empty=tags)
    screen = Screen(as_json)
    if tool is None:
        if wanted == ToolFilter() and not every:
            raise InvalidInputError.one("no tool is named", "name one, give a filter, or --all")
        change = BulkChange(patch, tuple(add_tag or ()), tuple(remove_tag or ()))
        _update_many(screen, wanted, change, apply, reason)
        return
    if tags or every or apply or wanted != ToolFilter():
        raise InvalidInputError.one(
            "filters, tags and --apply are for many tools, but one is named",
            f"leave out {tool}, or use --set",
        )
    _update_one(screen, tool, patch, expect, reason)


def _update_one(
    screen: Screen, tool: str, patch: dict[str, Any], expect: str | None, reason: str
) -> None:
    """Change the fields of one tool, unless its latest version is another than expected.

    Raises:
        InvalidInputError: there is no such tool, or it would not be valid.
    """
    from tool_catalog_pipelines.catalog.connect import open_catalog

    with open_catalog(load_settings()) as catalog:
        saved = catalog.editor.update_tool(reference(tool), patch, ORIGIN, expect, reason)
    screen.result({"tool": saved.label, "outcome": saved.outcome, "note": saved.note})
    note = f" ({saved.note})" if saved.note else ""
    screen.say(f"{saved.label}: {saved.outcome.replace('_', ' ')}{note}")


def _update_many(
    screen: Screen, wanted: ToolFilter, change: BulkChange, apply: bool, reason: str
) -> None:
    """Change the same in many tools, or only show what would change.

    Raises:
        InvalidInputError: one of the tools would not be valid; nothing is changed.
    """
    from tool_catalog_pipelines.catalog.bulk import make_changes, planned
    from tool_catalog_pipelines.catalog.connect import open_catalog

    with open_catalog(load_settings()) as catalog:
        plan = planned(matching(catalog.store.snapshot().latest, wanted), change)
        done: list[Done] = []
        if apply:
            with screen.counted("change tools") as progress:
                for one in make_changes(plan, catalog.editor, ORIGIN, reason):
                    done.append(one)
                    progress(len(done), len(plan), one.tool)
    screen.result({"applied": apply, "preview": [_planned(one) for one in plan]} | _outcomes(done))
    if not screen.as_json:
        _say_plan(screen, plan, done, apply)
    if any(one.outcome == "conflict" for one in done):
        raise typer.Exit(1)


def _given_patch(
    assignments: list[str], patch_file: Path | None, may_be_empty: bool
) -> dict[str, Any]:
    """The merge patch of `--set` and `--patch`.

    Raises:
        InvalidInputError: it is empty or cannot be read.
    """
    patch: dict[str, Any] = {}
    if patch_file is not None:
        patch = _read_patch(patch_file)
    for assignment in assignments:
        path, value = words(assignment, "--set")
        inner: dict[str, Any] = patch
        *outer, last = path.split(".")
        for part in outer:
            found: Any = inner.setdefault(part, {})
            if not isinstance(found, dict):
                raise InvalidInputError.one(f"--set {assignment!r} leads into a value")
            inner = cast("dict[str, Any]", found)
        inner[last] = json_value(value)
    if not patch and not may_be_empty:
        raise InvalidInputError.one("nothing to change", "give --set field=value or --patch FILE")
    return patch


def _read_patch(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_PATCH + 1)
        if len(content) > _LARGEST_PATCH:
            raise InvalidInputError.one(
                f"the patch {path} has more than {_LARGEST_PATCH} bytes", "change less at once"
            )
        value = json.loads(content)
    except RecursionError:
        raise InvalidInputError.one(f"the patch {path} is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise InvalidInputError.one(f"the patch {path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInputError.one(f"the patch {path} is no JSON object")
    return cast("dict[str, Any]", value)


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
    changed = sum(one.outcome != "conflict" for one in done)
    if not plan:
        screen.say("nothing to do: no tool passes the filters, or all have this already")
    elif apply:
        conflicts = counted_noun(len(done) - changed, "conflict")
        screen.say(f"{counted_noun(changed, 'tool')} changed, {conflicts}")
    else:
        screen.say(f"{counted_noun(len(plan), 'tool')} would change; repeat with --apply")
