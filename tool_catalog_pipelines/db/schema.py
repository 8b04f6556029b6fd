"""All tables of schema `tool_catalog`, in one metadata: what the migrations must arrive at.

Belongs here: the list. Does not belong here: triggers, functions and monthly partitions
(migrations/ only: the model cannot express them), and any query.
"""

from tool_catalog_pipelines.db.catalog_tables import (
    catalog_revision,
    import_files,
    tool_ab_tests,
    tool_audit_log,
    tool_capabilities,
    tool_channels,
    tool_estimates,
    tool_patterns,
    tools,
)
from tool_catalog_pipelines.db.columns import SCHEMA, metadata
from tool_catalog_pipelines.db.fact_tables import (
    chain_forecasts,
    chain_versions,
    drift_verdicts,
    experiment_verdicts,
    run_locks,
    tool_telemetry,
)
from tool_catalog_pipelines.db.search_tables import search_documents, search_state, search_words

__all__ = [
    "SCHEMA",
    "catalog_revision",
    "chain_forecasts",
    "chain_versions",
    "drift_verdicts",
    "experiment_verdicts",
    "import_files",
    "metadata",
    "run_locks",
    "search_documents",
    "search_state",
    "search_words",
    "tool_ab_tests",
    "tool_audit_log",
    "tool_capabilities",
    "tool_channels",
    "tool_estimates",
    "tool_patterns",
    "tool_telemetry",
    "tools",
]
