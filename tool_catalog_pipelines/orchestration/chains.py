"""Finding chains: files -> plans, good ones and broken ones apart.

Used by the code location, the command line and the run workers, so that all see the same chains.
"""

from __future__ import annotations

from dataclasses import dataclass

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError, Problem
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.planning.build import build_plan
from tool_catalog_pipelines.planning.plan import Plan
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.load import load_chain, yaml_files


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains of an installation: those that can run, and the problems of those that cannot."""

    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    broken_files: tuple[str, ...]

    def plan(self, name: str) -> Plan:
        """The plan of that name.

        Raises:
            NotFoundError: there is none; lists those that exist.
            InvalidInputError: its file is broken.
        """
        for plan in self.plans:
            if plan.chain == name:
                return plan
        of_file = [p for p in self.problems if p.position and name in p.position.file]
        if of_file:
            raise InvalidInputError(of_file)
        known = ", ".join(plan.chain for plan in self.plans) or "none"
        raise NotFoundError.one(f"there is no chain {name!r}", f"known chains: {known}")


def find_chains(settings: Settings, snapshot: CatalogSnapshot | None = None) -> Chains:
    """Read every chain file; a broken file never hides the others, a duplicate name is broken."""
    catalogue = snapshot or installed_snapshot(settings)
    plans: dict[str, Plan] = {}
    problems: list[Problem] = []
    broken: list[str] = []
    for folder in settings.chain_dirs:
        for path in yaml_files(folder):
            try:
                plan = build_plan(load_chain(path), catalogue)
                _check_name(plan, plans)
            except InvalidInputError as error:
                problems.extend(error.problems)
                broken.append(str(path))
            else:
                plans[plan.chain] = plan
    return Chains(tuple(plans.values()), tuple(problems), tuple(broken))


def _check_name(plan: Plan, plans: dict[str, Plan]) -> None:
    if plan.chain in naming.OWN_JOBS:
        raise InvalidInputError.one(
            f"the chain {plan.chain!r} has the name of a job of the catalogue itself",
            "give it another name",
            plan.position,
        )
    other = plans.get(plan.chain)
    if other is not None:
        raise InvalidInputError.one(
            f"the chain {plan.chain!r} exists already in {other.position}",
            "give one of the two another name",
            plan.position,
        )
