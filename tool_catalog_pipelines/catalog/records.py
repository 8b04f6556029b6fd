"""What the catalogue hands out: tool versions with estimates and channels, in one snapshot.

Pure records. How they are stored is in catalog/store.py, how they come to disk in
catalog/snapshot.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.facts import Basis
from tool_catalog_pipelines.spec.base import ToolRef
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.tool import ToolSpec


@dataclass(frozen=True, slots=True)
class Estimate:
    """The current estimate of one pattern of one tool version.

    Expressions are texts of expressions/; None means unknown. `runs` is the number of executions
    behind a recalibrated estimate, `revision` counts from 1 (the declared one).
    """

    time_ms: str | None
    cost_units: str | None
    basis: Basis
    runs: int = 0
    revision: int = 1
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CatalogTool:
    """One version of one tool. `channels` are those that point at this version."""

    tool_id: int | None
    spec: ToolSpec
    channels: frozenset[str]
    estimates: Mapping[tuple[str, str], Estimate]
    """By (capability, pattern)."""

    @property
    def label(self) -> str:
        """`platform/name@version`."""
        return f"{self.spec.platform}/{self.spec.tool_name}@{self.spec.version}"


@dataclass(frozen=True)
class CatalogSnapshot:
    """All versions of all tools at one revision of the catalogue."""

    revision: int
    taken_at: datetime
    tools: tuple[CatalogTool, ...]
    experiments: tuple[ExperimentSpec, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, tuple[CatalogTool, ...]]:
        """Every version by folded tool name, over all platforms."""
        groups: dict[str, list[CatalogTool]] = {}
        for tool in self.tools:
            groups.setdefault(tool.spec.tool_name.lower(), []).append(tool)
        return {name: tuple(tools) for name, tools in groups.items()}

    def resolve(self, ref: ToolRef) -> CatalogTool:
        """The version that a reference means now; without `@` it is the channel `latest`.

        Raises:
            NotFoundError: no such tool or version, or a bare name on several platforms.
        """
        candidates = [
            tool
            for tool in self.by_name.get(ref.name.lower(), ())
            if ref.platform in (None, tool.spec.platform)
        ]
        if not candidates:
            raise NotFoundError.one(f"there is no tool {ref}", self._near(ref))
        platforms = sorted({tool.spec.platform for tool in candidates})
        if len(platforms) > 1:
            options = " or ".join(f"{platform}/{ref.name}" for platform in platforms)
            raise NotFoundError.one(f"{ref} exists on several platforms", f"write {options}")
        wanted = ref.at or "latest"
        for tool in candidates:
            if wanted in tool.channels or wanted == tool.spec.version:
                return tool
        known = ", ".join(sorted(tool.spec.version for tool in candidates))
        raise NotFoundError.one(f"{ref} has no version or channel {wanted!r}", f"known: {known}")

    def _near(self, ref: ToolRef) -> str:
        near = difflib.get_close_matches(ref.name.lower(), self.by_name, n=3)
        if not near:
            return "`tool-catalog tools` lists every tool"
        labels = {
            f"{tool.spec.platform}/{tool.spec.tool_name}" for n in near for tool in self.by_name[n]
        }
        return f"did you mean {', '.join(sorted(labels))}?"
