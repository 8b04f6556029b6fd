"""The version that a choice gives when an experiment runs on the chosen tool.

Tools compete with the version that `latest` means, whatever the arm: if a tool competed with the
version of the unit's arm, units of the worse arm would get other tools more often and drop out of
the experiment, which would bias the split. For the same reason a unit takes part only where either
arm could serve it. Does not belong here: making the choice (choice.py), who takes part
(exposure.py).
"""

from __future__ import annotations

from dataclasses import replace

from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.selection.arms import Arm
from tool_catalog_pipelines.selection.candidates import CandidateIndex
from tool_catalog_pipelines.selection.choice import Choice, asked_values
from tool_catalog_pipelines.selection.exposure import active_experiment, exposure_of
from tool_catalog_pipelines.selection.judged import Judged
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.experiment import ExperimentSpec


def exposed(choice: Choice, index: CandidateIndex) -> Choice:
    """The choice with the version of the arm, if the chosen tool is in an active experiment.

    Args:
        choice: a choice of `select`.
        index: the candidates that it was made from.

    Raises:
        InvalidInputError: the tool has several active experiments.
    """
    experiment = active_experiment(choice.chosen.candidate.tool, index.snapshot)
    if experiment is None:
        return choice
    need = choice.need
    unit = need.user if experiment.unit == "user" else need.unit
    exposure = exposure_of(experiment, need.environment, need.user, unit)
    if exposure.arm is None or not exposure.is_exposed:
        return replace(choice, exposure=exposure)
    arms: dict[Arm, Judged] = {}
    for arm in ("a", "b"):
        found = _in_arm(choice, index, experiment, arm)
        if isinstance(found, str):
            reason = f"arm {arm}: {found}"
            return replace(choice, exposure=replace(exposure, reason=reason))
        arms[arm] = found
    return replace(choice, exposure=exposure, drawn=arms[exposure.arm])


def _in_arm(
    choice: Choice, index: CandidateIndex, experiment: ExperimentSpec, arm: Arm
) -> Judged | str:
    """The chosen pattern in the version of an arm, or why that cannot be used."""
    chosen = choice.chosen.candidate
    header = chosen.tool.header
    version = experiment.version_a if arm == "a" else experiment.version_b
    try:
        tool = index.snapshot.resolve(ToolRef(header.tool_name.lower(), header.platform, version))
    except NotFoundError as error:
        return error.problems[0].message
    if not tool.header.is_usable:
        return f"{tool.label} is disabled"
    candidate = index.in_version(chosen, tool, asked_values(choice.need, choice.context))
    if candidate is None:
        return f"{tool.label} has no pattern {chosen.capability}/{chosen.pattern_name}"
    if chosen.is_executable and not candidate.is_executable:
        return f"{candidate.label} cannot be executed here"
    verdict = choice.ranking.demands.verdict(candidate)
    if not verdict.is_allowed:
        return f"{candidate.label}: {verdict.reason}"
    return Judged(candidate, verdict, choice.chosen.score)
