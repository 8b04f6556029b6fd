"""A tool has one active experiment: by command, by files, in `validate`, and for two at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import make_experiment, make_tool_spec
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.catalog.importer import ImportRules, import_catalog
from tool_catalog_pipelines.catalog.validation import check_files
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import Settings, child_environment

HELD = r"'first'.* already"
ADVICE = (
    "a tool has one active experiment: set the status of first to completed or cancelled, or that "
    "of second to draft"
)
WRITER = """
import json, sys
from tool_catalog_pipelines.catalog.connect import open_catalog
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.settings import load_settings
from tool_catalog_pipelines.spec.experiment import ExperimentSpec

with open_catalog(load_settings()) as catalog:
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            saved = catalog.editor.save_experiment(ExperimentSpec(**json.loads(line)), "test")
            print(saved.outcome, flush=True)
        except InvalidInputError as error:
            print(error.problems[0].message, flush=True)
"""


def save_tools(catalog: Catalog, *names: str) -> None:
    for name in names:
        catalog.editor.save_tool(make_tool_spec(f"{name}@1.0.0"), "test")
        catalog.editor.save_tool(make_tool_spec(f"{name}@1.1.0", time_estimate_ms="2"), "test")


@pytest.fixture
def held(catalog: Catalog) -> Catalog:
    """A catalogue in which the experiment `first` holds linux/echo."""
    save_tools(catalog, "linux/echo")
    catalog.editor.save_experiment(make_experiment("first"), "test")
    return catalog


def active(catalog: Catalog) -> set[str]:
    statement = "SELECT test_name FROM tool_catalog.tool_ab_tests WHERE status = 'active'"
    with catalog.store.reading() as connection:
        return set(connection.execute(text(statement)).scalars())


def write(folder: Path, name: str, file: str = "", **more: Any) -> None:
    path = folder / "experiments" / (file or f"{name}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    document = make_experiment(name, **more).model_dump(mode="json", exclude_defaults=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.mark.parametrize("tool", ["linux/echo", "echo", "Echo", "linux/ECHO"])
def test_a_second_one_is_refused_however_the_tool_is_written(held: Catalog, tool: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{tool} is in the active experiment {HELD}") as e:
        held.editor.save_experiment(make_experiment("second", tool=tool), "test")
    assert e.value.problems[0].hint == ADVICE
    assert active(held) == {"first"}


def test_a_bare_name_that_came_first_holds_the_tool_too(catalog: Catalog) -> None:
    save_tools(catalog, "linux/echo")
    catalog.editor.save_experiment(make_experiment("first", tool="ECHO"), "test")
    with pytest.raises(InvalidInputError, match=HELD):
        catalog.editor.save_experiment(make_experiment("second"), "test")


@pytest.mark.parametrize("status", ["draft", "completed", "cancelled"])
def test_activating_one_that_was_not_is_refused(held: Catalog, status: Any) -> None:
    held.editor.save_experiment(make_experiment("second", status=status), "test")
    with pytest.raises(InvalidInputError, match=HELD):
        held.editor.save_experiment(make_experiment("second"), "test")
    held.editor.save_experiment(make_experiment("first", status="completed"), "test")
    assert held.editor.save_experiment(make_experiment("second"), "test").outcome == "updated"
    assert active(held) == {"second"}


def test_moving_an_active_one_to_a_tool_that_is_held_is_refused(held: Catalog) -> None:
    save_tools(held, "linux/cat")
    held.editor.save_experiment(make_experiment("second", tool="linux/cat"), "test")
    with pytest.raises(InvalidInputError, match=HELD):
        held.editor.save_experiment(make_experiment("second"), "test")


def test_another_tenants_experiment_on_the_same_tool_is_its_own_affair(
    held: Catalog, settings: Settings
) -> None:
    with open_catalog(replace(settings, tenant="acme")) as acme:
        assert acme.editor.save_experiment(make_experiment("second"), "test").outcome == "created"
        assert [e.experiment for e in acme.seen().seen_experiments] == ["second"]
    assert [e.experiment for e in held.seen().seen_experiments] == ["first"]


def test_a_tool_of_that_name_on_another_platform_has_no_part(catalog: Catalog) -> None:
    save_tools(catalog, "linux/echo")
    catalog.editor.save_experiment(make_experiment("first", tool="echo"), "test")
    save_tools(catalog, "windows/echo")
    (seen,) = catalog.publish().seen_experiments
    assert seen.tool == "linux/echo"
    second = make_experiment("second", tool="windows/echo")
    assert catalog.editor.save_experiment(second, "test").outcome == "created"


def test_a_file_is_refused_with_who_holds_the_tool(held: Catalog) -> None:
    folder = held.settings.catalog_dir
    write(folder, "second", tool="echo")
    report = import_catalog(held)
    (problem,) = report.refused["experiments/second.yaml"]
    assert (problem.hint, problem.position and problem.position.file) == (
        ADVICE,
        "experiments/second.yaml",
    )
    assert "'first'" in problem.message
    assert active(held) == {"first"}
    write(folder, "second", tool="echo", status="draft")
    assert import_catalog(held).refused == {}


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_of_two_files_in_one_import_one_holds(catalog: Catalog, is_dry_run: bool) -> None:
    save_tools(catalog, "linux/echo")
    write(catalog.settings.catalog_dir, "first")
    write(catalog.settings.catalog_dir, "second", tool="Echo")
    report = import_catalog(catalog, rules=ImportRules(is_dry_run=is_dry_run))
    assert [line.label for line in report.imported] == ["first"]
    assert list(report.refused) == ["experiments/second.yaml"]
    assert active(catalog) == (set() if is_dry_run else {"first"})


@pytest.mark.parametrize(("ends", "begins"), [("alpha", "beta"), ("beta", "alpha")])
def test_one_import_ends_an_experiment_and_begins_the_next(
    catalog: Catalog, ends: str, begins: str
) -> None:
    folder = catalog.settings.catalog_dir
    save_tools(catalog, "linux/echo")
    write(folder, ends)
    import_catalog(catalog)
    write(folder, ends, status="completed")
    write(folder, begins)
    assert import_catalog(catalog).refused == {}
    assert active(catalog) == {begins}


def problems_of(catalog: Catalog) -> dict[str, list[tuple[str, str]]]:
    checked = check_files(catalog.settings.catalog_dir, catalog.seen())
    return {one.file: [(p.code, p.message) for p in one.problems] for one in checked}


def test_validate_says_it_before_an_import(held: Catalog) -> None:
    folder = held.settings.catalog_dir
    write(folder, "second", tool="Echo")
    message = "Echo is in the active experiment 'first' already"
    found = problems_of(held)
    assert found == {"experiments/second.yaml": [("second_experiment", message)]}
    write(folder, "second", status="draft")
    assert problems_of(held) == {"experiments/second.yaml": []}


def test_validate_compares_the_files_with_each_other(catalog: Catalog) -> None:
    folder = catalog.settings.catalog_dir
    save_tools(catalog, "linux/echo", "linux/cat")
    write(folder, "first")
    write(folder, "other", tool="cat")
    write(folder, "second", tool="echo")
    write(folder, "third", tool="linux/ECHO")
    message = "{} is in the active experiment 'first' (experiments/first.yaml) already"
    assert problems_of(catalog) == {
        "experiments/first.yaml": [],
        "experiments/other.yaml": [],
        "experiments/second.yaml": [("second_experiment", message.format("echo"))],
        "experiments/third.yaml": [("second_experiment", message.format("linux/ECHO"))],
    }


def test_validate_takes_the_files_word_over_what_was_imported(held: Catalog) -> None:
    folder = held.settings.catalog_dir
    write(folder, "first", status="completed")
    write(folder, "second")
    assert all(not problems for problems in problems_of(held).values())
    assert import_catalog(held).refused == {}


def test_the_database_refuses_a_second_one_whoever_writes(held: Catalog) -> None:
    copy = """
        INSERT INTO tool_catalog.tool_ab_tests (tenant, test_name, description, platform, tool_key,
            tool_a_id, tool_b_id, unit, traffic_split, metric, minimum_sample_per_arm, alpha,
            status, content_hash, spec, created_by, updated_by)
        SELECT tenant, 'second', description, platform, tool_key, tool_a_id, tool_b_id, unit,
            traffic_split, metric, minimum_sample_per_arm, alpha, :status, content_hash, spec,
            created_by, updated_by
        FROM tool_catalog.tool_ab_tests
    """
    with pytest.raises(IntegrityError, match="uq_tool_ab_tests_active"), held.engine.begin() as one:
        one.execute(text(copy), {"status": "active"})
    with held.engine.begin() as one:
        one.execute(text(copy), {"status": "draft"})
    assert active(held) == {"first"}


Writer = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def writer(settings: Settings) -> Any:
    """Starts processes that save the experiments that they are told; ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER],
            env={**os.environ, **child_environment(settings)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_two_processes_at_once_one_wins(catalog: Catalog, writer: Writer) -> None:
    """Each is told about a tool before either has answered."""
    rounds = 25
    save_tools(catalog, *(f"linux/tool{number}" for number in range(rounds)))
    processes = [writer(), writer()]
    assert [said(process) for process in processes] == ["ready", "ready"]
    for number in range(rounds):
        tool = f"linux/tool{number}"
        order = (0, 1) if number % 2 else (1, 0)
        for who in order:
            spec = make_experiment(f"e{number}_{who}", tool=tool).model_dump(mode="json")
            told(processes[who], json.dumps(spec))
        answers = [said(process) for process in processes]
        assert answers.count("created") == 1, answers
        winner = answers.index("created")
        refused = f"{tool} is in the active experiment 'e{number}_{winner}' already"
        assert answers[1 - winner] == refused
    assert len(active(catalog)) == rounds
