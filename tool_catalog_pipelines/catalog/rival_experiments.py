"""Files that would give a tool a second active experiment, found without a database.

Does not belong here: the refusal when an experiment is saved (experiment_rows.py), other checks of
files (validation.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tool_catalog_pipelines.catalog.records import SHARED
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import NotFoundError, Position, Problem
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.experiment import ExperimentSpec


@dataclass(frozen=True, slots=True)
class ExperimentFile:
    """An experiment, its file, and where it names its tool."""

    file: str
    spec: ExperimentSpec
    position: Position


def only_one_active(holder: str, refused: str) -> str:
    """What to do about a second active experiment."""
    return (
        f"a tool has one active experiment: set the status of {holder} to completed or cancelled, "
        f"or that of {refused} to draft"
    )


def second_experiments(
    files: Sequence[ExperimentFile], known: CatalogSnapshot
) -> dict[str, list[Problem]]:
    """Problems by file: its experiment is active on a tool that another one holds.

    Args:
        files: the experiments of the files, in their order; they replace installed ones of the
            same name.
        known: the catalogue with the tools of the files.
    """
    names = {one.spec.experiment for one in files}
    holders = [(spec, "") for spec in _installed(known) if spec.experiment not in names]
    found: dict[str, list[Problem]] = {}
    for one in files:
        if one.spec.status != "active":
            continue
        ref = _resolved(one.spec, known)
        held = next((h for h in holders if h[0].is_on(ref)), None)
        if held is None:
            holders.append((one.spec, f" ({one.file})"))
        elif held[0].experiment != one.spec.experiment:
            name = held[0].experiment
            message = f"{one.spec.tool} is in the active experiment {name!r}{held[1]} already"
            hint = only_one_active(name, one.spec.experiment)
            problem = Problem(message, one.position, hint, "second_experiment")
            found.setdefault(one.file, []).append(problem)
    return found


def _installed(known: CatalogSnapshot) -> Iterator[ExperimentSpec]:
    """The active experiments of the tenant itself."""
    own = (spec for tenant, spec in known.own_experiments if tenant == known.tenant)
    mine = known.experiments if known.tenant == SHARED else own
    return (spec for spec in mine if spec.status == "active")


def _resolved(spec: ExperimentSpec, known: CatalogSnapshot) -> ToolRef:
    """The tool with its platform; as it is written where there is none such, said elsewhere."""
    ref = parse_tool_ref(spec.tool)
    try:
        platform, name = known.versions(ref)[0].header.key
    except NotFoundError:
        return ref
    return ToolRef(name, platform)
