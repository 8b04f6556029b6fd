"""What the launchpad asks of somebody who manages tools, and what it refuses.

Each form is a model; its validators need no database and run when a run is launched. Whether a
tool exists is found out by the run. Does not belong here: what is done with it (manage.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import dagster as dg
from pydantic import AfterValidator, Field, model_validator

from tool_catalog_pipelines.catalog.life import Channel
from tool_catalog_pipelines.catalog.saving import OnConflict
from tool_catalog_pipelines.catalog.versioning import normalised
from tool_catalog_pipelines.spec.base import CHANNELS, ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.tool import Category, Platform

ANY = "any"
_LONGEST = 500
AnyPlatform: TypeAlias = Literal["any", Platform]
AnyCategory: TypeAlias = Literal["any", Category]
AnyStatus: TypeAlias = Literal["any", "active", "deprecated", "disabled", "testing", "draft"]


def _line(text: str) -> str:
    """One line of text without blanks around it."""
    line = text.strip()
    if len(line) > _LONGEST:
        raise ValueError(f"{len(line)} characters; {_LONGEST} at most")
    if any(not character.isprintable() for character in line):
        raise ValueError("a line break or control character; write one line of text")
    return line


def _reference(text: str) -> str:
    """A reference that may mean something, in its usual spelling."""
    ref = parse_tool_ref(_line(text))
    if ref.platform not in (None, *get_args(Platform)):
        known = ", ".join(get_args(Platform))
        raise ValueError(f"there is no platform {ref.platform!r}; one of {known}")
    if ref.at is not None and ref.at not in CHANNELS:
        try:
            normalised(ref.at)
        except ValueError:
            known = ", ".join(CHANNELS)
            raise ValueError(
                f"{ref.at!r} is neither a version such as 1.2.0 nor a channel ({known})"
            ) from None
    return str(ref)


def _absolute(text: str) -> str:
    """An absolute path, or nothing."""
    line = _line(text)
    if not line:
        return ""
    try:
        path = Path(line).expanduser()
    except RuntimeError:
        raise ValueError(f"{line!r} names a user who does not exist") from None
    if not path.is_absolute():
        raise ValueError(f"{line!r} is not absolute; begin with / (the server has its own folder)")
    return str(path)


def _readable(text: str) -> str:
    path = _absolute(text)
    if path and not Path(path).exists():
        raise ValueError(f"there is no file or folder {path} on the server")
    return path


def _writable(text: str) -> str:
    path = _absolute(text)
    if path and Path(path).exists() and not Path(path).is_dir():
        raise ValueError(f"{path} is no folder")
    return path


Line = Annotated[str, AfterValidator(_line)]
Reference = Annotated[str, AfterValidator(_reference)]
REASON = "Why; kept in the audit log."


class ImportForm(dg.Config):
    """What is imported, and what becomes of conflicts."""

    path: Annotated[str, AfterValidator(_readable)] = Field(
        default="",
        description="A file or folder on the server, absolute. Empty: the YAML folder.",
    )
    on_conflict: OnConflict = Field(
        default="new_version",
        description="Other content under a version number that exists: "
        "save it as the next patch (new_version), leave it out (skip) or refuse it (fail).",
    )
    dry_run: bool = Field(default=False, description="Say what would happen; change nothing.")


class ExportForm(dg.Config):
    """Which tools are written, and where to."""

    folder: Annotated[str, AfterValidator(_writable)] = Field(
        default="",
        description="A folder on the server, absolute. Empty: `exports` of the installation.",
    )
    tools: list[Reference] = Field(
        default=[], description="platform/name or platform/name@version. None: every tool."
    )
    platform: AnyPlatform = Field(default="any", description="Only tools of this platform.")
    category: AnyCategory = Field(default="any", description="Only tools of this category.")
    status: AnyStatus = Field(default="any", description="Only tools in this state.")
    tag: Line = Field(default="", description="Only tools with this tag. Empty: any.")
    owner: Line = Field(default="", description="Only tools of this owner. Empty: any.")
    every_version: bool = Field(default=False, description="Not only the latest version.")

    @model_validator(mode="after")
    def _not_both(self) -> ExportForm:
        if self.tools and self.every_version:
            raise ValueError("tools that are named are exported in one version; write the versions")
        return self


class ToolForm(dg.Config):
    """A tool, or one version of it."""

    tool: Reference = Field(
        description="platform/name for every version, platform/name@version for one."
    )
    reason: Line = Field(default="", description=REASON)


class PromoteForm(dg.Config):
    """A version, and the channel that is to point at it."""

    tool: Reference = Field(
        description="platform/name@version; without @ the latest version is promoted."
    )
    channel: Channel = Field(default="stable", description="The channel that moves.")
    reason: Line = Field(default="", description=REASON)

    @property
    def version(self) -> ToolRef:
        """The one version that is meant."""
        ref = parse_tool_ref(self.tool)
        return ToolRef(ref.name, ref.platform, ref.at or "latest")


def _with_version(text: str) -> str:
    reference = _reference(text)
    if "@" not in reference:
        raise ValueError(f"to which version? write {reference}@VERSION")
    return reference


class RollBackForm(dg.Config):
    """The version that `latest` is to mean again."""

    tool: Annotated[str, AfterValidator(_with_version)] = Field(
        description="platform/name@version: what `latest` is to mean; a deleted one comes back."
    )
    reason: Line = Field(default="", description=REASON)


class CatalogueThresholds(dg.Config):
    """From when on the catalogue as a whole is good enough."""

    minimum_mean_quality: float = Field(
        default=70.0,
        ge=0,
        le=100,
        description="Mean points of all tools, from 0 to 100; below it: a warning.",
    )
    minimum_executable_share: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="Share of tools with a binding, from 0 to 1; below it: a warning.",
    )
