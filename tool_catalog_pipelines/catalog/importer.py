"""YAML files -> catalogue. A file is imported whole or not at all, and never stops the others.

The last imported content of each file is remembered, so that an unchanged file never undoes what
was changed in the database since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tool_catalog_pipelines.catalog.store import CatalogStore, Saved
from tool_catalog_pipelines.catalog.versioning import order_key
from tool_catalog_pipelines.errors import InvalidInputError, Problem
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import (
    Loaded,
    content_hash,
    load_experiment,
    load_tool,
    yaml_files,
)
from tool_catalog_pipelines.spec.tool import ToolSpec

Progress = Callable[[int, int, str], None]
T = TypeVar("T", ToolSpec, ExperimentSpec)


@dataclass(slots=True)
class ImportReport:
    """What became of every file. `conflicts` were saved under another version than written."""

    imported: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    conflicts: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(self, file: str, saved: Saved) -> None:
        """Note a file that was read."""
        if saved.note:
            self.conflicts.append(f"{file}: {saved.note}")
        elif saved.outcome == "unchanged":
            self.unchanged.append(file)
        else:
            self.imported.append(file)

    def refuse(self, file: str, error: InvalidInputError) -> None:
        """Note a file that has problems."""
        self.refused.append(file)
        self.problems.extend(error.problems)


def import_catalog(
    store: CatalogStore,
    settings: Settings,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import tools, then experiments, of a folder (default: that of the settings)."""
    root = folder or settings.catalog_dir
    report = ImportReport()
    tools = _load(yaml_files(root / "tools"), load_tool, root, report)
    tools.sort(key=lambda loaded: (*loaded.spec.key, order_key(loaded.spec.version)))
    _refuse_twins(tools, root, report)
    for number, loaded in enumerate(tools, 1):
        if progress is not None:
            progress(number, len(tools), loaded.spec.tool_name)
        _save_tool(store, loaded, root, report)
    for loaded in _load(yaml_files(root / "experiments"), load_experiment, root, report):
        _save_experiment(store, loaded, root, report)
    store.publish_snapshot()
    return report


def _load(
    paths: Sequence[Path], load: Callable[[Path], Loaded[T]], root: Path, report: ImportReport
) -> list[Loaded[T]]:
    loaded: list[Loaded[T]] = []
    for path in paths:
        try:
            loaded.append(load(path))
        except InvalidInputError as error:
            report.refuse(_shown(path, root), error)
    return loaded


def _refuse_twins(tools: list[Loaded[ToolSpec]], root: Path, report: ImportReport) -> None:
    """Two files for one version of one tool: the second is refused, the first is named."""
    first: dict[tuple[str, str, str], Loaded[ToolSpec]] = {}
    for loaded in tuple(tools):
        key = (*loaded.spec.key, loaded.spec.version)
        twin = first.setdefault(key, loaded)
        if twin is loaded:
            continue
        tools.remove(loaded)
        error = InvalidInputError.one(
            f"{loaded.spec.tool_name} {loaded.spec.version} is in {_shown(twin.path, root)} too",
            "give one of the two another version or name",
            loaded.document.position(("tool_name",)),
        )
        report.refuse(_shown(loaded.path, root), error)


def _save_tool(
    store: CatalogStore, loaded: Loaded[ToolSpec], root: Path, report: ImportReport
) -> None:
    file, digest = _shown(loaded.path, root), content_hash(loaded.spec)
    key = "/".join(loaded.spec.key)
    if store.imported_hash(file, "tool", key) == digest:
        report.unchanged.append(file)
        return
    report.add(file, store.save_tool(loaded.spec, f"import {file}"))
    store.remember_import(file, "tool", key, digest)


def _save_experiment(
    store: CatalogStore, loaded: Loaded[ExperimentSpec], root: Path, report: ImportReport
) -> None:
    file, digest = _shown(loaded.path, root), content_hash(loaded.spec)
    if store.imported_hash(file, "experiment", loaded.spec.experiment) == digest:
        report.unchanged.append(file)
        return
    try:
        saved = store.save_experiment(loaded.spec, f"import {file}")
    except InvalidInputError as error:
        where = loaded.document.position(("tool",))
        located = [Problem(p.message, p.position or where, p.hint) for p in error.problems]
        report.refuse(file, InvalidInputError(located))
        return
    report.add(file, saved)
    store.remember_import(file, "experiment", loaded.spec.experiment, digest)


def _shown(path: Path, root: Path) -> str:
    """The file as remembered: relative to the folder, so that the folder may move."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
