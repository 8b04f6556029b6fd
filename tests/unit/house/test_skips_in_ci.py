"""A skipped test is said outside of CI, and fails inside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
SKIPPING = "import pytest\n\n\ndef test_it():\n    pytest.skip('no Chromium on this machine')\n"


@pytest.mark.parametrize(("in_ci", "exit_code"), [("true", 1), ("", 0)])
def test_a_skip_fails_in_ci_only(tmp_path: Path, in_ci: str, exit_code: int) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", str(tmp_path)]
    environment = {**os.environ, "CI": in_ci, "PYTHONPATH": str(TESTS)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(
        argv, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "no Chromium on this machine" in done.stdout
