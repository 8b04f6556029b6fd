"""Resources of the assets: thin, yielding objects that know nothing of Dagster."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import dagster as dg

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.settings import Settings, load_settings


class CatalogResource(dg.ConfigurableResource["Catalog"]):
    """The catalogue in PostgreSQL; opened for one call, so that no idle asset holds it."""

    @contextmanager
    def open(self, actor: str | None = None) -> Generator[tuple[Catalog, Settings]]:
        """An open catalogue together with the settings it was opened by.

        Changes are made in the name of the actor, or else of the one in the settings.
        """
        settings = load_settings()
        if actor is not None:
            settings = replace(settings, actor=actor)
        with open_catalog(settings) as catalog:
            yield catalog, settings


def shared_resources() -> dict[str, CatalogResource]:
    """Resource keys that assets may ask for."""
    return {"catalog": CatalogResource()}
