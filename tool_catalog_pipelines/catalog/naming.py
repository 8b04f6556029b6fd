"""Which tool and versions of the writer's own tenant a reference means, also those deleted.

Readers use snapshots (snapshot.py); writers ask the database inside their turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from tool_catalog_pipelines.catalog import tool_rows
from tool_catalog_pipelines.catalog.records import SHARED
from tool_catalog_pipelines.catalog.tool_rows import ToolName, VersionRow
from tool_catalog_pipelines.catalog.versioning import spelled
from tool_catalog_pipelines.db.schema import tools
from tool_catalog_pipelines.errors import InvalidInputError, NotFoundError
from tool_catalog_pipelines.spec.base import CHANNELS, ToolRef


@dataclass(frozen=True, slots=True)
class Chosen:
    """The versions of one tool that a reference means."""

    name: ToolName
    versions: Sequence[VersionRow]

    def one(self) -> VersionRow:
        """The only version.

        Raises:
            InvalidInputError: the reference means several.
        """
        if len(self.versions) > 1:
            known = ", ".join(version.version for version in self.versions)
            raise InvalidInputError.one(
                f"{self.name.label} has several versions", f"write @ and one of {known}"
            )
        return self.versions[0]


def find_tool(
    connection: Connection, tenant: str, ref: ToolRef, to_change: bool = True
) -> ToolName:
    """The tool that a reference names.

    Args:
        connection: of the caller's transaction.
        tenant: whose tools are changed, and seen before the shared ones.
        ref: the reference.
        to_change: a tool that is only read may also be a shared one.

    Raises:
        NotFoundError: the tenant has no such tool, or has it on several platforms.
    """
    statement = (
        select(tools.c.tenant, tools.c.platform, func.min(tools.c.tool_name))
        .where(func.lower(tools.c.tool_name) == ref.name.lower())
        .where(tools.c.tenant.in_((tenant, SHARED)))
        .group_by(tools.c.tenant, tools.c.platform)
        .order_by(tools.c.platform)
    )
    found = [ToolName(*row) for row in connection.execute(statement)]
    found = [name for name in found if ref.platform in (None, name.platform)]
    own = [name for name in found if name.tenant == tenant]
    if not to_change:
        hidden = {name.platform for name in own}
        own += [name for name in found if name.tenant != tenant and name.platform not in hidden]
    if len(own) == 1:
        return own[0]
    if own:
        options = " or ".join(name.label for name in own)
        raise NotFoundError.one(f"{ref.name} exists on several platforms", f"write {options}")
    if found:
        raise NotFoundError.one(
            f"{found[0].label} belongs to the shared catalogue, not to the tenant {tenant}",
            "import a tool of that name as this tenant to have one of its own",
        )
    raise NotFoundError.one(f"there is no tool {ref}", "`tool-catalog list` shows every tool")


def choose(connection: Connection, tenant: str, ref: ToolRef, with_deleted: bool = False) -> Chosen:
    """The versions that a reference means: one with `@`, every version without.

    Raises:
        NotFoundError: no such tool or version.
    """
    name = find_tool(connection, tenant, ref)
    rows = tool_rows.versions_of(connection, name)
    alive = [row for row in rows if with_deleted or not row.is_deleted]
    if ref.at is None:
        chosen = alive
    elif ref.at in CHANNELS:
        pointed = tool_rows.channels_of(connection, name).get(ref.at)
        chosen = [row for row in alive if row.id == pointed]
    else:
        chosen = [row for row in alive if row.version == spelled(ref.at)]
    if chosen:
        return Chosen(name, chosen)
    if rows and not alive:
        hint = f"`tool-catalog rollback {name.label}@{rows[-1].version}` brings it back"
        raise NotFoundError.one(f"{name.label} is deleted", hint)
    known = ", ".join(row.version for row in alive)
    raise NotFoundError.one(f"{name.label} has no version or channel {ref.at!r}", f"known: {known}")
