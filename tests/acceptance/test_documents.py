"""What the README tells a newcomer to type works as written."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys

from tool_catalog_pipelines.settings import CHECKOUT, Settings, child_environment

_BLOCK = re.compile(r"```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def test_first_tool_and_chain_of_the_readme(settings: Settings) -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    blocks = [(match["kind"], match["text"]) for match in _BLOCK.finditer(readme)]
    tool, chain = (text for kind, text in blocks if kind == "yaml")
    (commands,) = (text for kind, text in blocks if kind == "console")
    shutil.copytree(CHECKOUT / "catalog_yaml", settings.catalog_dir, dirs_exist_ok=True)
    (settings.catalog_dir / "tools/linux/count_files.yaml").write_text(tool, encoding="utf-8")
    (settings.catalog_dir / "chains/first.yaml").write_text(chain, encoding="utf-8")
    environment = {**os.environ, **child_environment(settings)}
    for line in commands.strip().splitlines():
        program, *arguments = shlex.split(line)
        assert program == ".venv/bin/tool-catalog"
        argv = [sys.executable, "-m", "tool_catalog_pipelines.cli.app", *arguments]
        done = subprocess.run(
            argv,
            env=environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_every_command_is_documented() -> None:
    from typer.main import get_command

    from tool_catalog_pipelines.cli.app import app

    text = (CHECKOUT / "docs/cli.md").read_text(encoding="utf-8")
    root = get_command(app)
    names = list(root.commands)
    names.remove("chain")
    names += [f"chain {name}" for name in root.commands["chain"].commands]
    missing = [name for name in names if f"`{name}" not in text]
    assert not missing
