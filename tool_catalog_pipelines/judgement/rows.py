"""Rows of the marts as plain records; the only place where judgement reads DuckDB.

Does not belong here: what the numbers mean (stats/).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from tool_catalog_pipelines.judgement.marts import open_marts
from tool_catalog_pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Subject:
    """What an estimate belongs to: one pattern of one tool version."""

    tool_id: int
    platform: str
    tool_name: str
    tool_version: str
    capability: str
    pattern: str

    @property
    def label(self) -> str:
        """For people: tool version and pattern."""
        return f"{self.platform}/{self.tool_name}@{self.tool_version} {self.pattern}"


@dataclass(frozen=True, slots=True)
class Series:
    """The successful executions of a subject, oldest first."""

    subject: Subject
    durations_ms: tuple[float, ...]
    estimates_ms: tuple[float | None, ...]
    revisions: tuple[int | None, ...]
    variables: tuple[dict[str, float], ...]


def query(settings: Settings, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Rows of a SELECT on the published marts."""
    with open_marts(settings) as connection:
        result = connection.execute(sql, list(values))
        names = [str(column[0]) for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def series_of_all(settings: Settings) -> list[Series]:
    """One series per subject that has executions."""
    rows = query(
        settings,
        "SELECT tool_id, platform, tool_name, tool_version, capability, pattern, duration_ms, "
        "estimate_ms, estimate_revision, variables_before, variables_measured "
        "FROM estimate_ratio WHERE tool_id IS NOT NULL ORDER BY started_at",
    )
    groups: dict[Subject, list[dict[str, Any]]] = {}
    for row in rows:
        subject = Subject(
            row["tool_id"],
            row["platform"],
            row["tool_name"],
            row["tool_version"],
            row["capability"],
            row["pattern"],
        )
        groups.setdefault(subject, []).append(row)
    return [_series(subject, members) for subject, members in groups.items()]


def _series(subject: Subject, rows: list[dict[str, Any]]) -> Series:
    return Series(
        subject=subject,
        durations_ms=tuple(row["duration_ms"] for row in rows),
        estimates_ms=tuple(row["estimate_ms"] for row in rows),
        revisions=tuple(row["estimate_revision"] for row in rows),
        variables=tuple(
            {**_document(row["variables_before"]), **_document(row["variables_measured"])}
            for row in rows
        ),
    )


def _document(text: str | None) -> dict[str, float]:
    return cast("dict[str, float]", json.loads(text)) if text else {}
