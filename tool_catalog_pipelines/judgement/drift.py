"""Drift: marts -> one verdict per tool version and pattern, stored in PostgreSQL.

Each execution is compared with the estimate that held when it ran, so a recalibration shows as
the end of the drift it cured.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert

from tool_catalog_pipelines.db.schema import drift_verdicts
from tool_catalog_pipelines.judgement.rows import Series, Subject, series_of_all
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.stats.drift import DriftResult, judge


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """The verdict on one subject."""

    subject: Subject
    result: DriftResult

    def as_row(self) -> dict[str, Any]:
        """Flat, for tables."""
        return {
            "subject": self.subject.label,
            "state": self.result.state,
            "n": self.result.n,
            "actual_to_estimate": round(self.result.ratio, 3) if self.result.ratio else 0.0,
            "reason": self.result.reason,
        }


def judge_drift(settings: Settings, engine: Engine) -> list[DriftVerdict]:
    """Judge every subject that has executions and store the verdicts."""
    verdicts = [DriftVerdict(s.subject, judge(log_ratios(s))) for s in series_of_all(settings)]
    if verdicts:
        with engine.begin() as connection:
            connection.execute(insert(drift_verdicts), [_row(settings, v) for v in verdicts])
    return verdicts


def log_ratios(series: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """ln(actual/estimate) of each execution; nan where there was no estimate."""
    actual = np.array(series.durations_ms, dtype=np.float64)
    estimate = np.array([e if e else np.nan for e in series.estimates_ms], dtype=np.float64)
    return np.log(np.where(actual > 0, actual, np.nan) / estimate)


def _row(settings: Settings, verdict: DriftVerdict) -> dict[str, Any]:
    subject = verdict.subject
    return {
        "tenant": settings.tenant,
        "tool_id": subject.tool_id,
        "capability": subject.capability,
        "pattern": subject.pattern,
        "metric": "duration_ms",
        "environment": settings.environment,
        "state": verdict.result.state,
        "verdict": verdict.result.state,
        "reason": verdict.result.reason,
        "numbers": asdict(verdict.result),
    }
