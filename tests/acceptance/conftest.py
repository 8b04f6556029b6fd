"""Installations that several acceptance tests begin with, and the program on them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial

import pytest
from installations import copy_shipped_catalogue, run_program

from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.settings import Settings, child_environment


@pytest.fixture
def installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with the shipped catalogue, named in the environment as a run expects."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    copy_shipped_catalogue(settings)
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
    return settings


@pytest.fixture
def program(settings: Settings) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `tool-catalog` on an installation of its own with a copy of the shipped catalogue."""
    copy_shipped_catalogue(settings)
    return partial(run_program, settings)
