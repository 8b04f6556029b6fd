"""The forecast of a chain for somebody who thinks of running it.

Does not belong here: the forecast (judgement/chain_forecasts.py), how it reads
(planning/simulation/chain_forecast_text.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.cli.starting import started
from tool_catalog_pipelines.judgement.chain_forecasts import forecast_run
from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.planning.inputs import check_inputs
from tool_catalog_pipelines.planning.lock import RunIdentity, resolve_run_lock
from tool_catalog_pipelines.planning.simulation.chain_forecast import ChainForecast
from tool_catalog_pipelines.settings import Settings


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
