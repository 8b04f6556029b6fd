"""Unfit machines and interrupted installations: one line that says what to do, never a traceback.

The real bootstrap.py and Makefile run on a small project that needs no package index.
"""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from tool_catalog_pipelines.settings import CHECKOUT

_PYPROJECT = """\
[project]
name = "small"
version = "1"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
_BACKEND = '''\
"""Builds an empty package; waits while the file `wait` is there."""
import pathlib, sys, time, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    here = pathlib.Path(__file__).parent
    if (here / "say").exists():
        sys.exit((here / "say").read_text())
    (here / "reached").touch()
    while (here / "wait").exists():
        time.sleep(0.02)
    files = {
        "METADATA": "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n",
        "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = "".join(f"small-1.dist-info/{name},,\\n" for name in [*files, "RECORD"])
    with zipfile.ZipFile(pathlib.Path(folder) / "small-1-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, "RECORD": rows}.items():
            wheel.writestr(f"small-1.dist-info/{name}", text)
    return "small-1-py3-none-any.whl"
'''
_AS = """
import ensurepip, fcntl, hashlib, os, pkgutil, runpy, shutil, signal, subprocess, sys, time, venv
{change}
sys.argv = ["bootstrap.py"]
runpy.run_path("bootstrap.py", run_name="__main__")
"""
_NOBODY = 65534
_DEADLINE_S = 120.0


@pytest.fixture
def checkout(home: Path) -> Path:
    """A checkout of the small project with the real bootstrap.py and Makefile."""
    folder = home / "checkout"
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("bootstrap.py", "Makefile"):
        shutil.copy(CHECKOUT / name, folder)
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (folder / "backend.py").write_text(_BACKEND)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (folder / name).write_text("# nothing\n")
    return folder


def environment(**changes: str) -> dict[str, str]:
    """Ours without pip's own settings: nothing is asked of an index."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", **changes}


def run(
    folder: Path, *argv: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv or (sys.executable, "bootstrap.py"),
        cwd=folder,
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )


def run_changed(folder: Path, change: str) -> subprocess.CompletedProcess[str]:
    """Run bootstrap.py in an interpreter in which something is different."""
    return run(folder, sys.executable, "-c", _AS.format(change=change))


def the_line(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line that was said."""
    assert result.returncode == code, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("tool-catalog: ")
    return line


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.01)


def old_pythons() -> Iterator[str]:
    """Unfit interpreters of this machine, if it has some."""
    names = ["python2", *[f"python3.{minor}" for minor in (*range(11), 14, 15)]]
    places = [*map(shutil.which, names), *Path.home().glob(".pyenv/versions/*/bin/python")]
    for python in filter(None, places):
        ask = "import sys; sys.exit((3, 11) <= sys.version_info[:2] <= (3, 13))"
        if (
            subprocess.run([str(python), "-c", ask], capture_output=True, check=False).returncode
            == 0
        ):
            yield str(python)


@pytest.mark.parametrize("version", ["3.10", "3.14", "2.7"])
def test_an_unfit_python_is_named_with_the_fit_ones(version: str, checkout: Path) -> None:
    numbers = version.replace(".", ", ")
    result = run_changed(checkout, f"sys.version_info = ({numbers}, 1, 'final', 0)")
    line = the_line(result, 2)
    assert f"Python {version} cannot run this" in line
    assert "PYTHON=" in line


def test_old_pythons_can_read_the_program(checkout: Path) -> None:
    ast.parse((checkout / "bootstrap.py").read_text(), feature_version=(3, 4))
    for python in old_pythons():
        assert "cannot run this; install Python 3.11" in the_line(
            run(checkout, python, "bootstrap.py"), 2
        )


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_said(module: str, checkout: Path) -> None:
    line = the_line(run_changed(checkout, f"sys.modules['{module}'] = None"), 2)
    assert "apt-get install python3." in line


def test_a_folder_that_cannot_be_written_is_said(checkout: Path) -> None:
    checkout.chmod(0o555)
    drop = f"os.setgroups([]); os.setgid({_NOBODY}); os.setuid({_NOBODY})"
    line = the_line(run_changed(checkout, drop if os.geteuid() == 0 else ""), 2)
    assert f"{checkout} cannot be written" in line


def test_a_path_with_a_space_is_said(checkout: Path) -> None:
    moved = checkout.rename(checkout.with_name("my checkout"))
    assert "has a space" in the_line(run(moved), 2)


def test_a_full_disk_is_said(checkout: Path) -> None:
    change = "shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**10, 10**10, 5 * 10**6)"
    assert "only 5 MB free" in the_line(run_changed(checkout, change), 2)


@pytest.mark.parametrize("arguments", [["run"], ["test"], ["run", "PYTHON=/no/such/python"]])
def test_a_machine_without_python_is_said(
    arguments: list[str], checkout: Path, tmp_path: Path
) -> None:
    make = str(shutil.which("make"))
    result = run(checkout, make, *arguments, env={"PATH": str(tmp_path)})
    assert result.returncode == 2
    first, *rest = result.stderr.splitlines()
    assert "no Python here" in first
    assert "install Python 3.11" in first
    assert all(line.startswith(("make", str(make))) for line in rest)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "the index lacks a package"),
        (
            {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "1"},
            "the package index cannot be reached",
        ),
    ],
)
def test_a_missing_index_is_said(settings: dict[str, str], said: str, checkout: Path) -> None:
    lock = "small-thing==1 --hash=sha256:" + "0" * 64
    (checkout / "requirements.lock").write_text(lock + "\n")
    line = the_line(run(checkout, env=environment(**settings)), 1)
    assert "could not install locked dependencies" in line
    assert said in line
    assert "run the same command again" in line
    assert "small-thing" in (checkout / ".venv" / "install.log").read_text()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("OSError: [Errno 28] No space left on device", "make room on the disk"),
        ("error: the moon is in the way", "rror"),
    ],
)
def test_a_failing_installation_is_one_line(output: str, said: str, checkout: Path) -> None:
    (checkout / "say").write_text(output)
    line = the_line(run(checkout), 1)
    assert "could not install this package" in line
    assert said in line
    assert output in (checkout / ".venv" / "install.log").read_text()
    (checkout / "say").unlink()
    assert run(checkout).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_installation_starts_over(number: signal.Signals, checkout: Path) -> None:
    (checkout / "wait").touch()
    argv = [sys.executable, "bootstrap.py"]
    with subprocess.Popen(
        argv,
        cwd=checkout,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        eventually((checkout / "reached").exists)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        if number != signal.SIGKILL:
            _, said = process.communicate(timeout=_DEADLINE_S)
            assert process.returncode == 130
            assert said == "tool-catalog: interrupted; run the same command again, it starts over\n"
            assert not psutil.wait_procs(children, timeout=10)[1]
        # What goes on after SIGKILL is waited for by the next installation.
        (checkout / "wait").unlink()
    assert not (checkout / ".venv" / "installed-run").exists()
    again = run(checkout)
    assert again.returncode == 0, again.stderr
    assert "create .venv" in again.stdout
    done = run(checkout)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_half_made_environment_is_made_again(checkout: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "bootstrap.py"], cwd=checkout, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        eventually((checkout / ".venv" / "bin" / "python").exists)
        process.send_signal(signal.SIGINT)
    assert run(checkout).returncode == 0


def test_two_at_once_install_once(checkout: Path) -> None:
    (checkout / "wait").touch()
    argv = [sys.executable, "bootstrap.py"]
    first = subprocess.Popen(
        argv, cwd=checkout, env=environment(), stdout=subprocess.PIPE, text=True
    )
    eventually((checkout / "reached").exists)
    second = subprocess.Popen(
        argv, cwd=checkout, env=environment(), stdout=subprocess.PIPE, text=True
    )
    with first, second:
        assert second.stdout is not None
        assert "wait for another" in second.stdout.readline()
        (checkout / "wait").unlink()
        assert first.wait(_DEADLINE_S) == second.wait(_DEADLINE_S) == 0
        assert second.stdout.read() == ""
