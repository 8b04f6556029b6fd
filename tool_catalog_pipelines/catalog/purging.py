"""Removing a deleted tool for good, unless something still refers to it.

Does not belong here: hiding a tool (life.py). Audit entries stay: they hold keys, no references.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, Select, delete, func, or_, select, text

from tool_catalog_pipelines.catalog.audit import Entry, changed
from tool_catalog_pipelines.catalog.naming import Chosen
from tool_catalog_pipelines.catalog.saving import Turn
from tool_catalog_pipelines.db.schema import tool_ab_tests, tool_telemetry, tools
from tool_catalog_pipelines.errors import InvalidInputError, Problem

_LOCKS = text("""
SELECT count(*)
FROM tool_catalog.run_locks AS l
WHERE EXISTS (
    SELECT 1 FROM jsonb_path_query(l.document, '$.**.tool_id') AS found (id)
    WHERE found.id = ANY (SELECT to_jsonb(i) FROM unnest(CAST(:ids AS bigint[])) AS i)
)
""")


def purge(turn: Turn, chosen: Chosen, chains: Sequence[str], reason: str) -> None:
    """Remove versions that are deleted and that nothing refers to.

    Args:
        turn: the writer's turn.
        chosen: the versions.
        chains: names of the chains whose files use the tool.
        reason: kept in the audit log.

    Raises:
        InvalidInputError: a version is not deleted, or something refers to it; names everything.
    """
    label = chosen.name.label
    problems = [
        Problem(
            f"{label}@{version.version} is not deleted", hint=f"`tool-catalog delete {label}` first"
        )
        for version in chosen.versions
        if not version.is_deleted
    ]
    ids = [version.id for version in chosen.versions]
    problems += [
        Problem(f"{label}: {what}", hint="what refers to a tool keeps it; it stays hidden")
        for what in (*_referring(turn.connection, ids), *(f"the chain {c} uses it" for c in chains))
    ]
    if problems:
        raise InvalidInputError(problems)
    turn.connection.execute(delete(tools).where(tools.c.id.in_(ids)))
    for version in chosen.versions:
        gone = [
            changed("version", version.version, None),
            changed("content_hash", version.content_hash, None),
        ]
        turn.record(Entry("tool", f"{label}@{version.version}", "purged", gone, reason))


def _referring(connection: Connection, ids: Sequence[int]) -> Iterable[str]:
    def count(statement: Select[int]) -> int:
        return connection.execute(statement).scalar_one()

    facts = count(_counted(tool_telemetry.c.tool_id.in_(ids)))
    if facts:
        yield f"{facts} executions were recorded"
    columns = (tool_ab_tests.c.tool_a_id, tool_ab_tests.c.tool_b_id, tool_ab_tests.c.winner_tool_id)
    experiments = count(_counted(or_(*(column.in_(ids) for column in columns))))
    if experiments:
        yield f"{experiments} experiments compare it"
    locks = connection.execute(_LOCKS, {"ids": list(ids)}).scalar_one()
    if locks:
        yield f"{locks} runs are locked to it"


def _counted(condition: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).where(condition)
