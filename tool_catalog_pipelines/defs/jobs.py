"""Jobs by name, for processes that run one job outside the code location."""

from __future__ import annotations

import dagster as dg

from tool_catalog_pipelines.defs import estimates, experiments, forecasts, marts
from tool_catalog_pipelines.orchestration.resources import shared_resources


def analytics_job() -> dg.JobDefinition:
    """The job that loads facts, computes marts and judges."""
    merged = dg.Definitions.merge(
        marts.definitions(),
        experiments.definitions(),
        estimates.definitions(),
        forecasts.definitions(),
        dg.Definitions(resources=shared_resources()),
    )
    return merged.resolve_job_def("analytics")
