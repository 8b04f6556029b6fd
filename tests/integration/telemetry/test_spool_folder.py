"""Facts go to the database that they were recorded for, and to no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fact_factory import leave_a_fact
from sqlalchemy import Engine

from tool_catalog_pipelines.cli.doctor import examine
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.cli.starting import brought_up
from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.spool_folder import spool_of, waiting_elsewhere
from tool_catalog_pipelines.telemetry.writer import FactWriter


@pytest.fixture
def other(empty_database_url: str) -> Iterator[Engine]:
    """Another database, migrated by itself: a copy of a template would be the same one."""
    made = make_engine(empty_database_url, pool_size=1)
    migrate(made)
    yield made
    made.dispose()


def test_another_database_gets_nothing_and_the_right_one_all(
    engine: Engine,
    other: Engine,
    settings: Settings,
    empty_database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = spool_of(engine, settings.spool_dir)
    leave_a_fact(own)
    elsewhere = replace(settings, database_url=empty_database_url)
    with brought_up(elsewhere, Screen()):
        assert FactWriter(other).count() == 0
    said = capsys.readouterr().out
    assert "facts of another database" in said
    assert str(own) in said
    assert [finding.state for finding in examine(elsewhere) if finding.what == "facts"] == [
        "limited"
    ]
    with brought_up(settings, Screen()):
        assert FactWriter(engine).count() == 1
    assert "1 facts of earlier processes delivered" in capsys.readouterr().out
    assert waiting_elsewhere(settings.spool_dir, None) == []
    assert not [finding for finding in examine(settings) if finding.what == "facts"]


def test_the_same_database_by_another_address_is_the_same(
    engine: Engine, database_url: str, settings: Settings
) -> None:
    again = make_engine(database_url, pool_size=1)
    assert spool_of(again, settings.spool_dir) == spool_of(engine, settings.spool_dir)
    again.dispose()


def test_facts_from_before_there_were_folders_wait(engine: Engine, settings: Settings) -> None:
    leave_a_fact(settings.spool_dir)
    (found,) = waiting_elsewhere(settings.spool_dir, spool_of(engine, settings.spool_dir))
    assert (found.folder, found.database, found.files) == (
        settings.spool_dir,
        "an unknown database",
        1,
    )


def test_a_database_that_is_no_installation_has_no_folder(
    empty_database_url: str, settings: Settings
) -> None:
    empty = make_engine(empty_database_url, pool_size=1)
    with pytest.raises(DatabaseUnavailableError, match="does not say who it is"):
        spool_of(empty, settings.spool_dir)
    empty.dispose()
