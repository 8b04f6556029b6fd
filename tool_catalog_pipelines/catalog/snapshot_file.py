"""The catalogue on disk: written whole and atomically, read without a database.

One JSON line with the heads of all versions, then their contents one after another. Reading
parses the first line only and maps the rest into memory; a replaced file stays readable for
whoever has it open. Does not belong here: when it is written (live.py, connect.py).
"""

from __future__ import annotations

import json
import mmap
import os
import threading
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from tool_catalog_pipelines.catalog.records import CatalogTool, ToolHeader
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import TerminalError
from tool_catalog_pipelines.spec.experiment import ExperimentSpec

FORMAT = 3
_COLUMNS = tuple(field.name for field in fields(ToolHeader))


def write_snapshot(path: Path, snapshot: CatalogSnapshot) -> None:
    """Replace the file; readers see the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
    head = {
        "format": FORMAT,
        "catalog_id": snapshot.catalog_id,
        "revision": snapshot.revision,
        "taken_at": snapshot.taken_at.isoformat(),
        "deleted": sorted(snapshot.deleted),
        "experiments": [spec.model_dump(mode="json") for spec in snapshot.experiments],
        "own_experiments": [
            (tenant, spec.model_dump(mode="json")) for tenant, spec in snapshot.own_experiments
        ],
        "columns": _COLUMNS,
        "tools": [[*_row(tool.header), len(tool.raw)] for tool in snapshot.tools],
    }
    try:
        with draft.open("wb") as file:
            file.write(json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode())
            file.write(b"\n")
            file.writelines(tool.raw for tool in snapshot.tools)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_snapshot(path: Path) -> CatalogSnapshot:
    """Read the file.

    Raises:
        TerminalError: there is none, or it cannot be read; says how to make it again.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        raise TerminalError(f"no catalogue at {path}; run `tool-catalog import`") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TerminalError(
            f"the catalogue snapshot {path} cannot be read ({error}); run `tool-catalog import`"
        ) from error


def _read(path: Path) -> CatalogSnapshot:
    with path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        head = json.loads(file.readline())
        start = file.tell()
    if head["format"] != FORMAT or tuple(head["columns"]) != _COLUMNS:
        raise ValueError(f"format {head['format']}, expected {FORMAT}")
    if not isinstance(head["revision"], int) or not isinstance(head["catalog_id"], str):
        raise TypeError("its revision is none")
    tools: list[CatalogTool] = []
    for *row, size in head["tools"]:
        tools.append(CatalogTool(_header(row), content[start : start + size]))
        start += size
    if start != len(content):
        raise ValueError(f"{len(content)} bytes, expected {start}")
    return CatalogSnapshot(
        revision=head["revision"],
        taken_at=datetime.fromisoformat(head["taken_at"]),
        tools=tuple(tools),
        deleted=frozenset((tenant, platform, name) for tenant, platform, name in head["deleted"]),
        experiments=tuple(ExperimentSpec.model_validate(e) for e in head["experiments"]),
        own_experiments=tuple(
            (tenant, ExperimentSpec.model_validate(e)) for tenant, e in head["own_experiments"]
        ),
        catalog_id=head["catalog_id"],
        source="disk",
    )


def _row(header: ToolHeader) -> list[object]:
    values: list[object] = []
    for name in _COLUMNS:
        value = getattr(header, name)
        values.append(sorted(cast("frozenset[str]", value)) if name == "channels" else value)
    return values


def _header(row: list[Any]) -> ToolHeader:
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    values["environments"] = tuple(values["environments"])
    values["channels"] = frozenset(values["channels"])
    return ToolHeader(**values)
