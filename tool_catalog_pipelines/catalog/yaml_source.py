"""The catalogue straight from the YAML files: for those who have no database, or ask for files.

The channels are those that a first import of the files would give. Does not belong here: importing
(importer.py).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from tool_catalog_pipelines.catalog.records import CatalogTool, header_of
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.versioning import normalised, order_key
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import Loaded, load_experiment, load_tool, yaml_files
from tool_catalog_pipelines.spec.tool import ToolSpec

T = TypeVar("T")
Keys = frozenset[tuple[str, str]]
_GLANCE_BYTES = 4096
_PLATFORM = re.compile(r"^platform:[ ]+([\w-]+)[ ]*$", re.MULTILINE)
_NAME = re.compile(r"^tool_name:[ ]+([\w.-]+)[ ]*$", re.MULTILINE)


class FilesReader:
    """The catalogue of a folder, read again when a file was added, changed or removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._state: tuple[str, Keys] = ("", frozenset())
        self._snapshot: CatalogSnapshot | None = None

    def current(self, known: Keys = frozenset()) -> CatalogSnapshot:
        """What the files say now; the revision counts how often that changed.

        Args:
            known: tools (platform, folded name) whose files need not be read. Reading all takes
                seconds, and mostly every file was imported.
        """
        with self._guard:
            state = (state_of_files(self._folder), known)
            if self._snapshot is None or state != self._state:
                last = self._snapshot.revision if self._snapshot else -1
                read = snapshot_from_yaml(self._folder, known)
                self._snapshot = replace(read, revision=last + 1)
                self._state = state
            return self._snapshot


def state_of_files(folder: Path) -> str:
    """Hash of names, sizes and times of the YAML files of a folder; their content is not read."""
    digest = hashlib.sha256()
    for path in yaml_files(folder):
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def snapshot_from_yaml(folder: Path, known: Keys = frozenset()) -> CatalogSnapshot:
    """The tools and experiments of the files, without those with an error or of known tools."""
    files = [path for path in yaml_files(folder / "tools") if key_at_a_glance(path) not in known]
    specs = _readable(files, _tool)
    experiments = _readable(yaml_files(folder / "experiments"), _experiment)
    groups: dict[tuple[str, str], list[ToolSpec]] = {}
    for spec in specs:
        groups.setdefault(spec.key, []).append(spec)
    return CatalogSnapshot(
        revision=0,
        taken_at=datetime.now(UTC),
        tools=tuple(tool for group in groups.values() for tool in with_channels(group)),
        experiments=tuple(experiments),
        source="yaml",
    )


def key_at_a_glance(path: Path) -> tuple[str, str] | None:
    """Platform and folded name of the tool in a file, from its first lines; None if in doubt."""
    try:
        with path.open("rb") as file:
            head = file.read(_GLANCE_BYTES).decode(errors="replace")
    except OSError:
        return None
    platform, name = _PLATFORM.findall(head), _NAME.findall(head)
    return (platform[0], name[0].lower()) if len(platform) == len(name) == 1 else None


def with_channels(versions: Sequence[ToolSpec]) -> list[CatalogTool]:
    """`latest` is the newest active version; `stable` the oldest, as an import in order gives."""
    ordered = sorted(versions, key=lambda spec: order_key(spec.version))
    active = [spec for spec in ordered if spec.status == "active"]
    latest = active[-1] if active else ordered[0]
    tools: list[CatalogTool] = []
    for spec in ordered:
        channels = {"latest": spec is latest, "stable": spec is ordered[0]}
        pointing = frozenset(name for name, points in channels.items() if points)
        tools.append(CatalogTool.of(spec, replace(header_of(spec), channels=pointing)))
    return tools


def _tool(path: Path) -> ToolSpec:
    spec = load_tool(path).spec
    return spec.model_copy(update={"version": normalised(spec.version)})


def _experiment(path: Path) -> ExperimentSpec:
    loaded: Loaded[ExperimentSpec] = load_experiment(path)
    return loaded.spec


def _readable(paths: Sequence[Path], read: Callable[[Path], T]) -> list[T]:
    found: list[T] = []
    for path in paths:
        try:
            found.append(read(path))
        except InvalidInputError:
            continue
    return found
