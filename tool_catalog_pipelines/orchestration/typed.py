"""Dagster calls whose own types are incomplete, each wrapped once with the type we rely on."""

from __future__ import annotations

from typing import Any, cast

import dagster as dg

AssetJob = Any
"""What Definitions takes as an asset job; Dagster does not export its class with full types."""


def asset_job(
    name: str, groups: tuple[str, ...], description: str, executor_def: dg.ExecutorDefinition
) -> AssetJob:
    """A job over all assets of some groups, with their checks."""
    api = cast("Any", dg)
    return api.define_asset_job(
        name,
        selection=api.AssetSelection.groups(*groups),
        description=description,
        executor_def=executor_def,
    )


def graph_job(graph: dg.GraphDefinition, **options: Any) -> dg.JobDefinition:
    """`GraphDefinition.to_job`."""
    return cast("dg.JobDefinition", cast("Any", graph).to_job(**options))


def config_schema(model: type[dg.Config]) -> Any:
    """What Dagster makes of a model: `Config.to_config_schema`, as a field of configuration."""
    return cast("Any", model).to_config_schema().as_field()
