"""How a chosen pattern should be executed, and how long somebody will have to wait."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

ExecutionMode = Literal["approval_required", "background", "immediate"]
SlaClass = Literal["interactive", "batch", "background", "unknown"]
IMMEDIATE_MS = 5_000.0
INTERACTIVE_MS = 1_000.0
BATCH_MS = 10_000.0
_BACKGROUND_RULES = frozenset({"background_required", "max_n_immediate_exceeded"})


def execution_mode(time_ms: float | None, rules: Collection[str]) -> ExecutionMode:
    """The mode, from the expected time and the soft rules that a pattern breaks.

    Who does not know how long it takes does not let anybody wait for it.
    """
    if "requires_approval" in rules:
        return "approval_required"
    if time_ms is None or time_ms > IMMEDIATE_MS or not _BACKGROUND_RULES.isdisjoint(rules):
        return "background"
    return "immediate"


def sla_class(time_ms: float | None) -> SlaClass:
    """The class of the expected time."""
    if time_ms is None:
        return "unknown"
    if time_ms < INTERACTIVE_MS:
        return "interactive"
    return "batch" if time_ms < BATCH_MS else "background"
