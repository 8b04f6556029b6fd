"""The past that a forecast of a chain rests on, read from the facts in PostgreSQL.

Read as they are now, so that a forecast is never older than the last fact. Bounded in runs and
items, and by a time limit of all statements. Does not belong here: what follows from it
(planning/simulation/), the statements (chain_past_sql.py).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.judgement import chain_past_sql as sql
from tool_catalog_pipelines.planning.lock import RunIdentity, RunLock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.planning.simulation.past import (
    ChainPast,
    Correlation,
    PastExecution,
    PastRun,
    PastStep,
    PatternUse,
)
from tool_catalog_pipelines.planning.simulation.shapes import usable_runs
from tool_catalog_pipelines.planning.simulation.spread import MINIMUM_RUNS, is_enough
from tool_catalog_pipelines.stats.dependence import Member, likeness

CHAIN_RUNS = 40
OTHER_RUNS = 10
ITEMS_OF_A_STEP = 20
ROWS_OF_A_TOOL = 5000
MOST_FACTS = 100_000
"""Older runs are left out if the newest ones have so many: lists of 10,000 items take seconds."""
LEAST_RUNS = 2 * MINIMUM_RUNS
"""Read whatever they have, as some of them may have failed."""
TIME_LIMIT_S = 5.0
"""For all statements together, as a run waits for them."""
_STRATUM = ("chain", "step", "tool_version", "estimate_revision")

_Row = Mapping[str, Any]
_Run = tuple[str, datetime]
"""Id and start."""


def read_past(engine: Engine, plan: Plan, lock: RunLock) -> ChainPast:
    """What is known of the chain and of the tool versions that the run is locked to.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away, or takes longer than TIME_LIMIT_S.
    """
    try:
        with engine.begin() as connection:
            return _Reader(connection, lock.identity).past(plan, lock)
    except SQLAlchemyError as error:
        raise DatabaseUnavailableError(
            f"the past of {plan.chain} cannot be read: {said_by(error)}"
        ) from None


def said_by(error: SQLAlchemyError) -> str:
    """What PostgreSQL said, in a line; without the statement, which is no news to anybody."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(cause).split())


class _Reader:
    """Reads within one transaction."""

    def __init__(self, connection: Connection, identity: RunIdentity) -> None:
        self._connection = connection
        self._end_s = time.monotonic() + TIME_LIMIT_S
        self._scope = {"tenant": identity.tenant, "environment": identity.environment}

    def past(self, plan: Plan, lock: RunLock) -> ChainPast:
        this = {"chain": plan.chain, "run_id": lock.identity.run_id, "most": CHAIN_RUNS}
        own = self._runs(sql.RUNS_OF_CHAIN, fingerprint=None, **this)
        same = self._runs(sql.RUNS_OF_CHAIN, fingerprint=plan.fingerprint, **this)
        runs = past_runs(self._of(sql.STEPS_OF_RUNS, same))
        rows = self._executions(own)
        elsewhere = self._of_tools(plan, lock, rows)
        rows += self._executions([run for run in elsewhere if run not in own])
        delays: list[float] = []
        if len(usable_runs(plan, runs)) < MINIMUM_RUNS:
            others = self._runs(sql.RUNS_OF_OTHERS, chain=plan.chain, most=OTHER_RUNS)
            found = past_runs(self._of(sql.STEPS_OF_RUNS, [*own, *others]))
            delays = start_delays(found)
        outcomes = self._execute(sql.OUTCOMES, {**self._scope, **this}).mappings().one()
        return ChainPast(
            executions=_by_use(rows),
            runs=runs,
            start_delays_ms=tuple(delays),
            correlation=_correlation(rows),
            ended=outcomes["ended"],
            succeeded=outcomes["succeeded"],
        )

    def _of_tools(self, plan: Plan, lock: RunLock, rows: Sequence[_Row]) -> list[_Run]:
        """Runs of tools that the chain's own runs say too little about."""
        known = _by_use(rows)
        runs: list[_Run] = []
        for use, tool_id in _uses(plan, lock).items():
            found = [one for one in known.get(use, ()) if one.has_succeeded]
            if tool_id is not None and not is_enough(found):
                wanted = {"tool_id": tool_id, "capability": use[1], "pattern": use[2]}
                runs += self._runs(sql.RUNS_OF_TOOL, most=CHAIN_RUNS, rows=ROWS_OF_A_TOOL, **wanted)
        return list(dict.fromkeys(runs))

    def _runs(self, statement: TextClause, **values: Any) -> list[_Run]:
        rows = self._execute(statement, {**self._scope, **values}).mappings()
        return self._bounded([(row["run_id"], row["run_started_at"]) for row in rows])

    def _bounded(self, runs: list[_Run]) -> list[_Run]:
        """The newest of them with MOST_FACTS facts together; LEAST_RUNS whatever they have."""
        if len(runs) <= LEAST_RUNS:
            return runs
        facts = {row["run_id"]: row["facts"] for row in self._of(sql.FACTS_OF_RUNS, runs)}
        sums = accumulate(facts.get(run_id, 0) for run_id, _ in runs)
        kept = sum(total <= MOST_FACTS for total in sums)
        return runs[: max(kept, LEAST_RUNS)]

    def _of(self, statement: TextClause, runs: Sequence[_Run], **values: Any) -> list[_Row]:
        if not runs:
            return []
        moments = [started_at for _, started_at in runs]
        of_runs = {
            "tenant": self._scope["tenant"],
            "run_ids": [run_id for run_id, _ in runs],
            "oldest": min(moments),
            "newest": max(moments),
        }
        result = self._execute(statement, {**of_runs, **values})
        return [dict(row) for row in result.mappings()]

    def _execute(self, statement: TextClause, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Within what is left of the time, which PostgreSQL itself counts by statement only."""
        left_ms = max(1, round(1000 * (self._end_s - time.monotonic())))
        self._connection.execute(text(f"SET LOCAL statement_timeout = {left_ms}"))
        return self._connection.execute(statement, values)

    def _executions(self, runs: Sequence[_Run]) -> list[_Row]:
        return self._of(sql.EXECUTIONS_OF_RUNS, runs, most=ITEMS_OF_A_STEP)


def _uses(plan: Plan, lock: RunLock) -> dict[PatternUse, int | None]:
    """Every pattern of every tool version that the run may execute, with the version's row."""
    uses: dict[PatternUse, int | None] = {}
    for step in plan.steps:
        locked = lock.steps.get(step.id)
        if locked is None:
            continue
        versions = {locked.version: locked.tool_id}
        if locked.by_item is not None:
            arms = locked.by_item
            versions = {arms.version_a: arms.tool_id_a, arms.version_b: arms.tool_id_b}
        for version, tool_id in versions.items():
            label = f"{locked.platform}/{locked.tool_name}@{version}"
            uses[label, step.capability, step.pattern] = tool_id
    return uses


def past_runs(rows: Iterable[_Row]) -> tuple[PastRun, ...]:
    """Rows of STEPS_OF_RUNS as runs."""
    runs: dict[str, dict[str, PastStep]] = defaultdict(dict)
    for row in rows:
        runs[row["run_id"]][row["step"]] = PastStep(
            items=row["items"],
            started_ms=float(row["started_ms"]),
            finished_ms=float(row["finished_ms"]),
            work_ms=float(row["work_ms"]),
        )
    return tuple(PastRun(run_id, steps) for run_id, steps in runs.items())


def start_delays(runs: Iterable[PastRun]) -> list[float]:
    """How long each step waited after the last end before its start; the graph is not known."""
    delays: list[float] = []
    for run in runs:
        ends = [0.0, *(step.finished_ms for step in run.steps.values())]
        delays += [_since_last(ends, step.started_ms) for step in run.steps.values()]
    return delays


def _since_last(ends: Sequence[float], started_ms: float) -> float:
    return started_ms - max((end for end in ends if end <= started_ms), default=started_ms)


def _by_use(rows: Iterable[_Row]) -> dict[PatternUse, tuple[PastExecution, ...]]:
    found: dict[PatternUse, list[PastExecution]] = defaultdict(list)
    for row in rows:
        label = f"{row['platform']}/{row['tool_name']}@{row['tool_version']}"
        found[label, row["capability"], row["pattern"]].append(_execution(row))
    return {use: tuple(executions) for use, executions in found.items()}


def _execution(row: _Row) -> PastExecution:
    return PastExecution(
        run_id=row["run_id"],
        chain=row["chain"],
        step=row["step"],
        has_succeeded=row["status"] in ("success", "no_result"),
        elapsed_ms=1000 * (row["finished_at"] - row["started_at"]).total_seconds(),
        cost_units=row["cost_units"],
        before=row["variables_before"],
        measured=row["variables_measured"],
    )


def _correlation(rows: Iterable[_Row]) -> Correlation:
    """Of the distances from the estimates, as they were; a new revision is another scale."""
    members = [
        Member(
            group=row["run_id"],
            stratum="/".join(str(row[name]) for name in _STRATUM),
            value=_execution(row).elapsed_ms / (row["estimate_ms"] or 1.0),
        )
        for row in rows
        if row["status"] in ("success", "no_result")
    ]
    found = likeness(members)
    return Correlation(found.of_strata, found.of_members)
