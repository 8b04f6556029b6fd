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
    """A function from run ids to the outcomes of those that have ended.

    A run that Dagster does not know (any more) has failed: nobody can say that it succeeded.
    """

    def outcomes_of(run_ids: Sequence[str]) -> Mapping[str, Outcome]:
        if not run_ids:
            return {}
        found = instance.get_runs(dg.RunsFilter(run_ids=list(run_ids)))
        status = {run.run_id: run.status for run in found}
        outcomes: dict[str, Outcome] = {}
        for run_id in run_ids:
            known = status.get(run_id, dg.DagsterRunStatus.FAILURE)
            if known in _OUTCOMES:
                outcomes[run_id] = _OUTCOMES[known]
        return outcomes

    return outcomes_of
