"""The newest judgements as sentences, for summaries. Read from PostgreSQL, where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from tool_catalog_pipelines.db.schema import (
    drift_verdicts,
    experiment_verdicts,
    tool_estimates,
    tool_telemetry,
    tools,
)
from tool_catalog_pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Sentence:
    """What was found about something."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Judgements:
    """The newest verdict on everything; `waiting` counts patterns with too little data."""

    experiments: Sequence[Sentence]
    drifted: Sequence[Sentence]
    waiting: int
    estimates: Sequence[Sentence]


def latest_judgements(engine: Engine, settings: Settings) -> Judgements:
    """Read the newest verdicts and the recalibrated estimates that hold now."""
    with engine.connect() as connection:
        drift = _drift(connection, settings)
        return Judgements(
            experiments=_experiments(connection, settings),
            drifted=[
                Sentence(subject, text) for subject, state, text in drift if state == "drifted"
            ],
            waiting=sum(state == "not_enough_data" for _, state, _ in drift),
            estimates=_estimates(connection, settings),
        )


def _experiments(connection: Connection, settings: Settings) -> list[Sentence]:
    v = experiment_verdicts.c
    rows = connection.execute(
        select(v.experiment, v.state, v.verdict, v.reason)
        .where(v.tenant == settings.tenant)
        .distinct(v.experiment)
        .order_by(v.experiment, v.evaluated_at.desc())
    )
    return [
        Sentence(name, f"{state.replace('_', ' ')}{f' is {arm}' if arm else ''}: {reason}")
        for name, state, arm, reason in rows
    ]


def _drift(connection: Connection, settings: Settings) -> list[tuple[str, str, str]]:
    v, t = drift_verdicts.c, tools.c
    rows = connection.execute(
        select(t.platform, t.tool_name, t.version, v.pattern, v.state, v.reason)
        .join(tools, t.id == v.tool_id)
        .where(v.tenant == settings.tenant)
        .distinct(v.tool_id, v.capability, v.pattern)
        .order_by(v.tool_id, v.capability, v.pattern, v.evaluated_at.desc())
    )
    return [
        (f"{platform}/{name}@{version} {pattern}", state, reason)
        for platform, name, version, pattern, state, reason in rows
    ]


def _estimates(connection: Connection, settings: Settings) -> list[Sentence]:
    e, t = tool_estimates.c, tools.c
    rows = connection.execute(
        select(t.platform, t.tool_name, t.version, e.pattern, e.time_ms, e.runs, e.reason)
        .join(tools, t.id == e.tool_id)
        .where(t.tenant == settings.tenant, e.is_current, e.basis == "recalibrated")
        .order_by(t.tool_name, t.version)
    )
    return [
        Sentence(f"{p}/{n}@{v} {pattern}", f"now {text} ms from {runs} runs ({reason})")
        for p, n, v, pattern, text, runs, reason in rows
    ]


def stored_facts(engine: Engine) -> int:
    """Number of facts in PostgreSQL."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(tool_telemetry)).scalar_one()
