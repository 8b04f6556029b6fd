"""Recalibration: marts -> new estimates in the catalogue, with their evidence.

The same facts judged twice publish nothing new. Estimates are only offered by stats/; here they
are published through the catalogue, audited and reversible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.catalog.editor import CatalogEditor
from tool_catalog_pipelines.catalog.records import CatalogTool, Estimate
from tool_catalog_pipelines.judgement.drift import log_ratios
from tool_catalog_pipelines.judgement.rows import Series, Subject, series_of_all
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.stats import drift
from tool_catalog_pipelines.stats.recalibration import Recalibration, recalibrate


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """What became of the estimate of one subject; `revision` is set if one was published."""

    subject: Subject
    before: str | None
    found: Recalibration
    revision: int | None

    def as_row(self) -> dict[str, Any]:
        """Flat, for tables."""
        return {
            "subject": self.subject.label,
            "outcome": self.found.kind,
            "runs": self.found.n,
            "before": self.before or "unknown",
            "after": self.found.text or "",
            "reason": self.found.reason,
        }


def recalibrate_all(settings: Settings, catalog: Catalog) -> list[Recalibrated]:
    """Fit the estimate of every subject that has executions; publish those that predict better."""
    tools = {tool.tool_id: tool for tool in catalog.publish().tools}
    return [
        _recalibrate_one(series, _current(tools, series.subject), catalog.editor)
        for series in series_of_all(settings)
    ]


def _recalibrate_one(
    series: Series, estimate: Estimate | None, editor: CatalogEditor
) -> Recalibrated:
    subject = series.subject
    text = estimate.time_ms if estimate else None
    start = _after_last_change(series)
    found = recalibrate(text, series.variables[start:], series.durations_ms[start:])
    if estimate is None or found.text is None:
        return Recalibrated(subject, text, found, None)
    new = Estimate(
        time_ms=found.text,
        cost_units=estimate.cost_units,
        basis="recalibrated",
        runs=found.n,
        evidence={**asdict(found), "replaced": text},
    )
    revision = editor.publish_estimate(
        subject.tool_id, (subject.capability, subject.pattern), new, found.reason
    )
    return Recalibrated(subject, text, found, revision)


def _after_last_change(series: Series) -> int:
    """Never fit across a change of the tool's behaviour.

    A new revision of the estimate moves the ratio too and is no such change, so ratios are taken
    to one estimate: that of the newest execution.
    """
    newest = series.revisions[-1]
    same = [index for index, revision in enumerate(series.revisions) if revision == newest]
    first = same[0]
    ratios = log_ratios(series)[first:]
    if len(same) < drift.MINIMUM_POINTS:
        return 0
    changed_at = drift.judge(ratios).changed_at
    return first + changed_at if changed_at is not None else 0


def _current(tools: Mapping[int | None, CatalogTool], subject: Subject) -> Estimate | None:
    tool = tools.get(subject.tool_id)
    return tool.estimates.get((subject.capability, subject.pattern)) if tool else None
