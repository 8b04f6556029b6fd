"""Instances that the contract tests of one worker share; runs do not see each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster_runs import fresh_database, pooled_instance


@pytest.fixture(scope="session")
def instance(
    server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dg.DagsterInstance]:
    """An instance on our storage."""
    home: Path = tmp_path_factory.mktemp("dagster")
    with fresh_database(server_url) as url, pooled_instance(url, home) as made:
        yield made
