"""`select`, `selection ...`, `chain order` and `assign` as a person and a program use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import make_experiment, make_tool_spec

from tool_catalog_pipelines.settings import Settings, child_environment

Run = Callable[..., subprocess.CompletedProcess[str]]


def write(settings: Settings, kind: str, name: str, spec: Any) -> None:
    folder = settings.catalog_dir / kind
    folder.mkdir(parents=True, exist_ok=True)
    document = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.fixture
def run(settings: Settings) -> Run:
    """Runs a command on two versions of a tool, a slower other tool, and an experiment."""
    variables = {"N": {"unit": "count", "default": 10}}
    for at, estimate in (
        ("linux/echo@1.0.0", "10"),
        ("linux/echo@1.1.0", "20 + 0 * N"),
        ("linux/shout@1.0.0", "10000 + N"),
        ("linux/dear@1.0.0", "20 + 0 * N"),
    ):
        more: dict[str, Any] = {}
        if "dear" in at:
            more = {"cost_estimate": "9", "policy": {"max_cost": 5}}
        if "N" in estimate:
            more["variables"] = variables
        spec = make_tool_spec(at, time_estimate_ms=estimate, **more)
        write(settings, "tools", at.replace("/", "_"), spec)
    write(
        settings, "experiments", "faster_echo", make_experiment(target_users=["ann"], unit="user")
    )

    def call(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *arguments],
            env={**os.environ, **child_environment(settings)},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done

    return call


def test_select_gives_tool_estimates_hints_and_explanation(run: Run) -> None:
    done = run("select", "--capability", "use", "--query", "quick, all", "--json")
    found = json.loads(done.stdout)
    assert (found["tool"], found["version"], found["pattern"]) == ("linux/echo", "1.1.0", "run")
    assert found["estimates"]["time_ms"]["origin"] == "declared"
    assert found["hints"]["execution_mode"] == "immediate"
    assert found["alternatives"] == ["shout.run"]
    assert found["explanation"]["ranking"][1]["time_ms"]["value"] == 11_000
    assert found["explanation"]["refused"][0]["tool"] == "linux/dear"
    told = run("select", "--capability", "use", "--query", "quick", "--explain").stdout
    for part in ("linux/echo 1.1.0", "Why this one", "Why not the others", "What would change"):
        assert part in told


def test_select_finds_the_capability_for_words(run: Run) -> None:
    assert run("import").returncode == 0
    found = json.loads(run("select", "--query", "shout", "--json").stdout)
    assert found["found_by"]["tool"] == "linux/shout"
    assert found["capability"] == "use"


def test_select_refuses_words_that_mean_nothing_here(run: Run) -> None:
    assert (
        "import" in json.loads(run("select", "--query", "shout", "--json").stdout)["error"]["hint"]
    )
    assert run("import").returncode == 0
    queries = ["", "  ", "asdf qwer", "tell me a joke", "\x00\x1b[31m\x07", "どこで", "x" * 3000,
               "'; DROP TABLE tools; --", "shout, please"]  # fmt: skip
    text = "\n".join(json.dumps({"query": query}) for query in queries)
    done = run("select", "--batch", text=text)
    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["error"]["code"] for one in found[:-1]] == ["no_candidates"] * (len(queries) - 1)
    assert all(one["error"]["hint"] for one in found[:-1])
    assert found[-1]["found_by"]["tool"] == "linux/shout"
    told = run("select", "--query", "\x1b[31m\x07")
    assert (told.returncode, told.stdout) == (2, "")
    assert "\x1b" not in told.stderr


def test_select_in_a_batch_answers_every_line(run: Run) -> None:
    needs: list[Any] = [
        {"capability": "use", "max_time_ms": 5},
        {"capability": ["use"], "var": {"N": 3}, "platform": "linux"},
        {"capability": "fly"},
        {"mode": "fast"},
        {"capability": "use", "cost": 3},
        {"query": "shout", "platform": "\0"},
        {"query": "shout", "platform": "\ud800"},
        {"capability": "use", "explain": True},
    ]
    done = run("select", "--batch", text="\n".join(map(json.dumps, needs)))
    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    codes = [one["error"]["code"] if "error" in one else one["tool"] for one in found]
    expected = ["all_refused", "linux/echo", "not_found", "bad_request", "bad_request"]
    assert codes == [*expected, "invalid", "invalid", "linux/echo"]
    assert "Why this one" in found[-1]["text"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("select", "--capability", "fly"),
        ("select",),
        ("select", "--capability", "use", "--var", "N"),
        ("select", "--capability", "use", "--mode", "fast", "--weight", "time=1"),
        ("selection", "context", "all", "--metadata", "asset_count"),
        (
            "selection",
            "context",
            "all",
            "--metadata",
            "asset_count=1",
            "--metadata",
            "asset_count=2",
        ),
        ("select", "--capability", "use", "--max-cost", "0.5"),
        ("select", "--capability", "use", "--mode", "quickest"),
        ("selection", "rank", "{"),
        ("selection", "preference", "--mode", "x"),
        ("chain", "order", "{}"),
        ("assign", "nothing", "u"),
        ("assign", "faster_echo", "\udcff"),
        ("assign", "faster_echo", "ann", "--user", "ben"),
        ("select", "--capability", "use", "--unit", "\udcff"),
        ("select", "--capability", "use", "--user", "\udcff"),
    ],
)
def test_bad_input_is_exit_code_2_with_an_error_document(
    run: Run, arguments: tuple[str, ...]
) -> None:
    plain = run(*arguments)
    assert (plain.returncode, plain.stdout) == (2, "")
    done = run(*arguments, "--json")
    assert done.returncode == 2
    assert {"code", "message"} <= json.loads(done.stdout)["error"].keys()


def test_the_parts_need_no_catalogue_and_no_database(run: Run, settings: Settings) -> None:
    document = '{"candidates": {"a": {"cost": 1}, "b": {"cost": 2}}}'
    assert json.loads(run("selection", "rank", document, "--json").stdout)["order"] == ["a", "b"]
    assert json.loads(run("selection", "rank", "--json", text=document).stdout)["gap"] > 0
    policy = json.loads(run("selection", "policy", "{}", "--json").stdout)
    assert policy["violations"][0]["rule"] == "not_production_safe"
    assert "\n  rule not_production_safe; severity hard;" in run("selection", "policy", "{}").stdout
    context = run("selection", "context", "all", "--metadata", "page_count=3", "--json")
    assert json.loads(context.stdout) == {"N": 1000.0, "pages": 3.0, "p95_latency": 1000.0}
    assert "mode: fast" in run("selection", "preference", "be", "quick").stdout
    order = run("chain", "order", '{"steps": [["b", ["a*"]], ["a1", []]]}')
    assert order.stdout.splitlines() == ["1. a1", "2. b"]
    assert run("chain", "order", '{"steps": [["a", ["a"]]]}', "--json").returncode == 2
    assert not (settings.home / "postgres").exists()


def test_assign_gives_the_same_arm_in_every_process(run: Run) -> None:
    first = json.loads(run("assign", "faster_echo", "ann", "--json").stdout)
    assert first["version"] == {"a": "1.0.0", "b": "1.1.0"}[first["arm"]]
    assert first["exposed"] is True
    text = "\n".join(json.dumps({"experiment": "faster_echo", "unit": u}) for u in ("ann", "ben"))
    ann, ben = (
        json.loads(line) for line in run("assign", "--batch", text=text).stdout.splitlines()
    )
    assert ann == first
    assert (ben["exposed"], ben["reason"]) == (False, "runs of ben in production take no part")
    assert "belongs to arm" in run("assign", "faster_echo", "ben").stdout


def test_select_gives_the_version_of_the_units_arm(run: Run) -> None:
    """The experiment of the fixture assigns users, of whom only ann takes part."""
    assigned = json.loads(run("assign", "faster_echo", "ann", "--json").stdout)
    found = json.loads(run("select", "--capability", "use", "--user", "ann", "--json").stdout)
    assert found["version"] == assigned["version"]
    assert found["experiment"] == {
        "name": "faster_echo",
        "arm": assigned["arm"],
        "unit_kind": "user",
        "unit": "ann",
        "version_a": "1.0.0",
        "version_b": "1.1.0",
        "exposed": True,
        "reason": None,
    }
    told = run("select", "--capability", "use", "--user", "ann").stdout
    assert f"the user ann is in arm {assigned['arm']}" in " ".join(told.split())
    mine = " ".join(run("select", "--capability", "use").stdout.split())
    assert "but not here: runs of tester in production" in mine, "the actor, if none is named"


def test_an_environment_that_nobody_names_is_told(run: Run, settings: Settings) -> None:
    asked = ("select", "--capability", "use", "--json", "--environment")
    notes = json.loads(run(*asked, "prod").stdout)["hints"]["notes"]
    assert any("names the environment 'prod' (they name production)" in note for note in notes)
    assert not json.loads(run(*asked, "production").stdout)["hints"]["notes"]


@pytest.mark.parametrize("kind", ["run", "item"])
def test_select_in_a_batch_draws_for_runs_and_items(
    run: Run, settings: Settings, kind: str
) -> None:
    write(settings, "experiments", "faster_echo", make_experiment(unit=kind))
    units = [f"run-{number}{'/s/0' if kind == 'item' else ''}" for number in range(12)]
    needs = [{"capability": "use", "unit": unit} for unit in units]
    lines = run("select", "--batch", text="\n".join(map(json.dumps, needs))).stdout.splitlines()
    asked = [{"experiment": "faster_echo", "unit": unit} for unit in units]
    arms = run("assign", "--batch", text="\n".join(map(json.dumps, asked))).stdout.splitlines()
    assert [json.loads(line)["experiment"]["arm"] for line in lines] == [
        json.loads(line)["arm"] for line in arms
    ]
    assert {json.loads(line)["version"] for line in lines} == {"1.0.0", "1.1.0"}
    plain = json.loads(run("select", "--capability", "use", "--json").stdout)
    assert (plain["version"], plain["experiment"]["exposed"]) == ("1.1.0", False)
    assert f"its unit is the {kind}" in plain["experiment"]["reason"]
    assert "with --unit, or as `unit`" in plain["experiment"]["reason"]


@pytest.mark.parametrize("status", ["draft", "completed", "cancelled"])
def test_assign_says_that_an_experiment_is_not_active(
    run: Run, settings: Settings, status: Any
) -> None:
    write(settings, "experiments", "faster_echo", make_experiment(unit="user", status=status))
    found = json.loads(run("assign", "faster_echo", "ann", "--json").stdout)
    assert (found["exposed"], found["arm"] in ("a", "b")) == (False, True)
    assert f"the experiment is {'a ' if status == 'draft' else ''}{status}" in found["reason"]
    assert found["reason"] in run("assign", "faster_echo", "ann").stdout
    chosen = json.loads(run("select", "--capability", "use", "--user", "ann", "--json").stdout)
    assert chosen["experiment"] is None


def test_assign_names_the_experiments_that_are_near(run: Run) -> None:
    lines = [
        {"experiment": "faster_ecko", "unit": "ann"},
        {"experiment": "faster_echo", "unit": 5},
        {"experiment": "faster_echo"},
        {"experiment": "faster_echo", "unit": "ann", "user": "ben"},
        {"experiment": "faster_echo", "unit": "\ud800"},
        {"experiment": "faster_echo", "unit": "ann", "splt": 1},
        {"experiment": "faster_echo", "unit": "ann", "environment": "staging"},
    ]
    done = run("assign", "--batch", text="\n".join(map(json.dumps, lines)))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found[0]["error"]["hint"] == "near: faster_echo"
    assert found[0]["error"]["code"] == "not_found"
    assert "leave the user out" in found[3]["error"]["hint"]
    assert ["error" in line for line in found] == [True] * 6 + [False]
    assert "near: faster_echo" in run("assign", "fastr_echo", "ann").stderr


def test_the_keys_of_the_documents_are_documented() -> None:
    from tool_catalog_pipelines.cli.select_answers import SELECT_KEYS
    from tool_catalog_pipelines.settings import CHECKOUT

    text = Path(CHECKOUT / "docs/cli.md").read_text(encoding="utf-8")
    assert [key for key in SELECT_KEYS if f"`{key}`" not in text] == []
