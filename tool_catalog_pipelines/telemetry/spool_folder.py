"""Which database the waiting facts belong to: each has a folder of its own in the spool.

The folder is named after the identity that the database made for itself, so that another address
of the same database finds its facts and another database never gets them. Does not belong here:
the files in it (spool_file.py) and their delivery (spool.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tool_catalog_pipelines.db.addresses import server_name
from tool_catalog_pipelines.db.schema import catalog_revision
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.telemetry.spool_file import SUFFIX

_NAME_FILE = "database.txt"


@dataclass(frozen=True, slots=True)
class WaitingElsewhere:
    """Spool files that are not for the present database."""

    folder: Path
    database: str
    files: int


def spool_of(engine: Engine, spool_dir: Path) -> Path:
    """The folder of this database's facts, made if need be.

    Raises:
        DatabaseUnavailableError: the database does not say who it is.
    """
    try:
        with engine.connect() as connection:
            identity = connection.execute(select(catalog_revision.c.catalog_id)).scalar_one()
    except SQLAlchemyError as error:
        said = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
        message = f"the database does not say who it is: {said}"
        raise DatabaseUnavailableError(message) from None
    folder = spool_dir / str(identity)
    folder.mkdir(parents=True, exist_ok=True)
    _write_name(folder / _NAME_FILE, server_name(engine.url))
    return folder


def waiting_elsewhere(spool_dir: Path, own: Path | None) -> list[WaitingElsewhere]:
    """Where facts wait that will not be delivered to the database of this folder."""
    found: list[WaitingElsewhere] = []
    for folder in sorted({path.parent for path in spool_dir.rglob(f"*{SUFFIX}")} - {own}):
        files = sum(_has_facts(path) for path in folder.glob(f"*{SUFFIX}"))
        if files:
            found.append(WaitingElsewhere(folder, _name(folder), files))
    return found


def _has_facts(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # delivered just now
        return False


def _write_name(path: Path, name: str) -> None:
    """For people: how this database was reached last."""
    if not path.exists() or path.read_text(encoding="utf-8") != name:
        path.write_text(name, encoding="utf-8")


def _name(folder: Path) -> str:
    path = folder / _NAME_FILE
    return path.read_text(encoding="utf-8") if path.exists() else "an unknown database"
