"""The catalogue on disk: written whole and atomically, read without a database.

Does not belong here: where its content comes from (store.py, or the YAML files below).
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.catalog.records import CatalogSnapshot, CatalogTool, Estimate
from tool_catalog_pipelines.catalog.versioning import normalised, order_key
from tool_catalog_pipelines.errors import InvalidInputError, TerminalError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import load_experiment, load_tool, yaml_files
from tool_catalog_pipelines.spec.tool import ToolSpec

FORMAT = 1


def write_snapshot(path: Path, snapshot: CatalogSnapshot) -> None:
    """Replace the snapshot; readers see the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(_to_json(snapshot), file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o644)
    draft.replace(path)


def read_snapshot(path: Path) -> CatalogSnapshot:
    """Read the snapshot.

    Raises:
        TerminalError: there is none, or it cannot be read; says how to make it again.
    """
    try:
        return _from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise TerminalError(f"no catalogue at {path}; run `tool-catalog import`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise TerminalError(
            f"the catalogue snapshot {path} cannot be read ({error}); run `tool-catalog import`"
        ) from error


class SnapshotReader:
    """The snapshot as it is now: read again when the file was replaced. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._snapshot: CatalogSnapshot | None = None

    def current(self) -> CatalogSnapshot:
        """The newest snapshot; TerminalError if there is none."""
        with self._guard:
            try:
                status = self._path.stat()
                seen = (status.st_ino, status.st_mtime_ns)
            except FileNotFoundError:
                seen = None
            if self._snapshot is None or seen != self._seen:
                self._snapshot = read_snapshot(self._path)
                self._seen = seen
            return self._snapshot


def snapshot_or_yaml(settings: Settings) -> CatalogSnapshot:
    """The snapshot on disk, or before the first import what the YAML files say."""
    if settings.snapshot_path.exists():
        return read_snapshot(settings.snapshot_path)
    return snapshot_from_yaml(settings.catalog_dir)


def snapshot_from_yaml(folder: Path) -> CatalogSnapshot:
    """A catalogue straight from the files; files with an error are left out."""
    specs: list[ToolSpec] = []
    experiments: list[ExperimentSpec] = []
    for path in yaml_files(folder / "tools"):
        try:
            specs.append(load_tool(path).spec)
        except InvalidInputError:
            continue
    for path in yaml_files(folder / "experiments"):
        try:
            experiments.append(load_experiment(path).spec)
        except InvalidInputError:
            continue
    newest: dict[tuple[str, str], str] = {}
    for spec in specs:
        version = newest.setdefault(spec.key, spec.version)
        if order_key(spec.version) > order_key(version):
            newest[spec.key] = spec.version
    tools = tuple(_declared(spec, newest[spec.key]) for spec in specs)
    return CatalogSnapshot(0, datetime.now(UTC), tools, tuple(experiments))


def _declared(spec: ToolSpec, newest: str) -> CatalogTool:
    estimates = {
        (capability, name): Estimate(pattern.time_estimate_ms, pattern.cost_estimate, "declared")
        for capability, declared in spec.capabilities.items()
        for name, pattern in declared.patterns.items()
    }
    channels = frozenset({"latest", "stable"}) if spec.version == newest else frozenset[str]()
    spec = spec.model_copy(update={"version": normalised(spec.version)})
    return CatalogTool(None, spec, channels, estimates)


def _to_json(snapshot: CatalogSnapshot) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "revision": snapshot.revision,
        "taken_at": snapshot.taken_at.isoformat(),
        "tools": [
            {
                "tool_id": tool.tool_id,
                "spec": tool.spec.model_dump(mode="json", by_alias=True),
                "channels": sorted(tool.channels),
                "estimates": [
                    {"capability": key[0], "pattern": key[1], **asdict(estimate)}
                    for key, estimate in tool.estimates.items()
                ],
            }
            for tool in snapshot.tools
        ],
        "experiments": [spec.model_dump(mode="json") for spec in snapshot.experiments],
    }


def _from_json(document: dict[str, Any]) -> CatalogSnapshot:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}, expected {FORMAT}")
    return CatalogSnapshot(
        revision=document["revision"],
        taken_at=datetime.fromisoformat(document["taken_at"]),
        tools=tuple(_tool(record) for record in document["tools"]),
        experiments=tuple(ExperimentSpec.model_validate(e) for e in document["experiments"]),
    )


def _tool(record: dict[str, Any]) -> CatalogTool:
    estimates: dict[tuple[str, str], Estimate] = {}
    for estimate in record["estimates"]:
        key = (estimate.pop("capability"), estimate.pop("pattern"))
        estimates[key] = Estimate(**estimate)
    return CatalogTool(
        tool_id=record["tool_id"],
        spec=ToolSpec.model_validate(record["spec"]),
        channels=frozenset(record["channels"]),
        estimates=estimates,
    )
