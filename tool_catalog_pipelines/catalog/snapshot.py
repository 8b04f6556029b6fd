"""All versions of all tools at one revision, as one tenant in one environment sees them.

Immutable: a change makes a new snapshot that shares everything else with the old one. Does not
belong here: where it comes from (read_rows.py, snapshot_file.py, yaml_source.py, live.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from tool_catalog_pipelines.catalog.records import SHARED, CatalogTool
from tool_catalog_pipelines.catalog.versioning import spelled
from tool_catalog_pipelines.errors import NotFoundError
from tool_catalog_pipelines.spec.base import CHANNELS, ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.experiment import ExperimentSpec

Source = Literal["database", "disk", "yaml"]
ToolKey = tuple[str, str, str]
"""Tenant, platform and case-folded name."""

Fallback = Callable[[frozenset[tuple[str, str]]], "CatalogSnapshot"]
"""Takes the keys (platform, folded name) that are known, of which it need not say anything."""


@dataclass(frozen=True)
class CatalogSnapshot:
    """What somebody sees of the catalogue.

    Attributes:
        revision: counts the changes of the catalogue; 0 for files.
        catalog_id: the catalogue that counts them.
        taken_at: when it was read.
        tools: every version of every tool, of every tenant and environment.
        deleted: tools of which every version is deleted; the fallback does not bring them back.
        experiments: every experiment of the shared tenant with its present status.
        own_experiments: those of all other tenants, each with its tenant.
        source: `disk` means that the database was not asked, so it may be old.
        tenant: its own tools hide those of the shared tenant.
        environment: versions for other environments are not seen; None sees all.
        fallback: asked for what is missing here.
    """

    revision: int
    taken_at: datetime
    tools: tuple[CatalogTool, ...]
    deleted: frozenset[ToolKey] = frozenset()
    experiments: tuple[ExperimentSpec, ...] = ()
    own_experiments: tuple[tuple[str, ExperimentSpec], ...] = ()
    catalog_id: str = ""
    source: Source = "database"
    tenant: str = SHARED
    environment: str | None = None
    fallback: Fallback | None = field(default=None, compare=False)

    @cached_property
    def by_name(self) -> Mapping[str, tuple[CatalogTool, ...]]:
        """Every version that is seen, by folded tool name, over all platforms."""
        groups: dict[str, list[CatalogTool]] = {}
        hidden = self._hidden_keys()
        for tool in self.tools:
            header = tool.header
            if header.tenant != self.tenant and (header.tenant != SHARED or header.key in hidden):
                continue
            if self.environment is None or header.is_seen_in(self.environment):
                groups.setdefault(header.tool_name.lower(), []).append(tool)
        return {
            name: tuple(sorted(tools, key=lambda tool: tool.header.sort_key()))
            for name, tools in groups.items()
        }

    @property
    def seen(self) -> tuple[CatalogTool, ...]:
        """Every version that is seen, with those of the fallback for names that are missing."""
        more: Iterable[tuple[CatalogTool, ...]] = ()
        if self.fallback is not None:
            more = self._lacking(self.fallback).by_name.values()
        return tuple(tool for group in (*self.by_name.values(), *more) for tool in group)

    @property
    def seen_experiments(self) -> tuple[ExperimentSpec, ...]:
        """This tenant's experiments; an active one of its own hides shared ones on its tool."""
        own = tuple(spec for tenant, spec in self.own_experiments if tenant == self.tenant)
        mine = [parse_tool_ref(spec.tool) for spec in own if spec.status == "active"]
        shared = (spec for spec in self.experiments if not any(spec.is_on(tool) for tool in mine))
        return (*shared, *own)

    @property
    def latest(self) -> tuple[CatalogTool, ...]:
        """The version of every tool that a reference without `@` means."""
        groups: dict[tuple[str, str], list[CatalogTool]] = {}
        for tool in self.seen:
            groups.setdefault(tool.header.key, []).append(tool)
        return tuple(at_channel(versions, "latest") or versions[-1] for versions in groups.values())

    def resolve(self, ref: ToolRef) -> CatalogTool:
        """The version that a reference means now; without `@` it is the channel `latest`.

        Raises:
            NotFoundError: no such tool or version, or a bare name on several platforms.
        """
        candidates = self.versions(ref)
        wanted = spelled(ref.at or "latest")
        if wanted in CHANNELS:
            found = at_channel(candidates, wanted)
        else:
            found = next((tool for tool in candidates if tool.header.version == wanted), None)
        if found is None and wanted == "latest" and not any(t.header.enabled for t in candidates):
            # Whoever wants to use it is told that it is disabled, not that it does not exist.
            found = candidates[-1]
        if found is not None:
            return found
        known = ", ".join(sorted(tool.header.version for tool in candidates))
        raise NotFoundError.one(
            f"{ref} has no version or channel {ref.at or wanted!r}", f"known: {known}"
        )

    def versions(self, ref: ToolRef) -> tuple[CatalogTool, ...]:
        """Every version of the tool that a reference names, oldest first.

        Raises:
            NotFoundError: no such tool, or a bare name on several platforms.
        """
        named = self.by_name.get(ref.name.lower(), ())
        candidates = tuple(t for t in named if ref.platform in (None, t.header.platform))
        if not candidates:
            if self.fallback is not None:
                lacking = self._lacking(self.fallback)
                if ref.name.lower() in lacking.by_name:
                    return lacking.versions(ref)
            raise NotFoundError.one(f"there is no tool {ref}", self._near(ref))
        platforms = sorted({tool.header.platform for tool in candidates})
        if len(platforms) > 1:
            options = " or ".join(f"{platform}/{ref.name}" for platform in platforms)
            raise NotFoundError.one(f"{ref} exists on several platforms", f"write {options}")
        return candidates

    def changed(
        self,
        revision: int,
        taken_at: datetime,
        keys: Collection[ToolKey],
        tools: Iterable[CatalogTool],
        deleted: Collection[ToolKey],
    ) -> CatalogSnapshot:
        """The next snapshot: the tools of these keys are replaced by those given, or deleted."""
        kept = (tool for tool in self.tools if (tool.header.tenant, *tool.header.key) not in keys)
        return replace(
            self,
            revision=revision,
            taken_at=taken_at,
            tools=(*kept, *tools),
            deleted=self.deleted.difference(keys).union(deleted),
            source="database",
        )

    def _lacking(self, fallback: Fallback) -> CatalogSnapshot:
        """What the fallback has of tools that are unknown here, not just hidden or deleted."""
        tenants = (SHARED, self.tenant)
        known = frozenset(
            (
                *(t.header.key for t in self.tools if t.header.tenant in tenants),
                *((platform, name) for tenant, platform, name in self.deleted if tenant == SHARED),
            )
        )
        other = fallback(known)
        return replace(other, tools=tuple(t for t in other.tools if t.header.key not in known))

    def _hidden_keys(self) -> frozenset[tuple[str, str]]:
        if self.tenant == SHARED:
            return frozenset()
        return frozenset(t.header.key for t in self.tools if t.header.tenant == self.tenant)

    def _near(self, ref: ToolRef) -> str:
        labels: dict[str, set[str]] = {}
        for tool in self.seen:
            label = f"{tool.header.platform}/{tool.header.tool_name}"
            labels.setdefault(tool.header.tool_name.lower(), set()).add(label)
        near = difflib.get_close_matches(ref.name.lower(), labels, n=3)
        if not near:
            return "`tool-catalog list` shows every tool"
        meant = sorted(label for name in near for label in labels[name])
        return f"did you mean {', '.join(meant)}?"


def at_channel(versions: Iterable[CatalogTool], channel: str) -> CatalogTool | None:
    """The version that a channel means, of one tool's versions, oldest first.

    `latest` falls back to the newest active version, for those who do not see the version that
    it points at.
    """
    known = tuple(versions)
    pointed = next((tool for tool in known if channel in tool.channels), None)
    if pointed is not None or channel != "latest":
        return pointed
    active = [tool for tool in known if tool.header.status == "active" and tool.header.enabled]
    return active[-1] if active else None
