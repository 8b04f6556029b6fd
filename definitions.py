"""What Dagster loads: chains, assets, checks, jobs, schedules and sensors of this checkout.

Loading needs no database: chains are built from their files and the catalogue snapshot on disk.
"""

import dagster as dg

from tool_catalog_pipelines.defs.build import build_definitions
from tool_catalog_pipelines.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Everything in one code location."""
    return build_definitions(load_settings())
