"""`tool-catalog select` and `assign`: the tool for a need, the arm for a unit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tool_catalog_pipelines.cli.batch import BatchOption, Document, respond, respond_to_lines
from tool_catalog_pipelines.cli.options import JsonOption, json_value, named
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.settings import load_settings

VarOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A variable of the estimates as name=number; may be repeated. The answer says "
        "which there are."
    ),
]
EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        help="Where it will run, as tools name it (production, staging, ...); "
        "TOOL_CATALOG_ENVIRONMENT if left out. The answer says if no tool names it."
    ),
]
PermissionOption = Annotated[
    list[str] | None,
    typer.Option(
        help="What you may do, may be repeated; read, write, execute and admin if left out."
    ),
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        help="What matters: fast, accurate, thorough, cheap, simple or balanced; "
        "from your words if left out."
    ),
]
WeightOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Instead of a mode, each as name=share: time, cost, complexity (that it is "
        "simple), accuracy, completeness; the sum is 1, what is left out counts nothing."
    ),
]
MaxCostOption = Annotated[float | None, typer.Option(help="Refuse what costs more cost units.")]
MaxTimeOption = Annotated[
    float | None, typer.Option(help="Refuse what takes longer, and what nobody knows the time of.")
]
PlatformOption = Annotated[
    str | None,
    typer.Option(help="linux, windows, network, ...: this platform, and tools for several."),
]
UserOption = Annotated[
    str | None, typer.Option(help="Who will run it, for experiments; you if left out.")
]
UnitOption = Annotated[
    str | None, typer.Option(help="The run, or run/step/item, for experiments by those.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("select")(select)
    app.command("assign")(assign)


def select(
    query: Annotated[str | None, typer.Option(help="What you want, in your words.")] = None,
    capability: Annotated[
        list[str] | None, typer.Option(help="What the tool must be able to do; any of several.")
    ] = None,
    var: VarOption = None,
    environment: EnvironmentOption = None,
    mode: ModeOption = None,
    weight: WeightOption = None,
    max_cost: MaxCostOption = None,
    max_time_ms: MaxTimeOption = None,
    permission: PermissionOption = None,
    platform: PlatformOption = None,
    executable: Annotated[bool, typer.Option(help="Only what can be executed here.")] = False,
    user: UserOption = None,
    unit: UnitOption = None,
    explain: Annotated[
        bool, typer.Option(help="Why this one, why not the others, what would change it.")
    ] = False,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Choose the tool, version and pattern for what you need."""
    from tool_catalog_pipelines.cli.select_answers import Session
    from tool_catalog_pipelines.selection.sentences import choice_as_text

    def document() -> Document:
        return {
            "query": query,
            "capability": capability,
            "var": _numbers(var, "--var"),
            "environment": environment,
            "mode": mode,
            "weights": _numbers(weight, "--weight"),
            "max_cost": max_cost,
            "max_time_ms": max_time_ms,
            "permissions": permission,
            "platform": platform,
            "executable": executable,
            "user": user,
            "unit": unit,
            "explain": explain,
        }

    with Session(load_settings()) as session:
        if batch:
            respond_to_lines(session.answer)
        elif as_json:
            respond(session.answer, document, as_json, str)
        else:
            choice, meaning = session.choose(document())
            Screen().result({}, choice_as_text(choice, meaning, is_long=explain))


def assign(
    experiment: Annotated[
        str | None, typer.Argument(help="Name of the experiment, as its file says.")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Argument(
            help="What the experiment assigns: the id of a run, a user, or run/step/item."
        ),
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="Where it runs; TOOL_CATALOG_ENVIRONMENT if left out.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Who runs it; you if left out.")] = None,
    batch: BatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell which arm of an experiment a unit belongs to."""
    from tool_catalog_pipelines.cli.select_answers import Session

    document = {
        "experiment": experiment, "unit": unit, "environment": environment, "user": user,
    }  # fmt: skip
    with Session(load_settings()) as session:
        if batch:
            respond_to_lines(session.assignment, experiment)
        else:
            respond(session.assignment, document, as_json, _arm)


def _numbers(texts: list[str] | None, option: str) -> dict[str, Any] | None:
    return {name: json_value(value) for name, value in named(texts, option).items()} or None


def _arm(found: dict[str, Any]) -> str:
    text = f"{found['unit']} belongs to arm {found['arm']}: {found['tool']} {found['version']}"
    return text if found["exposed"] else f"{text}; but {found['reason']}"
