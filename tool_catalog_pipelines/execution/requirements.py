"""Whether a tool may and can be started here and now: its state, its environments, its needs.

Only needs that can be looked at without starting anything are checked; packages, services and
permissions are known when the tool is used. Does not belong here: policies (policy.py).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tool_catalog_pipelines.catalog.records import CatalogTool
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.spec.tool import DependencySpec, ToolSpec

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where commands are looked for; what tools find must not depend on who started us."""


def check_startable(tool: CatalogTool, environment: str) -> None:
    """Refuse a tool that nobody may start, or that lacks what it needs.

    Raises:
        AttemptError: of kind ToolDisabled or DependencyMissing, with the reason.
    """
    header = tool.header
    if not header.is_usable:
        state = header.status if header.enabled else "disabled"
        raise AttemptError("ToolDisabled", f"{tool.label} is {state}; enable it or use another")
    if not header.is_seen_in(environment):
        seen = ", ".join(header.environments)
        raise AttemptError("ToolDisabled", f"{tool.label} is for {seen}, not for {environment}")
    missing = missing_here(tool.spec)
    if missing:
        what = ", ".join(f"{need.type} {need.name}" for need in missing)
        raise AttemptError(
            "DependencyMissing", f"{tool.label} needs what this machine lacks: {what}; install it"
        )


def missing_here(spec: ToolSpec) -> tuple[DependencySpec, ...]:
    """Required dependencies that this machine lacks for certain.

    Those of a tool that only runs elsewhere are not looked for here.
    """
    if all(pattern.connection is not None for pattern in spec.patterns):
        return ()
    return tuple(need for need in spec.dependencies if need.required and not _is_there(need))


def _is_there(need: DependencySpec) -> bool:
    if need.type == "binary":
        return shutil.which(need.name, path=SEARCH_PATH) is not None
    if need.type == "filesystem":
        return Path(need.name).exists()
    if need.type == "platform":
        return sys.platform.startswith(need.name.lower())
    return True
