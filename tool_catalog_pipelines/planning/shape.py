"""The shape of a chain: names that are taken, order without data, cycles, width and depth.

Does not belong here: graphs in general (planning/dag.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from tool_catalog_pipelines.planning.dag import disjoint_cycles, levels
from tool_catalog_pipelines.planning.findings import Findings
from tool_catalog_pipelines.planning.plan import INPUTS
from tool_catalog_pipelines.spec.chain import ChainSpec, StepSpec
from tool_catalog_pipelines.spec.notes import name_hint

MAX_WIDTH = 100
MAX_DEPTH = 300
"""Beyond these the UI crawls: a measured limit of the web interface, not of execution."""


def check_names(spec: ChainSpec, findings: Findings) -> None:
    """No step and no item may be called `inputs`."""
    for step_id, step in spec.steps.items():
        if step_id == INPUTS:
            findings.add(
                ("steps", step_id),
                f"a step cannot be called {INPUTS}: the name means the inputs of the chain",
                "choose another name",
                "reserved_name",
            )
        if step.foreach is not None and step.foreach.as_ == INPUTS:
            findings.add(
                ("steps", step_id, "foreach", "as"),
                f"an item cannot be called {INPUTS}: the name means the inputs of the chain",
                "choose another name",
                "reserved_name",
            )


def check_needs(step_id: str, step: StepSpec, spec: ChainSpec, findings: Findings) -> None:
    """Every name under `needs` is another step."""
    for at, needed in enumerate(step.needs):
        where = ("steps", step_id, "needs", at)
        if needed == step_id:
            findings.add(where, f"step {step_id} needs itself", "remove it", "self_reference")
        elif needed not in spec.steps:
            findings.add(
                where, f"there is no step {needed!r}", name_hint(needed, spec.steps), "unknown_step"
            )


def check_graph(upstream: Mapping[str, tuple[str, ...]], findings: Findings) -> bool:
    """True if the steps can be ordered; cycles and excess of width or depth are noted."""
    cycles = disjoint_cycles(upstream)
    for path in cycles:
        findings.add(
            ("steps", path[0]),
            f"steps wait for each other: {' -> '.join(path)}",
            "a -> b means that b waits for a; remove one of the references or `needs`",
            "cycle",
        )
    if not cycles:
        _check_size(levels(upstream), findings)
    return not cycles


def _check_size(level_groups: tuple[tuple[str, ...], ...], findings: Findings) -> None:
    if len(level_groups) > MAX_DEPTH:
        findings.add(
            ("steps",),
            f"{len(level_groups)} steps wait for one another in a line; at most {MAX_DEPTH} can",
            "split the chain in two",
            "too_deep",
        )
    for number, group in enumerate(level_groups, 1):
        if len(group) > MAX_WIDTH:
            findings.add(
                ("steps", group[MAX_WIDTH]),
                f"level {number} has {len(group)} steps side by side; at most {MAX_WIDTH} can",
                "use one step with `foreach:` over a list, or split the chain",
                "too_wide",
            )
