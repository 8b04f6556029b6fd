"""What works on this machine, and why the rest does not."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.server import Database, acquire_database
from tool_catalog_pipelines.errors import DatabaseUnavailableError, ToolCatalogError
from tool_catalog_pipelines.execution.requirements import missing_here
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.spool_folder import spool_of, waiting_elsewhere

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
        *_database(settings),
        *_tools(settings),
        *_chains(settings),
    ]


def _home(settings: Settings) -> Finding:
    settings.home.mkdir(parents=True, exist_ok=True)
    free_mb = shutil.disk_usage(settings.home).free // 1_000_000
    if free_mb < ROOM_NEEDED_MB:
        return Finding("home", "broken", f"only {free_mb} MB free in {settings.home}; make room")
    return Finding("home", "ok", f"{settings.home}, {free_mb / 1000:.0f} GB free")


def _database(settings: Settings) -> list[Finding]:
    kind = "embedded PostgreSQL" if settings.database_url is None else "PostgreSQL server"
    own: Path | None = None
    try:
        with acquire_database(settings) as database:
            answers = Finding("database", "ok", f"{kind} answers")
            own = _own_spool(database, settings)
    except ToolCatalogError as error:
        answers = Finding("database", "broken", str(error))
    return [answers, *_facts_elsewhere(settings, own)]


def _own_spool(database: Database, settings: Settings) -> Path | None:
    """None if the database is not an installation yet."""
    engine = make_engine(database, pool_size=1)
    try:
        return spool_of(engine, settings.spool_dir)
    except DatabaseUnavailableError:
        return None
    finally:
        engine.dispose()


def _facts_elsewhere(settings: Settings, own: Path | None) -> list[Finding]:
    return [
        Finding(
            "facts",
            "limited",
            f"{e.files} files in {e.folder} wait for the database {e.database}; "
            "a start with that database delivers them",
        )
        for e in waiting_elsewhere(settings.spool_dir, own)
    ]


def _tools(settings: Settings) -> list[Finding]:
    """One line for the tools that can run, one for each that lacks its program."""
    latest = installed_snapshot(settings).latest
    lacking = {tool.label: missing_here(tool.spec) for tool in latest}
    executable = {tool.label for tool in latest if _is_executable(tool)}
    usable = sum(label in executable and not missing for label, missing in lacking.items())
    lines = [Finding("tools", "ok", f"{usable} of {len(latest)} can run on this machine")]
    lines += _not_for_here(latest)
    for label, missing in sorted(lacking.items()):
        if missing:
            why = f"not installed: {', '.join(need.name for need in missing)}"
            lines.append(Finding(label, "limited", why))
    return lines


def _not_for_here(latest: Sequence[CatalogTool]) -> list[Finding]:
    """The tools that no program installed here would make executable, counted by reason."""
    others = [tool for tool in latest if not _is_executable(tool)]
    elsewhere = sum(any(p.binding for p in tool.spec.patterns) for tool in others)
    reasons = {
        "run on other machines (target); connections to them are not there yet": elsewhere,
        "have no binding: they are listed and cannot be executed": len(others) - elsewhere,
    }
    return [
        Finding("tools", "limited", f"{count} {reason}")
        for reason, count in reasons.items()
        if count
    ]


def _is_executable(tool: CatalogTool) -> bool:
    """Whether this machine can start it at all, if everything it needs is here."""
    patterns = tool.spec.patterns
    return any(p.binding is not None and p.connection is None for p in patterns)


def _chains(settings: Settings) -> list[Finding]:
    found = find_chains(settings)
    names = ", ".join(plan.chain for plan in found.plans) or "none"
    lines = [Finding("chains", "ok", f"can run: {names}")]
    lines += [Finding("chain", "broken", str(problem)) for problem in found.problems]
    return lines
