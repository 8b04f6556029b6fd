"""Chain spec + catalogue snapshot -> Plan. Pure; reports every problem of the chain at once.

Belongs here: the sequence of checks and the assembly of the plan. Each check is a module of its
own: tool_use (which tool), arguments (what is passed), references (what is read), shape (names,
order, size).
"""

from __future__ import annotations

from collections.abc import Mapping

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.planning.arguments import check_arguments
from tool_catalog_pipelines.planning.dag import levels, ordered
from tool_catalog_pipelines.planning.findings import Findings
from tool_catalog_pipelines.planning.fingerprint import fingerprint
from tool_catalog_pipelines.planning.plan import Foreach, Plan, PlanStep, Reference, ValueExpr
from tool_catalog_pipelines.planning.references import References
from tool_catalog_pipelines.planning.scope import Scope, scope_of
from tool_catalog_pipelines.planning.shape import check_graph, check_names, check_needs
from tool_catalog_pipelines.planning.tool_use import ToolUse, resolve_use
from tool_catalog_pipelines.planning.values import parse_value, reference
from tool_catalog_pipelines.spec.chain import ChainSpec, StepSpec
from tool_catalog_pipelines.spec.load import Loaded


def build_plan(loaded: Loaded[ChainSpec], snapshot: CatalogSnapshot) -> Plan:
    """Resolve, check and order a chain.

    Args:
        loaded: the chain with the positions of its keys.
        snapshot: the catalogue to resolve tools in; the plan keeps references, not versions.

    Returns:
        The plan; its steps stand in an order in which they could run one after another.

    Raises:
        InvalidInputError: all problems of the chain, each with file, line and column.
    """
    spec = loaded.spec
    findings = Findings(loaded.document)
    check_names(spec, findings)
    uses = {
        step_id: resolve_use(step_id, step, snapshot, findings)
        for step_id, step in spec.steps.items()
        if step.tool is not None
    }
    scope = scope_of(spec, uses)
    steps = {
        step_id: _plan_step(step_id, spec, uses.get(step_id), scope, findings)
        for step_id in spec.steps
    }
    outputs = _outputs(spec, scope, findings)
    upstream = {step_id: step.upstream for step_id, step in steps.items()}
    check_graph(upstream, findings)
    if findings.problems:
        raise InvalidInputError(findings.problems)
    in_order = tuple(steps[step_id] for step_id in ordered(upstream))
    return Plan(
        chain=spec.chain,
        version=spec.version,
        description=spec.description,
        inputs=spec.inputs,
        steps=in_order,
        levels=levels(upstream),
        outputs=outputs,
        schedule=spec.schedule,
        parallel=spec.parallel,
        tags=spec.tags,
        fingerprint=fingerprint(spec, in_order, outputs),
        position=findings.position(("chain",)),
        content=loaded.document.value,
    )


def _plan_step(
    step_id: str, spec: ChainSpec, use: ToolUse | None, scope: Scope, findings: Findings
) -> PlanStep:
    """One step, checked. What could not be resolved is left empty; the plan is then not used."""
    step = spec.steps[step_id]
    where = ("steps", step_id)
    arguments = _arguments(step_id, step, findings)
    if use is not None:
        check_arguments(step_id, use, arguments, findings)
    check_needs(step_id, step, spec, findings)
    item = step.foreach.as_ if step.foreach else None
    data_from = References(step_id, item, scope, findings).of_step(where, step, arguments)
    return PlanStep(
        id=step_id,
        kind="transform" if step.tool is None else "tool",
        description=step.description,
        tool=use.ref if use else None,
        capability=use.capability if use else "",
        pattern=use.pattern_name if use else "",
        arguments=arguments,
        foreach=_foreach(step_id, step, findings),
        when=step.when,
        data_from=data_from,
        needs=tuple(dict.fromkeys(n for n in step.needs if n in scope.steps and n != step_id)),
        timeout_s=step.timeout_s,
        retry=step.retry,
        on_error=step.on_error,
        position=findings.position(where),
        when_position=findings.position((*where, "when")) if step.when else None,
    )


def _arguments(step_id: str, step: StepSpec, findings: Findings) -> dict[str, ValueExpr]:
    key, written = ("with", step.with_) if step.transform is None else ("transform", step.transform)
    return {
        name: parse_value(value, ("steps", step_id, key, name), findings)
        for name, value in written.items()
    }


def _foreach(step_id: str, step: StepSpec, findings: Findings) -> Foreach | None:
    if step.foreach is None:
        return None
    return Foreach(
        path=step.foreach.in_,
        as_=step.foreach.as_,
        max=step.foreach.max,
        parallel=step.foreach.parallel,
        position=findings.position(("steps", step_id, "foreach", "in")),
    )


def _outputs(spec: ChainSpec, scope: Scope, findings: Findings) -> Mapping[str, Reference]:
    outputs = {
        name: reference(written, ("outputs", name), findings)
        for name, written in spec.outputs.items()
    }
    tuple(References(None, None, scope, findings).of_values(("outputs",), outputs))
    return outputs
