"""The Execution fact: the one record that execution, telemetry and judgement share.

One fact = one attempt of one step, or of one item of a `foreach` step. Belongs here: the record,
its statuses, its JSON form. Does not belong here: how it is stored or judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast, get_args

Status = Literal["success", "no_result", "failed", "timeout", "cancelled", "skipped"]
Basis = Literal["declared", "recalibrated", "unknown"]

STATUSES: tuple[Status, ...] = get_args(Status)
NO_ITEM = ""
"""The item of a fact whose step has no `foreach`; part of the natural key, so never null."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One attempt of one step or item.

    Natural key: tenant, run_started_at, run_id, step, item, attempt.

    Times are UTC and aware. Durations are milliseconds. A measure that this platform or binding
    cannot give is None, never zero and never the estimate again.
    """

    tenant: str
    run_id: str
    run_started_at: datetime
    chain: str
    chain_version: str
    fingerprint: str
    step: str
    item: str
    attempt: int
    platform: str
    tool_name: str
    tool_version: str
    tool_id: int | None
    capability: str
    pattern: str
    environment: str
    user: str
    host: str
    status: Status
    started_at: datetime
    finished_at: datetime
    duration_ms: float
    experiment: str | None = None
    arm: str | None = None
    estimate_ms: float | None = None
    estimate_cost_units: float | None = None
    estimate_basis: Basis = "unknown"
    estimate_revision: int | None = None
    cost_units: float | None = None
    variables_before: Mapping[str, float] = field(default_factory=dict[str, float])
    variables_measured: Mapping[str, float] = field(default_factory=dict[str, float])
    exit_code: int | None = None
    error_type: str | None = None
    error_signature: str | None = None
    error_message: str | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    output_bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready mapping; times as ISO 8601 with offset."""
        record = dataclasses.asdict(self)
        for name in _TIME_FIELDS:
            record[name] = record[name].isoformat()
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Execution:
        """The inverse of `to_json`. Unknown keys (from a newer version) are ignored."""
        known = {f.name for f in dataclasses.fields(cls)}
        values = {name: value for name, value in record.items() if name in known}
        for name in _TIME_FIELDS:
            values[name] = datetime.fromisoformat(cast("str", values[name]))
        return cls(**values)


_TIME_FIELDS = ("run_started_at", "started_at", "finished_at")
