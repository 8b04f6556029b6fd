"""The contract of the facts as a Great Expectations suite.

The library takes seconds to import and reports its use unless told not to, so it is imported only
here, inside the check that uses it, in an ephemeral context.
"""

from __future__ import annotations

import importlib
from typing import Any, cast

from tool_catalog_pipelines.facts import STATUSES
from tool_catalog_pipelines.judgement.marts import open_marts
from tool_catalog_pipelines.settings import Settings

NEWEST = 10_000
REQUIRED = ("tenant", "run_id", "step", "tool_name", "tool_version", "pattern", "status")


def facts_contract_problems(settings: Settings) -> list[str]:
    """What the newest facts break, one sentence each."""
    with open_marts(settings) as connection:
        frame = connection.execute(
            "SELECT * FROM executions ORDER BY started_at DESC LIMIT ?", [NEWEST]
        ).df()
    gx = cast("Any", importlib.import_module("great_expectations"))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.enable_analytics(enable=False)
    source = context.data_sources.add_pandas("facts").add_dataframe_asset("executions")
    batch = source.add_batch_definition_whole_dataframe("newest")
    suite = context.suites.add(gx.ExpectationSuite(name="facts"))
    for expectation in _expectations(gx.expectations):
        suite.add_expectation(expectation)
    definition = gx.ValidationDefinition(name="facts", data=batch, suite=suite)
    context.validation_definitions.add(definition)
    results = definition.run(batch_parameters={"dataframe": frame})
    return [_sentence(result) for result in results.results if not result.success]


def _expectations(gxe: Any) -> list[Any]:
    required = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in REQUIRED]
    return [
        *required,
        gxe.ExpectColumnValuesToBeInSet(column="status", value_set=list(STATUSES)),
        gxe.ExpectColumnValuesToBeBetween(column="duration_ms", min_value=0),
        gxe.ExpectColumnValuesToBeBetween(column="attempt", min_value=1),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="finished_at", column_B="started_at", or_equal=True
        ),
    ]


def _sentence(result: Any) -> str:
    config = result.expectation_config
    column = config.kwargs.get("column", "started_at, finished_at")
    return f"{column}: {config.type} fails for {result.result.get('unexpected_count', '?')} rows"
