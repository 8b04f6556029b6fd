"""What works on this machine, and why the rest does not."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Literal

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.db.server import acquire_database
from tool_catalog_pipelines.errors import ToolCatalogError
from tool_catalog_pipelines.execution.binding import SEARCH_PATH
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.settings import Settings

ROOM_NEEDED_MB = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `limited` means that the rest works without it."""

    what: str
    state: Literal["ok", "limited", "broken"]
    why: str


def examine(settings: Settings) -> list[Finding]:
    """Look at the folder, the database, the tools and the chains."""
    return [
        _home(settings),
        _database(settings),
        *_tools(settings),
        *_chains(settings),
    ]


def _home(settings: Settings) -> Finding:
    settings.home.mkdir(parents=True, exist_ok=True)
    free_mb = shutil.disk_usage(settings.home).free // 1_000_000
    if free_mb < ROOM_NEEDED_MB:
        return Finding("home", "broken", f"only {free_mb} MB free in {settings.home}; make room")
    return Finding("home", "ok", f"{settings.home}, {free_mb / 1000:.0f} GB free")


def _database(settings: Settings) -> Finding:
    kind = "embedded PostgreSQL" if settings.database_url is None else "PostgreSQL server"
    try:
        with acquire_database(settings):
            return Finding("database", "ok", f"{kind} answers")
    except ToolCatalogError as error:
        return Finding("database", "broken", str(error))


def _tools(settings: Settings) -> list[Finding]:
    """One line for the tools that can run, one for each that lacks its program."""
    latest = installed_snapshot(settings).latest
    lacking = {tool.label: _missing(tool) for tool in latest}
    usable = sum(not missing for missing in lacking.values())
    lines = [Finding("tools", "ok", f"{usable} of {len(latest)} can run on this machine")]
    for label, missing in sorted(lacking.items()):
        if missing:
            why = f"not installed: {', '.join(missing)}"
            lines.append(Finding(label, "limited", why))
    return lines


def _missing(tool: CatalogTool) -> list[str]:
    """Required programs that are not on the search path of commands."""
    return [
        dependency.name
        for dependency in tool.spec.dependencies
        if dependency.type == "binary"
        and dependency.required
        and shutil.which(dependency.name, path=SEARCH_PATH) is None
    ]


def _chains(settings: Settings) -> list[Finding]:
    found = find_chains(settings)
    names = ", ".join(plan.chain for plan in found.plans) or "none"
    lines = [Finding("chains", "ok", f"can run: {names}")]
    lines += [Finding("chain", "broken", str(problem)) for problem in found.problems]
    return lines
