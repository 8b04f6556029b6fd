"""What the README tells a newcomer to type works as written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from installations import copy_shipped_catalogue, run_program

from tool_catalog_pipelines.settings import CHECKOUT, Settings
from tool_catalog_pipelines.spec.advice import advice_on
from tool_catalog_pipelines.spec.load import load_experiment, load_tool

_BLOCK = re.compile(r"```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def test_first_tool_and_chain_of_the_readme(settings: Settings) -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    blocks = [(match["kind"], match["text"]) for match in _BLOCK.finditer(readme)]
    tool, chain = (text for kind, text in blocks if kind == "yaml")
    (commands,) = (text for kind, text in blocks if kind == "console")
    copy_shipped_catalogue(settings)
    (settings.catalog_dir / "tools/linux/count_files.yaml").write_text(tool, encoding="utf-8")
    (settings.catalog_dir / "chains/first.yaml").write_text(chain, encoding="utf-8")
    for line in commands.strip().splitlines():
        program, *arguments = shlex.split(line)
        assert program == ".venv/bin/tool-catalog"
        done = run_program(settings, *arguments)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_file_of_answers_in_the_guide_makes_a_tool_that_is_found(
    settings: Settings, tmp_path: Path
) -> None:
    guide = (CHECKOUT / "docs/guides/new_tool.md").read_text(encoding="utf-8")
    blocks = [(match["kind"], match["text"]) for match in _BLOCK.finditer(guide)]
    (answers,) = (text for kind, text in blocks if kind == "yaml")
    (tmp_path / "answers.yaml").write_text(answers, encoding="utf-8")
    commands = [line for kind, text in blocks if kind == "console" for line in text.splitlines()]
    said = ""
    for line in commands:
        program, *arguments = shlex.split(line)
        assert program == "tool-catalog"
        done = run_program(settings, *arguments, folder=tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said += done.stdout
    assert "1 passed, 0 failed" in said
    assert said.count("linux/count_words") > 1
    assert "tool_name: count_matching_lines" in said


def test_the_tools_and_experiments_of_the_guide_are_without_advice(tmp_path: Path) -> None:
    guide = (CHECKOUT / "docs/guides/tools_and_chains.md").read_text(encoding="utf-8")
    blocks = [match["text"] for match in _BLOCK.finditer(guide) if match["kind"] == "yaml"]
    (tool,) = (text for text in blocks if text.startswith("tool_name"))
    (experiment,) = (text for text in blocks if text.startswith("experiment"))
    for name, text in (("tool", tool), ("experiment", experiment)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    loaded = load_tool(tmp_path / "tool.yaml")
    assert advice_on(loaded.spec, loaded.document) == []
    assert load_experiment(tmp_path / "experiment.yaml").spec.unit == "item"


def test_every_command_is_documented() -> None:
    from typer.main import get_command

    from tool_catalog_pipelines.cli.app import app

    text = (CHECKOUT / "docs/cli.md").read_text(encoding="utf-8")
    root = get_command(app)
    names: list[str] = []
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        names += [name] if inner is None else [f"{name} {sub}" for sub in inner]
    missing = [name for name in names if f"`{name}" not in text]
    assert not missing
