"""A run of Dagster that changes the catalogue: in whose name, through what, and what came of it.

Does not belong here: what is changed (defs/manage.py), launch forms (launchpad.py).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from tool_catalog_pipelines.catalog.connect import Catalog
from tool_catalog_pipelines.catalog.feed import current_place
from tool_catalog_pipelines.catalog.summary import ChangeSummary
from tool_catalog_pipelines.errors import ToolCatalogError, TransientError
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.orchestration.resources import CatalogResource
from tool_catalog_pipelines.settings import load_settings


@dataclass(frozen=True, slots=True)
class RunChange:
    """The catalogue, open for the changes of one run; `origin` names the run in the audit log."""

    catalog: Catalog
    origin: str
    began_at: int

    def made(self) -> ChangeSummary:
        """What this run has changed so far, as the audit log has it."""
        return self.catalog.store.changes(self.began_at, origin=self.origin)


@contextmanager
def changing(context: dg.OpExecutionContext, catalog: CatalogResource) -> Generator[RunChange]:
    """Open the catalogue for this run; what goes wrong there fails the run in our own words."""
    origin = f"dagster job {context.job_name}, run {context.run_id}"
    try:
        with catalog.open(_actor(context)) as (opened, _):
            with opened.store.reading() as connection:
                began_at = current_place(connection).revision
            yield RunChange(opened, origin, began_at)
    except ToolCatalogError as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, TransientError)) from None


def latest_metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, Any]:
    """The metadata of the newest materialisation of an asset; empty if there is none."""
    event = instance.get_latest_materialization_event(key)
    found = event.asset_materialization if event is not None else None
    return {name: value.value for name, value in found.metadata.items()} if found else {}


def _actor(context: dg.OpExecutionContext) -> str:
    """Who started the run, as its tag says, or else who runs Dagster."""
    return context.run.tags.get(naming.TAG_USER) or load_settings().actor
