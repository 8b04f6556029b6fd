"""Experiments: marts -> verdicts in PostgreSQL. A winner is reported; people promote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, insert, select

from tool_catalog_pipelines.db.schema import experiment_verdicts, tool_ab_tests
from tool_catalog_pipelines.judgement.rows import query
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.stats.experiments import Arm, ExperimentResult, judge
from tool_catalog_pipelines.stats.statistics import MeanStatistic, ProportionStatistic

_NOTHING = Arm(ProportionStatistic(0, 0), MeanStatistic(0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class ExperimentVerdict:
    """The verdict on one experiment."""

    experiment: str
    version_a: str
    version_b: str
    result: ExperimentResult

    def as_row(self) -> dict[str, Any]:
        """Flat, for tables."""
        result = self.result
        return {
            "experiment": self.experiment,
            "state": result.state,
            "winner": {"a": self.version_a, "b": self.version_b}.get(result.winner or "", ""),
            "n_a": result.n_a,
            "n_b": result.n_b,
            "ratio_b_to_a": round(result.ratio, 3) if result.ratio else 0.0,
            "reason": result.reason,
        }


def judge_experiments(settings: Settings, engine: Engine) -> list[ExperimentVerdict]:
    """Judge every active experiment and store a verdict for each."""
    arms = _arms(settings)
    verdicts: list[ExperimentVerdict] = []
    with engine.begin() as connection:
        active = connection.execute(
            select(tool_ab_tests).where(
                tool_ab_tests.c.tenant == settings.tenant, tool_ab_tests.c.status == "active"
            )
        ).mappings()
        for test in active.all():
            verdict = _judge_one(dict(test), arms)
            verdicts.append(verdict)
            winner = {"a": test["tool_a_id"], "b": test["tool_b_id"]}
            connection.execute(
                insert(experiment_verdicts).values(
                    tenant=settings.tenant,
                    test_id=test["id"],
                    experiment=verdict.experiment,
                    metric=test["metric"],
                    state=verdict.result.state,
                    verdict=verdict.result.winner,
                    winner_tool_id=winner.get(verdict.result.winner or ""),
                    reason=verdict.result.reason,
                    numbers=asdict(verdict.result),
                )
            )
    return verdicts


def _judge_one(test: Mapping[str, Any], arms: Mapping[tuple[str, str], Arm]) -> ExperimentVerdict:
    name = test["test_name"]
    result = judge(
        arms.get((name, "a"), _NOTHING),
        arms.get((name, "b"), _NOTHING),
        traffic_split=test["traffic_split"],
        minimum_per_arm=test["minimum_sample_per_arm"],
        alpha=test["alpha"],
    )
    return ExperimentVerdict(name, test["spec"]["version_a"], test["spec"]["version_b"], result)


def _arms(settings: Settings) -> dict[tuple[str, str], Arm]:
    rows = query(
        settings,
        "SELECT experiment, arm, sum(exposures) AS exposures, sum(successes) AS successes, "
        "sum(timed) AS timed, sum(sum_ln_ms) AS sum_ln, sum(sum_square_ln_ms) AS sum_square_ln "
        "FROM experiment_arms GROUP BY ALL",
    )
    return {
        (row["experiment"], row["arm"]): Arm(
            ProportionStatistic(int(row["exposures"]), int(row["successes"])),
            MeanStatistic(int(row["timed"]), row["sum_ln"] or 0.0, row["sum_square_ln"] or 0.0),
        )
        for row in rows
    }
