"""The DuckDB file of the marts as a file: opened, found damaged, removed, copied.

Belongs here: what is true for any DuckDB file of ours. Does not belong here: what is in it
(loading.py, mart_sql.py), who may write it and when (marts.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tool_catalog_pipelines.errors import TransientError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY_LIMIT = "512MB"
"""What does not fit goes to a temporary folder beside the file."""
_LOCKED = "Could not set lock on file"
_DAMAGED = (
    "not a valid DuckDB database",
    "Corrupt",
    "corrupt",
    "Could not read enough bytes",
    "version number",
    "failed to replay WAL",
)


@contextmanager
def open_file(path: Path | None) -> Generator[DuckDBPyConnection]:
    """A connection that may write to this file, or to memory.

    Raises:
        TransientError: another process has the file open.
    """
    import duckdb

    # Nothing may be downloaded: what is needed is built in.
    offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    try:
        connection = duckdb.connect(
            ":memory:" if path is None else str(path),
            config={**offline, "memory_limit": _MEMORY_LIMIT},
        )
    except duckdb.IOException as error:
        if _LOCKED not in str(error):
            raise
        message = f"{path} is open in another process; analysts open the published file instead"
        raise TransientError(f"{message}: {error}") from None
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def open_read_only(path: Path) -> Generator[DuckDBPyConnection]:
    """A connection that reads the file as it is now.

    The file is attached to a database in memory: `duckdb.connect` would give a process that still
    has the replaced file open the old contents.
    """
    with open_file(None) as connection:
        quoted = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS marts (READ_ONLY)")
        connection.execute("USE marts")
        yield connection


def is_damage(error: Exception) -> bool:
    """Whether an error of DuckDB means that the file cannot be read, now or later."""
    import duckdb

    if isinstance(error, duckdb.SerializationException | duckdb.InternalException):
        return True
    return isinstance(error, duckdb.Error) and any(text in str(error) for text in _DAMAGED)


def remove_file(path: Path) -> None:
    """Remove the file with all that DuckDB put beside it."""
    for name in (path, Path(f"{path}.wal"), Path(f"{path}.checkpoint.wal")):
        name.unlink(missing_ok=True)
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)


def replace_atomically(source: Path, target: Path) -> None:
    """Copy a file over another one; whoever reads sees the old one or the new one, whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.parent / f".{target.name}.part"
    shutil.copyfile(source, draft)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.chmod(0o644)
    draft.replace(target)
