"""Bringing an installation up: database, migrations, catalogue. Shared by all commands."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.cli.import_output import say_report
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.spool import deliver_spool
from tool_catalog_pipelines.telemetry.spool_folder import spool_of, waiting_elsewhere
from tool_catalog_pipelines.telemetry.writer import FactWriter


@contextmanager
def started(settings: Settings, screen: Screen) -> Generator[Catalog]:
    """The open catalogue; imports the YAML when this installation has no catalogue yet."""
    with open_catalog(settings) as catalog:
        if not settings.snapshot_path.exists():
            with screen.phase("import the catalogue"):
                report = import_catalog(catalog)
            say_report(screen, report)
        yield catalog


@contextmanager
def brought_up(settings: Settings, screen: Screen) -> Generator[Catalog]:
    """Everything that `make run` does before the demonstration, each phase said."""
    with ExitStack() as stack:
        with screen.phase("start PostgreSQL and migrate"):
            catalog = stack.enter_context(open_catalog(settings))
        with screen.phase("import the catalogue"):
            report = import_catalog(catalog)
        say_report(screen, report)
        spool = spool_of(catalog.engine, settings.spool_dir)
        delivered = deliver_spool(spool, FactWriter(catalog.engine).write)
        if delivered:
            screen.say(f"  {delivered} facts of earlier processes delivered")
        for other in waiting_elsewhere(settings.spool_dir, spool):
            screen.say(f"  facts of another database ({other.database}) wait in {other.folder}")
        yield catalog
