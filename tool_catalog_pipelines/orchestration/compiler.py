"""Plan -> Dagster job: one op per step, data edges, typed launchpad configuration.

The only place where a Plan becomes a Dagster object. What an op does when it runs is in
orchestration/op_body.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.orchestration import naming
from tool_catalog_pipelines.orchestration.chain_run import chain_run_resource
from tool_catalog_pipelines.orchestration.executor import chain_executor
from tool_catalog_pipelines.orchestration.op_body import make_compute
from tool_catalog_pipelines.orchestration.outputs import step_output_io_manager
from tool_catalog_pipelines.orchestration.typed import graph_job
from tool_catalog_pipelines.planning.explain import plan_as_text
from tool_catalog_pipelines.planning.inputs import check_inputs
from tool_catalog_pipelines.planning.plan import Plan, PlanStep
from tool_catalog_pipelines.spec.base import TypeName
from tool_catalog_pipelines.spec.chain import ChainInputSpec

_CONFIG_TYPES: Mapping[TypeName, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def compile_plan(plan: Plan) -> dg.JobDefinition:
    """The job of a chain. Its configuration is `inputs: {...}` and, optionally, `execution`."""
    graph = dg.GraphDefinition(
        name=naming.job_name(plan.chain),
        description=plan.description,
        node_defs=[_op(plan, step) for step in plan.steps],
        dependencies={
            dg.NodeInvocation(naming.op_name(plan.chain, step.id), alias=step.id): _edges(step)
            for step in plan.steps
        },
    )
    return graph_job(
        graph,
        description=_description(plan),
        config=_config_mapping(plan),
        executor_def=chain_executor,
        resource_defs={
            naming.CHAIN_RUN: chain_run_resource(plan),
            "io_manager": step_output_io_manager(),
        },
        tags={
            naming.TAG_CHAIN: plan.chain,
            naming.TAG_CHAIN_VERSION: plan.version,
            naming.TAG_FINGERPRINT: plan.fingerprint,
            **plan.tags,
        },
        metadata={"plan": dg.MetadataValue.md(f"```\n{plan_as_text(plan, None)}\n```")},
    )


def _op(plan: Plan, step: PlanStep) -> dg.OpDefinition:
    ins = {name: dg.In(input_manager_key="io_manager") for name in step.data_from}
    orders = {naming.order_input(name): dg.In(dg.Nothing) for name in step.needs if name not in ins}
    return dg.OpDefinition(
        name=naming.op_name(plan.chain, step.id),
        description=step.description or _what_it_does(step),
        compute_fn=make_compute(plan, step),
        ins={**ins, **orders},
        outs={naming.RESULT: dg.Out(io_manager_key="io_manager")},
        required_resource_keys={naming.CHAIN_RUN},
        code_version=plan.fingerprint,
        tags={"kind": step.tool.platform or "tool" if step.tool else "transform"},
    )


def _edges(step: PlanStep) -> dict[str, dg.DependencyDefinition]:
    data = {name: dg.DependencyDefinition(name, naming.RESULT) for name in step.data_from}
    order = {
        naming.order_input(name): dg.DependencyDefinition(name, naming.RESULT)
        for name in step.needs
        if name not in data
    }
    return {**data, **order}


def _what_it_does(step: PlanStep) -> str:
    if step.tool is None:
        return "Reshapes outputs of earlier steps; executes nothing."
    each = f", once for each of {step.foreach.path}" if step.foreach else ""
    condition = f", when {step.when}" if step.when else ""
    return f"{step.tool} ({step.capability}/{step.pattern}){each}{condition}"


def _description(plan: Plan) -> str:
    return f"{plan.description}\n\nChain version {plan.version}, plan {plan.fingerprint[:12]}."


def _config_mapping(plan: Plan) -> dg.ConfigMapping:
    """Launchpad form of the chain's inputs; wrong values are refused before the run starts."""

    def to_run_config(config: Mapping[str, Any]) -> dict[str, Any]:
        given: Mapping[str, Any] = config.get("inputs", {})
        try:
            inputs = check_inputs(plan.inputs, given, f"chain {plan.chain}")
        except InvalidInputError as error:
            # Dagster shows its own errors as they are, and wraps all others.
            raise dg.DagsterInvalidConfigError(str(error), [], dict(given)) from None
        run_config: dict[str, Any] = {
            "resources": {naming.CHAIN_RUN: {"config": {"inputs": inputs}}},
            "loggers": {"console": {"config": {"log_level": config["log_level"]}}},
        }
        if config.get("execution"):
            run_config["execution"] = {"config": config["execution"]}
        return run_config

    schema: dict[str, Any] = {
        "inputs": dg.Field(
            {name: _input_field(spec) for name, spec in plan.inputs.items()},
            is_required=any(spec.is_required for spec in plan.inputs.values()),
            description="Inputs of the chain",
        ),
        "execution": dg.Field(
            dg.Permissive({}),
            is_required=False,
            description="Executor: threads (default), in_process or multiprocess, with options",
        ),
        "log_level": dg.Field(str, default_value="INFO", description="Console log level"),
    }
    return dg.ConfigMapping(config_fn=to_run_config, config_schema=schema)


def _input_field(spec: ChainInputSpec) -> dg.Field:
    allowed = f" One of: {', '.join(map(str, spec.allowed_values))}." if spec.allowed_values else ""
    limits = f" From {spec.range[0]:g} to {spec.range[1]:g}." if spec.range else ""
    description = f"{spec.description}.{allowed}{limits}"
    config_type: Any = _CONFIG_TYPES[spec.type]
    if spec.is_required:
        return dg.Field(config_type, description=description)
    if spec.default is None:
        return dg.Field(dg.Noneable(config_type), default_value=None, description=description)
    return dg.Field(config_type, default_value=spec.default, description=description)
