"""Which experiment a tool is in, who takes part in it, and which arm a unit gets.

Pure, and the one place that knows: the run lock, `select` and `assign` all ask here. Does not
belong here: the hash (arms.py), what a step or a choice makes of an arm (planning/exposure.py,
exposed_choice.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError
from tool_catalog_pipelines.selection.arms import Arm, assign_arm
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.experiment import ExperimentSpec

_HOW_TO_NAME: Mapping[str, str] = {
    "user": "give the user with --user, or as `user`",
    "run": "give the id of the run with --unit, or as `unit`",
    "item": "give run/step/item with --unit, or as `unit`",
}
_PARTS: Mapping[str, int] = {"run": 1, "item": 3}
"""Of what is written with strokes between: another unit would draw an arm that no run has."""
_NOT_ACTIVE: Mapping[str, str] = {
    "draft": "the experiment is a draft: nobody takes part before its status is active",
    "completed": "the experiment is completed: everybody gets the version that latest means",
    "cancelled": "the experiment is cancelled: everybody gets the version that latest means",
}


@dataclass(frozen=True, slots=True)
class Exposure:
    """A unit in an experiment.

    Attributes:
        experiment: the experiment.
        unit: what is hashed; None if nobody named it.
        arm: the arm of the unit, also of one that takes no part; None without a unit.
        reason: why the unit takes no part; empty if it does.
    """

    experiment: ExperimentSpec
    unit: str | None
    arm: Arm | None
    reason: str = ""

    @property
    def is_exposed(self) -> bool:
        """Whether the unit takes part."""
        return not self.reason

    @property
    def version(self) -> str | None:
        """The version of the arm."""
        if self.arm is None:
            return None
        return self.experiment.version_a if self.arm == "a" else self.experiment.version_b

    def to_json(self) -> dict[str, Any]:
        """For programs; the arm of a unit that takes no part is null, so that nobody uses it."""
        return {
            "name": self.experiment.experiment,
            "arm": self.arm if self.is_exposed else None,
            "unit_kind": self.experiment.unit,
            "unit": self.unit,
            "version_a": self.experiment.version_a,
            "version_b": self.experiment.version_b,
            "exposed": self.is_exposed,
            "reason": self.reason or None,
        }


def active_experiment(tool: CatalogTool, snapshot: CatalogSnapshot) -> ExperimentSpec | None:
    """The active experiment on a tool.

    Raises:
        InvalidInputError: it has several, which files that were never imported can say.
    """
    header = tool.header
    ref = ToolRef(header.tool_name.lower(), header.platform)
    active = [
        experiment
        for experiment in snapshot.seen_experiments
        if experiment.status == "active" and experiment.is_on(ref)
    ]
    if len(active) > 1:
        names = ", ".join(sorted(experiment.experiment for experiment in active))
        raise InvalidInputError.one(
            f"{ref} has several active experiments: {names}",
            "set the status of all but one to draft, completed or cancelled",
        )
    return active[0] if active else None


def experiment_named(name: str, snapshot: CatalogSnapshot) -> ExperimentSpec:
    """An experiment that is seen, whatever its status.

    Raises:
        NotFoundError: there is none of that name.
    """
    known = {spec.experiment: spec for spec in snapshot.seen_experiments}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, n=3)
    hint = f"near: {', '.join(near)}" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    raise NotFoundError.one(f"there is no experiment {name!r}", hint)


def is_target(experiment: ExperimentSpec, environment: str, user: str) -> bool:
    """True if runs of this user in this environment take part."""
    in_environment = experiment.target_environment in (None, environment)
    return in_environment and (not experiment.target_users or user in experiment.target_users)


def exposure_of(
    experiment: ExperimentSpec, environment: str, user: str, unit: str | None
) -> Exposure:
    """The arm of a unit, and whether it takes part.

    Args:
        experiment: the experiment, active or not.
        environment: where the tool will run.
        user: who runs it.
        unit: the run, user or item, as the experiment says; nothing is drawn without.
    """
    arm = assign_arm(experiment.experiment, unit, experiment.traffic_split) if unit else None
    return Exposure(experiment, unit or None, arm, _left_out(experiment, environment, user, unit))


def _left_out(experiment: ExperimentSpec, environment: str, user: str, unit: str | None) -> str:
    """Why a unit takes no part; empty if it does."""
    if experiment.status != "active":
        return _NOT_ACTIVE[experiment.status]
    if not is_target(experiment, environment, user):
        return f"runs of {user or 'nobody'} in {environment} take no part"
    if not unit:
        return f"its unit is the {experiment.unit}; {_HOW_TO_NAME[experiment.unit]}"
    parts = _PARTS.get(experiment.unit)
    if parts is not None and unit.count("/") + 1 != parts:
        return f"{unit!r} is no {experiment.unit}; {_HOW_TO_NAME[experiment.unit]}"
    return ""
