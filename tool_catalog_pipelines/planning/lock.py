"""The run lock: which tool version and which experiment arm each step of one run gets.

Resolved once per run, before the first step; steps, retries and later resume read it. Belongs
here: the records, their JSON form, how they are filled. Does not belong here: which tools and
experiments apply to a step (planning/exposure.py), where the lock is stored (catalog/runs.py), how
an arm is drawn (selection/arms.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError
from tool_catalog_pipelines.planning.exposure import step_experiment, usable_tool
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.selection.arms import Arm, assign_arm
from tool_catalog_pipelines.selection.exposure import is_target
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.experiment import ExperimentSpec


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Who runs what, when: constant over all steps and attempts of one run."""

    tenant: str
    run_id: str
    run_started_at: datetime
    environment: str
    user: str


@dataclass(frozen=True, slots=True)
class ItemArms:
    """Both arms of an experiment whose unit is the item; each item draws its own.

    `run_id` is that of the run which was continued, so that its items keep their arms; None means
    this run.
    """

    experiment: str
    traffic_split: float
    version_a: str
    tool_id_a: int | None
    version_b: str
    tool_id_b: int | None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class LockedStep:
    """The tool version of one step. With `by_item`, version is arm a's until an item draws."""

    step: str
    tool_id: int | None
    platform: str
    tool_name: str
    version: str
    experiment: str | None = None
    arm: Arm | None = None
    by_item: ItemArms | None = None

    @property
    def ref(self) -> ToolRef:
        """The exact version, as a reference that a catalogue resolves."""
        return ToolRef(self.tool_name.lower(), self.platform, self.version)

    def for_item(self, run_id: str, item: str) -> LockedStep:
        """What one item of the step gets; the step itself unless arms are drawn by item."""
        if self.by_item is None:
            return self
        arms = self.by_item
        arm = item_arm(arms, run_id, self.step, item)
        version, tool_id = (
            (arms.version_a, arms.tool_id_a) if arm == "a" else (arms.version_b, arms.tool_id_b)
        )
        return dataclasses.replace(self, version=version, tool_id=tool_id, arm=arm, by_item=None)

    def continued(self, run_id: str) -> LockedStep:
        """The same decisions for a run that continues this one; `run_id` is that of this one."""
        if self.by_item is None or self.by_item.run_id is not None:
            return self
        return dataclasses.replace(self, by_item=dataclasses.replace(self.by_item, run_id=run_id))


@dataclass(frozen=True, slots=True)
class RunLock:
    """Everything about one run that must not change while it runs or when it is resumed."""

    identity: RunIdentity
    chain: str
    chain_version: str
    fingerprint: str
    inputs: Mapping[str, Any]
    steps: Mapping[str, LockedStep]
    catalog_revision: int

    def for_run(self, identity: RunIdentity) -> RunLock:
        """The same decisions for a run that continues this one."""
        before = self.identity.run_id
        steps = {name: step.continued(before) for name, step in self.steps.items()}
        return dataclasses.replace(self, identity=identity, steps=steps)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready mapping; the time is ISO 8601 with offset."""
        document = dataclasses.asdict(self)
        document["identity"]["run_started_at"] = self.identity.run_started_at.isoformat()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RunLock:
        """The inverse of `to_json`. Unknown keys (from a newer version) are ignored."""
        known = _known(cls, document)
        identity = _known(RunIdentity, document["identity"])
        identity["run_started_at"] = datetime.fromisoformat(identity["run_started_at"])
        known["identity"] = RunIdentity(**identity)
        known["steps"] = {step: _step(record) for step, record in document["steps"].items()}
        return cls(**known)


def _step(record: Mapping[str, Any]) -> LockedStep:
    known = _known(LockedStep, record)
    if known.get("by_item") is not None:
        known["by_item"] = ItemArms(**_known(ItemArms, known["by_item"]))
    return LockedStep(**known)


def _known(kind: type[Any], record: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in record.items() if name in names}


def item_arm(by_item: ItemArms, run_id: str, step: str, item: str) -> Arm:
    """The arm of one item of one step of one run; the same in every process and attempt."""
    unit = f"{by_item.run_id or run_id}/{step}/{item}"
    return assign_arm(by_item.experiment, unit, by_item.traffic_split)


def resolve_run_lock(
    plan: Plan, snapshot: CatalogSnapshot, identity: RunIdentity, inputs: Mapping[str, Any]
) -> RunLock:
    """Decide version and arm of every tool step, once for the whole run.

    Args:
        plan: what will run.
        snapshot: the catalogue as it is now.
        identity: the run; experiments are matched against its environment and user.
        inputs: the checked inputs of the chain (planning/inputs.py).

    Raises:
        NotFoundError: a tool, version or arm does not exist (any more).
        InvalidInputError: a tool is disabled or lacks the pattern that the plan uses, or has
            several active experiments. Both carry the problems of all steps.
    """
    locked: dict[str, LockedStep] = {}
    refusals: list[InvalidInputError] = []
    for step in plan.steps:
        if step.tool is None:
            continue
        try:
            locked[step.id] = _lock_step(step, step.tool, snapshot, identity)
        except InvalidInputError as refusal:
            refusals.append(refusal)
    if refusals:
        raise _joined(refusals)
    return RunLock(
        identity=identity,
        chain=plan.chain,
        chain_version=plan.version,
        fingerprint=plan.fingerprint,
        inputs=dict(inputs),
        steps=locked,
        catalog_revision=snapshot.revision,
    )


def _joined(refusals: Iterable[InvalidInputError]) -> InvalidInputError:
    refusals = tuple(refusals)
    problems = [problem for refusal in refusals for problem in refusal.problems]
    all_missing = all(isinstance(refusal, NotFoundError) for refusal in refusals)
    return (NotFoundError if all_missing else InvalidInputError)(problems)


def _lock_step(
    step: PlanStep, ref: ToolRef, snapshot: CatalogSnapshot, identity: RunIdentity
) -> LockedStep:
    tool = usable_tool(step, ref, snapshot)
    locked = LockedStep(
        step=step.id,
        tool_id=tool.tool_id,
        platform=tool.spec.platform,
        tool_name=tool.spec.tool_name,
        version=tool.spec.version,
    )
    experiment = step_experiment(step, ref, tool, snapshot)
    if experiment is None or not is_target(experiment, identity.environment, identity.user):
        return locked
    return _exposed(step, locked, experiment, snapshot, identity)


def _exposed(
    step: PlanStep,
    locked: LockedStep,
    experiment: ExperimentSpec,
    snapshot: CatalogSnapshot,
    identity: RunIdentity,
) -> LockedStep:
    """The step with the arm that its unit draws, or with both arms if every item draws."""
    tool_a = _arm_tool(step, locked, experiment, "a", snapshot)
    tool_b = _arm_tool(step, locked, experiment, "b", snapshot)
    name, split = experiment.experiment, experiment.traffic_split
    if experiment.unit == "item":
        arms = ItemArms(
            experiment=name,
            traffic_split=split,
            version_a=tool_a.spec.version,
            tool_id_a=tool_a.tool_id,
            version_b=tool_b.spec.version,
            tool_id_b=tool_b.tool_id,
        )
        return dataclasses.replace(
            locked,
            tool_id=tool_a.tool_id,
            version=tool_a.spec.version,
            experiment=name,
            by_item=arms,
        )
    arm = assign_arm(name, identity.run_id if experiment.unit == "run" else identity.user, split)
    tool = tool_a if arm == "a" else tool_b
    return dataclasses.replace(
        locked, tool_id=tool.tool_id, version=tool.spec.version, experiment=name, arm=arm
    )


def _arm_tool(
    step: PlanStep,
    locked: LockedStep,
    experiment: ExperimentSpec,
    arm: Arm,
    snapshot: CatalogSnapshot,
) -> CatalogTool:
    version = experiment.version_a if arm == "a" else experiment.version_b
    ref = ToolRef(locked.tool_name.lower(), locked.platform, version)
    return usable_tool(step, ref, snapshot, f"experiment {experiment.experiment}, arm {arm}: ")
