"""Forecasts of runs: made and stored before the first step, compared with what came of it.

Does not belong here: the simulation (planning/simulation/), how good forecasts are
(forecast_calibration.py).
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    bindparam,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.db.schema import chain_forecasts
from tool_catalog_pipelines.errors import DatabaseUnavailableError, ToolCatalogError
from tool_catalog_pipelines.judgement.chain_past import read_past, said_by
from tool_catalog_pipelines.planning.lock import RunLock
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.planning.simulation.chain_forecast import (
    ChainForecast,
    Interval,
    forecast_chain,
)
from tool_catalog_pipelines.planning.simulation.chain_forecast_text import forecast_as_json
from tool_catalog_pipelines.stats.calibration import position_of

Outcome = Literal["succeeded", "failed"]
OutcomesOf = Callable[[Sequence[str]], Mapping[str, Outcome]]
"""Run ids -> how those ended that have ended."""


def nobody_knows(_run_ids: Sequence[str]) -> Mapping[str, Outcome]:
    """For those who cannot ask Dagster."""
    return {}


COMPARED_AT_ONCE = 1000
WAITING_DAYS = 30
_LOG = logging.getLogger(__name__)

_ACTUAL = text("""
    SELECT
        run_id,
        extract(epoch FROM max(finished_at) - min(run_started_at)) * 1000.0 AS elapsed_ms,
        coalesce(sum(extract(epoch FROM finished_at - started_at))
            FILTER (WHERE has_run), 0) * 1000.0 AS work_ms,
        CASE WHEN bool_and(has_cost) THEN coalesce(sum(cost_units), 0) END AS cost_units
    FROM (
        SELECT
            run_id, min(run_started_at) AS run_started_at,
            min(started_at) AS started_at, max(finished_at) AS finished_at,
            bool_or(status <> 'skipped') AS has_run, sum(cost_units) AS cost_units,
            bool_and(status = 'skipped' OR cost_units IS NOT NULL) AS has_cost
        FROM tool_catalog.tool_telemetry
        WHERE run_id = ANY(:run_ids) AND run_started_at BETWEEN :oldest AND :newest
        GROUP BY run_id, step, item
    ) AS items
    GROUP BY run_id
""")
"""Work is that of steps and items with all their attempts and the waits between, as forecast."""


def forecast_run(
    engine: Engine, plan: Plan, lock: RunLock, snapshot: CatalogSnapshot
) -> ChainForecast:
    """The forecast of a run, from the facts as they are now.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away or too slow.
    """
    return forecast_chain(plan, lock, snapshot, read_past(engine, plan, lock))


def store_forecast(engine: Engine, lock: RunLock, found: ChainForecast) -> None:
    """Keep the forecast of a run; the first one holds."""
    identity = lock.identity
    values = {
        "tenant": identity.tenant,
        "run_id": identity.run_id,
        "run_started_at": identity.run_started_at,
        "chain": found.chain,
        "chain_version": found.version,
        "fingerprint": found.fingerprint,
        "environment": identity.environment,
        "estimate_elapsed_ms": found.figures.elapsed_ms,
        **_three("elapsed", "ms", found.elapsed_ms),
        **_three("work", "ms", found.work_ms),
        **_three("cost", "units", found.cost_units),
        "share_succeeded": found.share_succeeded,
        "executions": found.executions,
        "past_runs": found.past_runs,
        "document": forecast_as_json(found),
    }
    with engine.begin() as connection:
        connection.execute(insert(chain_forecasts).values(values).on_conflict_do_nothing())


def forecast_and_store(
    engine: Engine,
    plan: Plan,
    lock: RunLock,
    snapshot: CatalogSnapshot,
    outcomes_of: OutcomesOf = nobody_knows,
) -> ChainForecast | None:
    """Both, for the start of a run, which must not fail for the lack of a forecast.

    Runs that have ended since are compared before, as only those that succeeded are drawn again.
    """
    try:
        compare_forecasts(engine, outcomes_of)
        found = forecast_run(engine, plan, lock, snapshot)
        store_forecast(engine, lock, found)
    except Exception as error:  # whatever is wrong with a forecast, the run goes on without it
        reason = error if isinstance(error, ToolCatalogError) else type(error).__name__
        _LOG.warning("no forecast of run %s: %s", lock.identity.run_id, reason)
        return None
    return found


@dataclass(frozen=True, slots=True)
class Came:
    """What one run took, and what was expected; None where it is not known."""

    elapsed_ms: float | None
    low_ms: float | None
    middle_ms: float | None
    high_ms: float | None

    @property
    def is_inside(self) -> bool | None:
        """Whether it took what was expected; None without an interval or facts."""
        if self.elapsed_ms is None or self.low_ms is None or self.high_ms is None:
            return None
        return self.low_ms <= self.elapsed_ms <= self.high_ms


def what_came(engine: Engine, tenant: str, run_id: str) -> Came:
    """The time of a run beside its forecast, from what is stored now.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    f = chain_forecasts.c
    statement = select(
        f.run_started_at, f.run_id, f.elapsed_low_ms, f.elapsed_middle_ms, f.elapsed_high_ms
    ).where(f.tenant == tenant, f.run_id == run_id)
    try:
        with engine.begin() as connection:
            row = connection.execute(statement).mappings().one_or_none()
            if row is None:
                return Came(None, None, None, None)
            found = _actual(connection, [row]).get(run_id)
    except SQLAlchemyError as error:
        raise DatabaseUnavailableError(
            f"the forecast of {run_id} cannot be read: {said_by(error)}"
        ) from None
    return Came(
        elapsed_ms=float(found["elapsed_ms"]) if found else None,
        low_ms=row["elapsed_low_ms"],
        middle_ms=row["elapsed_middle_ms"],
        high_ms=row["elapsed_high_ms"],
    )


def compare_forecasts(engine: Engine, outcomes_of: OutcomesOf) -> int:
    """Complete the forecasts of runs that have ended; returns how many.

    Facts must have been delivered before; a run that has ended without any counts as failed.
    """
    compared, after = 0, None
    while True:
        with engine.begin() as connection:
            waiting = _waiting(connection, after)
            compared += _compare(connection, waiting, outcomes_of)
        if len(waiting) < COMPARED_AT_ONCE:
            return compared
        after = (waiting[-1]["run_started_at"], waiting[-1]["run_id"])


def _compare(connection: Connection, waiting: Sequence[RowMapping], outcomes_of: OutcomesOf) -> int:
    outcomes = outcomes_of([row["run_id"] for row in waiting])
    ended = [row for row in waiting if row["run_id"] in outcomes]
    if ended:
        actual = _actual(connection, ended)
        rows = [_compared(row, outcomes[row["run_id"]], actual) for row in ended]
        connection.execute(_COMPARE, rows)
    return len(ended)


_COMPARE = (
    update(chain_forecasts)
    .where(
        chain_forecasts.c.tenant == bindparam("of_tenant"),
        chain_forecasts.c.run_id == bindparam("of_run"),
    )
    .values(compared_at=text("now()"))
)


def _waiting(connection: Connection, after: tuple[datetime, str] | None) -> Sequence[RowMapping]:
    """The next ones that wait, oldest first; after WAITING_DAYS nobody will say how they ended."""
    f = chain_forecasts.c
    place = tuple_(f.run_started_at, f.run_id)
    statement = (
        select(f.tenant, f.run_id, f.run_started_at, f.document)
        .where(
            f.compared_at.is_(None),
            f.run_started_at > text(f"now() - interval '{WAITING_DAYS} days'"),
            true() if after is None else place > after,
        )
        .order_by(f.run_started_at, f.run_id)
        .limit(COMPARED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(statement).mappings().all()


def _actual(connection: Connection, rows: Sequence[RowMapping]) -> dict[str, RowMapping]:
    moments = [row["run_started_at"] for row in rows]
    values = {
        "run_ids": [row["run_id"] for row in rows],
        "oldest": min(moments),
        "newest": max(moments),
    }
    return {row["run_id"]: row for row in connection.execute(_ACTUAL, values).mappings()}


def _compared(
    row: RowMapping, outcome: Outcome, actual: Mapping[str, RowMapping]
) -> dict[str, Any]:
    found = actual.get(row["run_id"])
    values: dict[str, Any] = {"of_tenant": row["tenant"], "of_run": row["run_id"]}
    values["outcome"] = outcome if found else "failed"
    for name, column in (("elapsed", "elapsed_ms"), ("work", "work_ms"), ("cost", "cost_units")):
        value = None if found is None or found[column] is None else float(found[column])
        values[f"actual_{column}"] = value
        has_succeeded = values["outcome"] == "succeeded"
        values[f"{name}_position"] = _position(row, column, value) if has_succeeded else None
    return values


def _position(row: RowMapping, column: str, value: float | None) -> float | None:
    """Where the actual value stands in the forecast; None if one of them is missing."""
    document: Mapping[str, Any] = row["document"]
    expected: Mapping[str, Any] | None = document.get(column)
    if value is None or expected is None:
        return None
    return position_of(
        value, expected["quantiles"], document["levels"], _chance(f"{row['run_id']}/{column}")
    )


def _chance(name: str) -> float:
    """A number from 0 to 1 that looks drawn and is the same whenever a run is compared."""
    return zlib.crc32(name.encode()) / 2**32


def _three(name: str, unit: str, interval: Interval | None) -> dict[str, float | None]:
    return {
        f"{name}_low_{unit}": interval.low if interval else None,
        f"{name}_middle_{unit}": interval.middle if interval else None,
        f"{name}_high_{unit}": interval.high if interval else None,
    }
