"""A machine that cannot run this is told so in one line with the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tool_catalog_pipelines.settings import CHECKOUT

FILES = ("bootstrap.py", "pyproject.toml", "requirements.lock", "requirements-dev.lock")
OLD = "import sys; sys.version_info = (3, 9, 2, 'final', 0)\n"
NEW = "import sys; sys.version_info = (3, 15, 0, 'final', 0)\n"
NO_VENV = "import sys; sys.modules['venv'] = None\n"
FULL = "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9, 8, 1_000_000)\n"
CLOSED = "import os; os.access = lambda *_: False\n"
RUN = "import runpy, sys; sys.argv = ['bootstrap.py']; runpy.run_path({!r}, run_name='__main__')\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Only what the first step of `make run` needs, nothing installed."""
    for name in (*FILES, "Makefile"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (OLD, "Python 3.9 cannot run this; install Python 3.11, 3.12 or 3.13"),
        (NEW, "Python 3.15 cannot run this; install Python 3.11, 3.12 or 3.13"),
        (NO_VENV, "this Python has no venv module; install it"),
        (FULL, "only 1 MB free here"),
        (CLOSED, "cannot be written; move the checkout or change its owner"),
    ],
    ids=["old", "new", "no venv", "no space", "closed folder"],
)
def test_an_unfit_machine_gets_one_line(checkout: Path, machine: str, said: str) -> None:
    code = machine + RUN.format(str(checkout / "bootstrap.py"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_path_with_a_space_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "my tools"
    folder.mkdir()
    for name in FILES:
        shutil.copy(CHECKOUT / name, folder / name)
    done = subprocess.run(
        [sys.executable, str(folder / "bootstrap.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the path of the checkout has a space" in done.stderr


def test_a_machine_without_python_is_told_by_make(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "make"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    done = subprocess.run(
        [str(programs / "make"), "run"],
        cwd=checkout,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no Python here; install Python 3.11, 3.12 or 3.13" in done.stderr


def test_a_failed_install_says_so_and_the_next_one_starts_again(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("no-such-package-anywhere==1.0 --hash=sha256:00\n")
    argv = [sys.executable, str(checkout / "bootstrap.py")]
    environment = {**os.environ, "PIP_NO_INDEX": "1"}
    for _ in range(2):
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 1
        assert "could not install locked dependencies; the lines above say why" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list((checkout / ".venv").glob("installed-*"))
