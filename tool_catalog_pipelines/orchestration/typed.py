"""Dagster calls whose own types are incomplete, each wrapped once with the type we rely on."""

from __future__ import annotations

from typing import Any, cast

import dagster as dg
from pydantic.fields import FieldInfo

AssetJob = Any
"""What Definitions takes as an asset job; Dagster does not export its class with full types."""


def asset_job(
    name: str,
    groups: tuple[str, ...],
    description: str,
    executor_def: dg.ExecutorDefinition,
    config: dg.ConfigMapping | None = None,
) -> AssetJob:
    """A job over all assets of some groups, with their checks; `config` is its launchpad form."""
    api = cast("Any", dg)
    return api.define_asset_job(
        name,
        selection=api.AssetSelection.groups(*groups),
        description=description,
        executor_def=executor_def,
        config=config,
    )


def graph_job(graph: dg.GraphDefinition, **options: Any) -> dg.JobDefinition:
    """`GraphDefinition.to_job`."""
    return cast("dg.JobDefinition", cast("Any", graph).to_job(**options))


def model_fields(model: type[dg.Config]) -> dict[str, FieldInfo]:
    """The fields of a model by name."""
    return cast("Any", model).model_fields
