"""All definitions of the code location, assembled from the domains. No rule lives here."""

from __future__ import annotations

import dagster as dg

from tool_catalog_pipelines.defs import (
    catalog,
    catalog_checks,
    chains,
    estimates,
    experiments,
    forecasts,
    manage,
    marts,
)
from tool_catalog_pipelines.orchestration.resources import shared_resources
from tool_catalog_pipelines.settings import Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """The definitions of every domain; a broken chain file is left out and reported."""
    return dg.Definitions.merge(
        chains.definitions(settings),
        catalog.definitions(settings),
        catalog_checks.definitions(),
        manage.definitions(),
        marts.definitions(),
        experiments.definitions(),
        estimates.definitions(),
        forecasts.definitions(),
        dg.Definitions(resources=shared_resources()),
    )
