"""Catalogue -> YAML in our own format: one file per tool, or one bundle.

What is exported imports to the same content again. File names are made from platform, name and
version, which are checked, so that no name leads out of the folder. Does not belong here: which
tools (filters.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.catalog.formats.bundle import FORMAT, MARK
from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.errors import InvalidInputError, TerminalError
from tool_catalog_pipelines.spec.load import FOREIGN_YAML, tool_of
from tool_catalog_pipelines.spec.reader import read_document
from tool_catalog_pipelines.spec.tool import ToolSpec
from tool_catalog_pipelines.spec.writing import yaml_text


def exported_text(spec: ToolSpec, shown_as: str = "export") -> str:
    """The tool file of a tool; proven to read back as the same tool.

    Raises:
        TerminalError: it does not, which is a defect of this program.
    """
    label = f"{spec.platform}/{spec.tool_name}"
    text = yaml_text(_document(spec))
    try:
        is_same = tool_of(read_document(text, shown_as, FOREIGN_YAML)) == spec
    except InvalidInputError as error:
        raise TerminalError(f"{label} cannot be written as YAML: {error.problems[0]}") from None
    if not is_same:
        raise TerminalError(f"{label} cannot be written as YAML")
    return text


def _document(spec: ToolSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def export_files(tools: Iterable[CatalogTool], folder: Path) -> list[Path]:
    """Write one file per version, `PLATFORM/NAME.VERSION.yaml`; each appears whole or not at all.

    Raises:
        TerminalError: a file cannot be written, or would be written through a link.
    """
    written: list[Path] = []
    for tool in tools:
        header = tool.header
        place = folder / header.platform
        if place.is_symlink():
            raise TerminalError(
                f"{place} is a link that may lead anywhere; remove it, or export elsewhere"
            )
        path = place / f"{header.tool_name}.{header.version}.yaml"
        write_whole(path, exported_text(tool.spec, path.name))
        written.append(path)
    return written


def export_bundle(tools: Iterable[CatalogTool], path: Path) -> int:
    """Write all tools as one bundle (formats/bundle.py); returns how many.

    Raises:
        TerminalError: it cannot be written, or would be more than an import reads.
    """
    documents = [_document(tool.spec) for tool in tools]
    text = yaml_text({MARK: FORMAT, "tools": documents})
    try:
        read_document(text.encode(), str(path), FOREIGN_YAML)
    except InvalidInputError as error:
        why = error.problems[0].message
        raise TerminalError(
            f"a bundle of {len(documents)} tools could not be imported: {why}; "
            "export one file per tool, or fewer tools"
        ) from None
    write_whole(path, text)
    return len(documents)


def write_whole(path: Path, text: str) -> None:
    """Replace a file by a text; nobody ever sees a part of it.

    Raises:
        TerminalError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        reason = error.strerror or str(error)
        raise TerminalError(f"{path} cannot be written: {reason}") from None
