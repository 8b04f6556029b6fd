"""What the demonstration says of the catalogue: how large it is, and how much of it runs here.

A tool runs here if all of its own examples that can be tried pass. Trying all takes about half a
minute, so the answer is kept until the catalogue changes. Does not belong here: trying one tool
(trial.py).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from tool_catalog_pipelines.catalog.export import write_whole
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.execution.requirements import missing_here
from tool_catalog_pipelines.execution.trials.case import Result, cases_of
from tool_catalog_pipelines.execution.trials.runner import default_width, run_cases
from tool_catalog_pipelines.settings import Settings

_STATES = {
    "ran": "ran here with their own examples",
    "failed": "failed here (`tool-catalog test --all` says why)",
    "missing": "lack a program or file",
    "elsewhere": "run over a connection",
    "system": "change the system, so that nobody tried them",
    "listed": "have nothing to try",
}
"""What became of a tool, in words; the order is that of the summary."""


def tools_here(snapshot: CatalogSnapshot, settings: Settings, screen: Screen) -> Mapping[str, int]:
    """How many tools are in each state on this machine."""
    path = settings.home / "catalog" / "trials.json"
    known = _kept(path)
    mark = f"{snapshot.catalog_id} {snapshot.revision}"
    if known.get("catalogue") != mark:
        known = {"catalogue": mark, "states": _tried(snapshot, screen)}
        write_whole(path, json.dumps(known))
    return cast("Mapping[str, int]", known["states"])


def summary(snapshot: CatalogSnapshot, states: Mapping[str, int]) -> list[str]:
    """Lines for people."""
    platforms = Counter(tool.header.platform for tool in snapshot.latest)
    total = sum(platforms.values())
    sizes = ", ".join(f"{platform} {count}" for platform, count in platforms.most_common())
    ran = states.get("ran", 0)
    share = f" ({ran / total:.0%})" if total else ""
    others = [
        f"{states[key]} {words}"
        for key, words in _STATES.items()
        if key != "ran" and states.get(key)
    ]
    return [f"{total} tools: {sizes}", f"{ran} {_STATES['ran']}{share}", *others]


def _tried(snapshot: CatalogSnapshot, screen: Screen) -> dict[str, int]:
    cases = {
        tool.label: list(cases_of(tool.spec, [need.name for need in missing_here(tool.spec)]))
        for tool in snapshot.latest
    }
    total = sum(map(len, cases.values()))
    results: dict[str, list[Result]] = {label: [] for label in cases}
    with screen.counted("run the tools' own examples") as progress:
        running = run_cases(
            (case for group in cases.values() for case in group), side_by_side=default_width()
        )
        for number, result in enumerate(running, start=1):
            results[result.tool].append(result)
            progress(number, total, result.tool)
    return dict(Counter(_state(group) for group in results.values()))


def _state(results: Iterable[Result]) -> str:
    """The state of one tool from the results of all of its cases."""
    found = list(results)
    tried = [result for result in found if result.ending != "skipped"]
    if tried:
        return "failed" if any(result.ending == "failed" for result in tried) else "ran"
    reasons = " ".join(result.message for result in found)
    for word, state in (("connection", "elsewhere"), ("lacks", "missing"), ("system", "system")):
        if word in reasons:
            return state
    return "listed"


def _kept(path: Path) -> dict[str, Any]:
    """What an earlier demonstration wrote; nothing if it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
