"""An installation as a person has it: the shipped catalogue, the program, a chain run at once.

Does not belong here: what the tests of one file put into it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.orchestration.chains import find_chains
from tool_catalog_pipelines.orchestration.instance import open_instance
from tool_catalog_pipelines.orchestration.launch import ChainOutcome, run_chain
from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment


def copy_shipped_catalogue(settings: Settings) -> None:
    """Give the installation its own copy of the tools, chains and experiments of the checkout."""
    shutil.copytree(CHECKOUT / "catalog_yaml", settings.catalog_dir, dirs_exist_ok=True)


def run_program(
    settings: Settings,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    folder: Path = CHECKOUT,
) -> subprocess.CompletedProcess[str]:
    """`tool-catalog` in a process of its own, on this installation, and what it said."""
    return subprocess.run(
        [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        env=child_environment(settings) | dict(env or {}),
        cwd=folder,
        check=False,
    )


def run_chain_here(settings: Settings, chain: str, inputs: Mapping[str, Any]) -> ChainOutcome:
    """Run a chain through Dagster in this process."""
    with open_instance(settings) as instance:
        plan = find_chains(settings).plan(chain)
        return run_chain(plan, inputs, settings, instance, lambda _: None)
