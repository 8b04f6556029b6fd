"""Jobs whose launchpad form is a pydantic model, checked whole before the run starts.

Dagster by itself checks keys and types when a run is launched, and what a model's validators say
only when the op runs. Here the model is the job's own form, and the mapping from form to run
configuration, which Dagster does at every launch, runs the validators. Texts are texts: Dagster's
own form of a model would also take `{env: NAME}`, and so show variables of the server to anybody
who may launch. Does not belong here: forms and ops (defs/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args, get_origin

import dagster as dg
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tool_catalog_pipelines.orchestration.resources import shared_resources
from tool_catalog_pipelines.orchestration.typed import graph_job, model_fields


def launchpad_job(name: str, op: dg.OpDefinition, form: type[dg.Config]) -> dg.JobDefinition:
    """The job of one op, configured by the fields of the form and nothing else.

    Args:
        name: of the job.
        op: takes the form as its configuration.
        form: its fields are the launchpad; its validators refuse a launch.
    """
    graph = dg.GraphDefinition(name=name, description=op.description, node_defs=[op])
    return graph_job(
        graph,
        description=op.description,
        config=form_of_op(name, op.name, form),
        executor_def=dg.in_process_executor,
        resource_defs={**shared_resources(), "io_manager": dg.mem_io_manager},
    )


def form_of_op(job: str, op: str, form: type[dg.Config]) -> dg.ConfigMapping:
    """The fields of a form as the whole configuration of a job; they become that of one op."""

    def to_run_config(given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            checked = form(**given)
        except ValidationError as error:
            # Dagster shows its own errors as they are, and wraps all others.
            message = f"{job} was not started:\n{_problems(error)}"
            raise dg.DagsterInvalidConfigError(message, [], dict(given)) from None
        return {"ops": {op: {"config": checked.model_dump(mode="json")}}}

    schema = {name: _field(info) for name, info in model_fields(form).items()}
    return dg.ConfigMapping(config_fn=to_run_config, config_schema=schema)


def _field(info: FieldInfo) -> dg.Field:
    """A field of a form as Dagster shows and checks it."""
    kind: Any = info.annotation
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        # Dagster tells choices apart by their name, and shows it.
        kind = dg.Enum(" | ".join(choices), [dg.EnumValue(choice) for choice in choices])
    elif get_origin(kind) is list:
        kind = [str]
    if info.is_required():
        return dg.Field(kind, description=info.description)
    return dg.Field(kind, default_value=info.default, description=info.description)


def _problems(error: ValidationError) -> str:
    """Every problem on a line of its own, by field."""
    lines: list[str] = []
    for problem in error.errors(include_url=False):
        field = ".".join(map(str, problem["loc"]))
        said = cast("Exception | None", problem.get("ctx", {}).get("error"))
        lines.append(f"- {field or 'together'}: {said or problem['msg']}")
    return "\n".join(lines)
