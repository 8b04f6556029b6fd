"""What executing a step needs from outside: the catalogue, a recorder of facts, folders.

Also the two signals by which an attempt ends early. Does not belong here: how they are made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.errors import Position, ToolCatalogError
from tool_catalog_pipelines.facts import Execution, Status

SecretSource = Callable[[str], str | None]
"""The value of a secret by its name, or None where nobody has set it."""


def no_secrets(name: str) -> str | None:
    """A source without any secret."""
    del name
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """The surroundings of a step; `record` must have made the fact durable when it returns."""

    snapshot: Callable[[], CatalogSnapshot]
    record: Callable[[Execution], None]
    work_dir: Path
    reports_dir: Path
    host: str
    secrets: SecretSource = no_secrets


class AttemptError(ToolCatalogError):
    """An attempt that ended without success, with what goes into its fact."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: Status = "failed",
        is_transient: bool = False,
        position: Position | None = None,
        exit_code: int | None = None,
    ) -> None:
        self.kind = kind
        self.status: Status = status
        self.is_transient = is_transient
        self.position = position
        self.exit_code = exit_code
        super().__init__(message)


class UpstreamSkippedError(ToolCatalogError):
    """A value without default comes from a step that has no output: this step is skipped too."""
