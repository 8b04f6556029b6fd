"""Successes and failures of patterns, read from the published marts for selection."""

from __future__ import annotations

from fact_factory import make_facts
from sqlalchemy import Engine

from tool_catalog_pipelines.db.server import acquire_database
from tool_catalog_pipelines.judgement.marts import refresh_marts
from tool_catalog_pipelines.judgement.successes import success_history
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.writer import FactWriter


def test_without_marts_nothing_is_known(settings: Settings) -> None:
    assert success_history(settings, "production") == {}


def test_endings_are_counted_by_version_pattern_and_environment(
    settings: Settings, engine: Engine
) -> None:
    endings = {"success": 5, "no_result": 2, "failed": 3, "timeout": 1, "cancelled": 4}
    facts = [
        fact
        for status, count in endings.items()
        for fact in make_facts(count, f"run-{status}", status=status)
    ]
    elsewhere = make_facts(7, "run-staging", environment="staging")
    FactWriter(engine).write([*facts, *elsewhere])
    with acquire_database(settings) as database:
        refresh_marts(settings, database)
    one = facts[0]
    key = (
        f"{one.platform}/{one.tool_name}@{one.tool_version}",
        f"{one.capability}/{one.pattern}",
    )
    assert success_history(settings, one.environment) == {key: (7, 4)}
    assert success_history(settings, "staging") == {key: (7, 0)}
    assert success_history(settings, "nowhere") == {}
