"""Installations that several acceptance tests begin with."""

from __future__ import annotations

import shutil

import pytest

from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.catalog.importer import import_catalog
from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment


@pytest.fixture
def installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with the shipped catalogue, named in the environment as a run expects."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    shutil.copytree(CHECKOUT / "catalog_yaml", settings.catalog_dir, dirs_exist_ok=True)
    with open_catalog(settings) as catalog:
        import_catalog(catalog)
    return settings
