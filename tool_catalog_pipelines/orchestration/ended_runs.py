"""How runs ended, as Dagster knows it, for those who judge what was expected of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

from tool_catalog_pipelines.judgement.chain_forecasts import Outcome, OutcomesOf

_OUTCOMES: Mapping[dg.DagsterRunStatus, Outcome] = {
    dg.DagsterRunStatus.SUCCESS: "succeeded",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "failed",
}


def ended_runs(instance: dg.DagsterInstance) -> OutcomesOf:
    """A function from run ids to the outcomes of those that have ended, as this Dagster knows.

    Of a run that it does not know it says nothing: another Dagster may.
    """

    def outcomes_of(run_ids: Sequence[str]) -> Mapping[str, Outcome]:
        if not run_ids:
            return {}
        found = instance.get_runs(dg.RunsFilter(run_ids=list(run_ids)))
        return {run.run_id: _OUTCOMES[run.status] for run in found if run.status in _OUTCOMES}

    return outcomes_of
