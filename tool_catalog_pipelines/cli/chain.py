"""`tool-catalog chain ...`: list, check, explain and run chains."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tool_catalog_pipelines.catalog.sources import installed_snapshot
from tool_catalog_pipelines.cli.batch import (
    BatchOption,
    DocumentArgument,
    respond,
    respond_to_lines,
)
from tool_catalog_pipelines.cli.chain_progress import print_step
from tool_catalog_pipelines.cli.options import InputOption, JsonOption, parse_inputs
from tool_catalog_pipelines.cli.output import Screen
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.planning.explain import plan_as_json, plan_as_text
from tool_catalog_pipelines.planning.inputs import check_inputs
from tool_catalog_pipelines.settings import load_settings

app = typer.Typer(no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Name of the chain.")]


@app.command("list")
def list_chains(as_json: JsonOption = False) -> None:
    """List the chains of this installation."""
    from tool_catalog_pipelines.orchestration.chains import find_chains

    found = find_chains(load_settings())
    rows = [
        {
            "chain": p.chain,
            "version": p.version,
            "steps": len(p.steps),
            "description": p.description,
        }
        for p in found.plans
    ]
    screen = Screen(as_json)
    screen.result({"chains": rows, "problems": [str(p) for p in found.problems]})
    if not as_json:
        screen.table("", rows)
        screen.problems(found.problems)


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="Name of the chain; all if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check chains against the catalogue: every problem with file, line and column."""
    from tool_catalog_pipelines.orchestration.chains import find_chains

    found = find_chains(load_settings())
    problems = found.problems
    checked = [plan.chain for plan in found.plans]
    if name is not None:
        checked = [found.plan(name).chain]
        problems = ()
    screen = Screen(as_json)
    screen.result(
        {"checked": checked, "problems": [str(problem) for problem in problems]},
        f"{len(checked)} chain{'s' if len(checked) != 1 else ''} can run: {', '.join(checked)}",
    )
    if problems:
        raise InvalidInputError(problems)


@app.command()
def explain(name: NameArgument, as_json: JsonOption = False) -> None:
    """Print the plan of a chain: steps, data, conditions, estimates with their basis."""
    from tool_catalog_pipelines.orchestration.chains import find_chains

    settings = load_settings()
    snapshot = installed_snapshot(settings)
    plan = find_chains(settings, snapshot).plan(name)
    Screen(as_json).result(plan_as_json(plan, snapshot), plan_as_text(plan, snapshot))


@app.command()
def forecast(name: NameArgument, inputs: InputOption = None, as_json: JsonOption = False) -> None:
    """Say how long a run will take and what it will cost, as intervals from past executions."""
    from tool_catalog_pipelines.cli.chain_forecast import forecast_of
    from tool_catalog_pipelines.planning.simulation.chain_forecast_text import (
        forecast_as_json,
        forecast_as_text,
    )

    screen = Screen(as_json)
    found = forecast_of(name, parse_inputs(inputs or []), load_settings(), screen)
    screen.result(forecast_as_json(found), forecast_as_text(found))


@app.command()
def order(
    document: DocumentArgument = None, batch: BatchOption = False, as_json: JsonOption = False
) -> None:
    """Order steps that name what they wait for: {"steps": [["a", []], ["b", ["a"]]]}."""
    from tool_catalog_pipelines.cli.chain_order import order_answer, order_text

    if batch:
        respond_to_lines(order_answer, document)
        return
    found = respond(order_answer, document, as_json, order_text)
    if found["errors"] and not found["order"]:
        raise typer.Exit(2)


@app.command()
def run(name: NameArgument, inputs: InputOption = None, as_json: JsonOption = False) -> None:
    """Run a chain here and now; the run is visible in the Dagster UI like any other."""
    from tool_catalog_pipelines.cli.chain_forecast import time_of_run
    from tool_catalog_pipelines.cli.starting import started
    from tool_catalog_pipelines.orchestration.chains import find_chains
    from tool_catalog_pipelines.orchestration.instance import open_instance
    from tool_catalog_pipelines.orchestration.launch import run_chain

    settings = load_settings()
    screen = Screen(as_json)
    given = parse_inputs(inputs or [])
    with started(settings, screen) as catalog:
        plan = find_chains(settings).plan(name)
        checked = check_inputs(plan.inputs, given, f"chain {name}")
        given = {key: checked[key] for key in given}
        with open_instance(settings) as instance:
            outcome = run_chain(plan, given, settings, instance, print_step(screen))
        time = time_of_run(catalog, settings, outcome.run_id)
    document: dict[str, Any] = {
        "chain": plan.chain,
        "run_id": outcome.run_id,
        "status": "success" if outcome.succeeded else "failed",
        "steps": {step: result.status for step, result in outcome.steps.items()},
        "outputs": dict(outcome.outputs),
        "failures": dict(outcome.failures),
        **time.as_json(),
    }
    lines = [f"{key}: {value}" for key, value in outcome.outputs.items()]
    ending = f"run {outcome.run_id}: {document['status']}{time.as_text()}"
    screen.result(document, "\n".join([ending, *lines]))
    if not outcome.succeeded:
        # What failed in a step was said when the step ended; only the rest is news.
        if list(outcome.failures) == [""]:
            screen.say(outcome.failures[""], "red")
        screen.say("the run with its log is in the Dagster UI (make run)")
        raise typer.Exit(1)
