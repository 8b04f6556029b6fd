"""What the catalogue holds and what happened to it, counted. Pure.

For those who look at the whole: how many tools by platform, category and state, how good they are,
which changes came since some revision. Does not belong here: what is wrong with a catalogue
(soundness.py), reading it or its log (store.py, history.py), how it is shown (defs/).
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.spec.quality import quality_of

WORST = 10
CHANGES_SHOWN = 50
_LONGEST_VALUE = 60
HERE, REMOTE, NOWHERE = "on this machine", "over a connection", "not executable"
"""Where a tool is executed; the first that holds for one of its patterns."""


@dataclass(frozen=True, slots=True)
class Rated:
    """The quality of one tool, and what would bring it the most points."""

    tool: str
    points: int
    first_gap: str


@dataclass(frozen=True, slots=True)
class CatalogueSummary:
    """The latest versions of a catalogue, counted.

    Attributes:
        tools: how many tools there are.
        versions: how many versions of them, old ones included.
        by_platform: tools by platform, the most first; so are the other counts.
        by_category: tools by category.
        by_status: tools by status; one that is switched off counts as `disabled`.
        by_execution: tools by where they are executed.
        ratings: the quality of every tool, the worst first.
    """

    tools: int
    versions: int
    by_platform: Mapping[str, int]
    by_category: Mapping[str, int]
    by_status: Mapping[str, int]
    by_execution: Mapping[str, int]
    ratings: Sequence[Rated]

    @property
    def executable_share(self) -> float | None:
        """The share of tools that can be executed somewhere; None without tools."""
        return 1 - self.by_execution.get(NOWHERE, 0) / self.tools if self.tools else None

    @property
    def mean_quality(self) -> float | None:
        """Mean of the points; None without tools."""
        return statistics.mean(rated.points for rated in self.ratings) if self.ratings else None

    @property
    def worst(self) -> Sequence[Rated]:
        """Those where a little work brings the most."""
        return self.ratings[:WORST]


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """Changes of the catalogue between two revisions.

    Attributes:
        after: the revision that was known; None if everything is new.
        up_to: the revision of now.
        by_action: entries of the audit log by what was done, the most first.
        rows: one row for each of the newest entries, for people.
    """

    after: int | None
    up_to: int
    by_action: Mapping[str, int]
    rows: Sequence[Mapping[str, str]]

    @property
    def revisions(self) -> str:
        """The range of revisions in words."""
        if self.after == self.up_to:
            return f"nothing since revision {self.up_to}"
        return f"revisions {(self.after or 0) + 1} to {self.up_to}"


def summary_of(snapshot: CatalogSnapshot) -> CatalogueSummary:
    """The summary of what a reader of the snapshot sees."""
    latest = snapshot.latest
    return CatalogueSummary(
        tools=len(latest),
        versions=len(snapshot.seen),
        by_platform=_counted(latest, lambda tool: tool.header.platform),
        by_category=_counted(latest, lambda tool: tool.spec.category),
        by_status=_counted(latest, _state),
        by_execution=_counted(latest, _execution),
        ratings=sorted(map(_rated, latest), key=lambda rated: (rated.points, rated.tool)),
    )


def changes_of(
    entries: Iterable[Mapping[str, Any]], after: int | None, up_to: int
) -> ChangeSummary:
    """The summary of entries of the audit log (history.py), newest first."""
    by_action: Counter[str] = Counter()
    rows: list[Mapping[str, str]] = []
    # One at a time: entries of an import hold whole tools, and there may be many.
    for entry in entries:
        by_action[f"{entry['entity_type']} {entry['action']}".replace("_", " ")] += 1
        if len(rows) < CHANGES_SHOWN:
            rows.append(_row(entry))
    return ChangeSummary(after, up_to, dict(by_action.most_common()), rows)


def _counted(tools: Iterable[CatalogTool], what: Callable[[CatalogTool], str]) -> dict[str, int]:
    counts = Counter(map(what, tools))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _state(tool: CatalogTool) -> str:
    return tool.header.status if tool.header.enabled else "disabled"


def _execution(tool: CatalogTool) -> str:
    bound = [pattern for pattern in tool.spec.patterns if pattern.binding is not None]
    if not bound:
        return NOWHERE
    return HERE if any(pattern.connection is None for pattern in bound) else REMOTE


def _rated(tool: CatalogTool) -> Rated:
    quality = quality_of(tool.spec)
    return Rated(tool.label, quality.points, quality.gaps[0].remedy if quality.gaps else "nothing")


def _row(entry: Mapping[str, Any]) -> dict[str, str]:
    return {
        "revision": str(entry["revision"]),
        "what": entry["entity_key"],
        "action": entry["action"].replace("_", " "),
        # What is new has every field; to list them says nothing.
        "changes": "" if entry["action"] == "created" else _changed_fields(entry["changes"]),
        "by": entry["changed_by"],
        "reason": entry["reason"],
        "through": entry["origin"],
    }


def _changed_fields(changes: Sequence[Mapping[str, Any]]) -> str:
    """Small changes with both values, others by the names of their fields."""
    pairs = [
        f"{change['field']}: {json.dumps(change['old'])} -> {json.dumps(change['new'])}"
        for change in changes
    ]
    if len(pairs) <= 2 and all(len(pair) <= _LONGEST_VALUE for pair in pairs):
        return ", ".join(pairs)
    names = list(dict.fromkeys(str(change["field"]) for change in changes))
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
