"""A finished tool into the YAML folder, the database, or both.

Does not belong here: asking where (cli/).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tool_catalog_pipelines.catalog.export import exported_text, write_whole
from tool_catalog_pipelines.catalog.saving import Saved
from tool_catalog_pipelines.errors import ConflictError, InvalidInputError, TerminalError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.tool import ToolSpec

Where = Literal["yaml", "database", "both", "none"]
PLACES: tuple[Where, ...] = get_args(Where)
ORIGIN = "tool-catalog new"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a tool was saved."""

    file: Path | None = None
    version: Saved | None = None


def file_of(spec: ToolSpec, settings: Settings) -> Path:
    """The tool file of a new tool."""
    return settings.catalog_dir / "tools" / spec.platform / f"{spec.tool_name}.yaml"


def save(spec: ToolSpec, where: Where, settings: Settings, may_replace: bool = False) -> Places:
    """Save a tool.

    The database comes first: doing it again changes nothing there, so that after a failure the
    same call finishes the work.

    Args:
        spec: the tool.
        where: into which of the two.
        settings: of this installation.
        may_replace: an existing file may be replaced.

    Raises:
        InvalidInputError: the file exists, and may not be replaced.
        ConflictError: the catalogue does not take it.
        TerminalError: the file cannot be written.
    """
    path = file_of(spec, settings)
    if where in ("yaml", "both") and path.exists() and not may_replace:
        raise _exists(path)
    version = _into_database(spec, settings) if where in ("database", "both") else None
    if where not in ("yaml", "both"):
        return Places(version=version)
    text = exported_text(spec, path.name)
    if may_replace:
        write_whole(path, text)
    else:
        _write_new(path, text)
    return Places(path, version)


def _into_database(spec: ToolSpec, settings: Settings) -> Saved:
    from tool_catalog_pipelines.catalog.connect import open_catalog

    with open_catalog(settings) as catalog:
        saved = catalog.editor.save_tool(spec, ORIGIN)
    if saved.outcome == "conflict":
        raise ConflictError(saved.note)
    return saved


def _write_new(path: Path, text: str) -> None:
    """Make a file that appears whole, and never over another one."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        os.link(part, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise TerminalError(f"{path} cannot be written: {reason}") from None
    finally:
        part.unlink(missing_ok=True)


def _exists(path: Path) -> InvalidInputError:
    return InvalidInputError.one(f"{path} exists already", "--overwrite replaces it")
