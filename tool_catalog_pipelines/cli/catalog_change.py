"""Commands that change the state of a tool and its channels; its content in catalog_update.py.

Each is one transaction with its audit entry. Commands that read are in catalog.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_catalog_pipelines.cli.options import (
    JsonOption,
    ToolArgument,
    reference,
    storable,
)
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import Settings, load_settings
from tool_catalog_pipelines.spec.base import ToolRef

if TYPE_CHECKING:
    from tool_catalog_pipelines.catalog.connect import Catalog
    from tool_catalog_pipelines.catalog.naming import Chosen

ORIGIN = "command line"
_REVISION = re.compile(r"[0-9]{1,9}")
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; kept in the audit log.", callback=storable)
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (enable, disable, deprecate, delete, purge, rollback, promote):
        app.command()(command)


def enable(tool: ToolArgument, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Let a version, or without @ the whole tool, be started again."""
    _change(lambda c, ref: c.editor.enable(ref, ORIGIN, reason), tool, as_json, "enabled")


def disable(tool: ToolArgument, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Let nobody start a version, or without @ the whole tool."""
    _change(lambda c, ref: c.editor.disable(ref, ORIGIN, reason), tool, as_json, "disabled")


def deprecate(tool: ToolArgument, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Mark a version, or without @ the whole tool, as not to be used for anything new."""
    _change(lambda c, ref: c.editor.deprecate(ref, ORIGIN, reason), tool, as_json, "deprecated")


def delete(tool: ToolArgument, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Hide a version, or without @ the whole tool; a rollback brings it back."""
    _change(lambda c, ref: c.editor.delete(ref, ORIGIN, reason), tool, as_json, "deleted")


def purge(tool: ToolArgument, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Remove what was deleted for good, unless something refers to it."""

    def change(catalog: Catalog, ref: ToolRef) -> Chosen:
        chains = _chains_using(catalog.settings, ref)
        return catalog.editor.purge(ref, ORIGIN, chains, reason)

    _change(change, tool, as_json, "purged")


def rollback(
    tool: ToolArgument,
    estimate: Annotated[
        str | None,
        typer.Option(help="capability/pattern@revision: roll back this estimate instead."),
    ] = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let `latest` mean any version again, also a deleted one; write platform/name@version."""
    ref = reference(tool)
    if estimate is not None:
        _roll_back_estimate(ref, estimate, reason, as_json)
        return
    if ref.at is None:
        raise InvalidInputError.one(f"to which version of {ref}?", f"write {ref}@VERSION")
    _change(lambda c, r: c.editor.roll_back(r, ORIGIN, reason), tool, as_json, "latest")


def promote(
    tool: ToolArgument,
    channel: Annotated[str, typer.Option(help="stable or testing")] = "stable",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let a channel point at a version; only this moves `stable` once it points somewhere."""
    if channel not in ("stable", "testing"):
        raise InvalidInputError.one(f"no channel {channel!r} to promote to", "stable or testing")
    ref = reference(tool)
    at = ToolRef(ref.name, ref.platform, ref.at or "latest")
    _change(lambda c, _: c.editor.promote(at, channel, ORIGIN, reason), tool, as_json, channel)


def _change(
    change: Callable[[Catalog, ToolRef], Chosen], tool: str, as_json: bool, became: str
) -> None:
    screen = Screen(as_json)
    with _opened() as catalog:
        chosen = change(catalog, reference(tool))
    labels = [f"{chosen.name.label}@{version.version}" for version in chosen.versions]
    screen.result({"became": became, "versions": labels})
    for label in labels:
        screen.say(f"{label} is {became} now")


def _roll_back_estimate(ref: ToolRef, estimate: str, reason: str, as_json: bool) -> None:
    pattern, _, number = estimate.partition("@")
    capability, _, name = pattern.partition("/")
    if not (capability and name and _REVISION.fullmatch(number)):
        raise InvalidInputError.one(
            f"--estimate {estimate!r} names no estimate", "write capability/pattern@revision"
        )
    screen = Screen(as_json)
    with _opened() as catalog:
        key = (capability, name)
        revision = catalog.editor.restore_estimate(ref, key, int(number), ORIGIN, reason)
    screen.result({"tool": str(ref), "estimate": pattern, "revision": revision})
    screen.say(f"{ref} {pattern}: estimate {number} holds again, as revision {revision}")


def _chains_using(settings: Settings, ref: ToolRef) -> tuple[str, ...]:
    """Names of the chains whose files name a tool; broken files name nothing."""
    from tool_catalog_pipelines.spec.base import parse_tool_ref
    from tool_catalog_pipelines.spec.load import load_chain, yaml_files

    names: set[str] = set()
    for path in (path for folder in settings.chain_dirs for path in yaml_files(folder)):
        try:
            chain = load_chain(path).spec
        except InvalidInputError:
            continue
        used = [parse_tool_ref(step.tool) for step in chain.steps.values() if step.tool]
        if any(
            other.name == ref.name.lower() and other.platform in (None, ref.platform)
            for other in used
        ):
            names.add(chain.chain)
    return tuple(sorted(names))


def _opened() -> Any:
    from tool_catalog_pipelines.catalog.connect import open_catalog

    return open_catalog(load_settings())
