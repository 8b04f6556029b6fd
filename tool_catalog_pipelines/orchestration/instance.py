"""The Dagster instance of an installation: its home folder and its configuration file.

The root dagster.yaml is what people edit; it is copied into DAGSTER_HOME because Dagster reads it
there. Starting servers is cli/servers.py.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from tool_catalog_pipelines.orchestration.dead_runs import close_dead_runs
from tool_catalog_pipelines.settings import CHECKOUT, Settings

_LOG = logging.getLogger(__name__)


def prepare_dagster_home(settings: Settings) -> None:
    """Make DAGSTER_HOME and bring dagster.yaml up to date there."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    source = (CHECKOUT / "dagster.yaml").read_text(encoding="utf-8")
    target = settings.dagster_home / "dagster.yaml"
    if not target.exists() or target.read_text(encoding="utf-8") != source:
        draft = target.with_suffix(".part")
        draft.write_text(source, encoding="utf-8")
        draft.replace(target)


@contextmanager
def open_instance(settings: Settings) -> Generator[dg.DagsterInstance]:
    """The instance, disposed of at the end so that the database can stop.

    Runs that a killed process of this machine left behind are closed first.
    """
    prepare_dagster_home(settings)
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        for run_id in close_dead_runs(instance, settings.host):
            _LOG.warning("run %s had lost its process; it is closed as failed", run_id)
        yield instance
