"""The forecast of a chain for somebody who thinks of running it, and what a run took beside it.

Does not belong here: the forecast (judgement/chain_forecasts.py), how it reads
(planning/simulation/chain_forecast_text.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.cli.starting import started
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.judgement.chain_forecasts import Came, forecast_run, what_came
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.planning import wording
from tool_catalog_pipelines.planning.inputs import check_inputs
from tool_catalog_pipelines.planning.lock import RunIdentity, resolve_run_lock
from tool_catalog_pipelines.planning.simulation.chain_forecast import ChainForecast
from tool_catalog_pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class TimeOfRun:
    """What a run took and what was expected of it, for the line that ends `chain run`."""

    came: Came

    def as_json(self) -> dict[str, Any]:
        """`elapsed_ms` and `forecast_ms`; null where nothing is known."""
        came = self.came
        expected = {"low": came.low_ms, "middle": came.middle_ms, "high": came.high_ms}
        return {
            "elapsed_ms": came.elapsed_ms,
            "forecast_ms": None if came.low_ms is None else expected,
        }

    def as_text(self) -> str:
        """` in 210 ms (expected 132 ms to 325 ms)`."""
        came = self.came
        if came.elapsed_ms is None:
            return ""
        took = f" in {wording.duration(came.elapsed_ms)}"
        if came.low_ms is None or came.high_ms is None:
            return took
        bounds = f"{wording.duration(came.low_ms)} to {wording.duration(came.high_ms)}"
        return f"{took} (expected {bounds}{'' if came.is_inside else ', so this is unusual'})"


def time_of_run(catalog: Catalog, settings: Settings, run_id: str) -> TimeOfRun:
    """What a run took; nothing is known where PostgreSQL went away meanwhile."""
    try:
        return TimeOfRun(what_came(catalog.engine, settings.tenant, run_id))
    except DatabaseUnavailableError:
        return TimeOfRun(Came(None, None, None, None))


def forecast_of(
    name: str, given: Mapping[str, Any], settings: Settings, screen: Screen
) -> ChainForecast:
    """The forecast of a run that would start now with these inputs.

    Raises:
        InvalidInputError: there is no such chain, it cannot run, or an input is wrong.
        DatabaseUnavailableError: PostgreSQL is away.
    """
    with started(settings, screen) as catalog:
        snapshot = catalog.seen()
        plan = find_chains(settings).plan(name)
        inputs = check_inputs(plan.inputs, given, f"chain {name}")
        identity = RunIdentity(
            settings.tenant, "", datetime.now(UTC), settings.environment, settings.actor
        )
        lock = resolve_run_lock(plan, snapshot, identity, inputs)
        return forecast_run(catalog.engine, plan, lock, snapshot)
