"""Statements on estimates: their versioned history, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.catalog.audit import Author
from tool_catalog_pipelines.catalog.records import Estimate
from tool_catalog_pipelines.db.schema import tool_estimates
from tool_catalog_pipelines.spec.tool import ToolSpec

PatternKey = tuple[str, str]


def declare_estimates(connection: Connection, author: Author, tool_id: int, spec: ToolSpec) -> None:
    """Revision 1 of every pattern: what the author of the tool wrote."""
    for capability, declared in spec.capabilities.items():
        for name, pattern in declared.patterns.items():
            is_known = pattern.time_estimate_ms is not None or pattern.cost_estimate is not None
            estimate = Estimate(
                time_ms=pattern.time_estimate_ms,
                cost_units=pattern.cost_estimate,
                basis="declared" if is_known else "unknown",
            )
            insert_estimate(connection, author, tool_id, (capability, name), estimate, "declared")


def insert_estimate(
    connection: Connection,
    author: Author,
    tool_id: int,
    key: PatternKey,
    estimate: Estimate,
    reason: str,
) -> int:
    """Add a revision and make it the current one; returns its number."""
    of_pattern = (
        (tool_estimates.c.tool_id == tool_id)
        & (tool_estimates.c.capability == key[0])
        & (tool_estimates.c.pattern == key[1])
    )
    newest = connection.execute(
        select(func.coalesce(func.max(tool_estimates.c.revision), 0)).where(of_pattern)
    ).scalar_one()
    connection.execute(
        update(tool_estimates)
        .where(of_pattern, tool_estimates.c.is_current)
        .values(is_current=False)
    )
    values = {**asdict(estimate), "revision": newest + 1}
    connection.execute(
        insert(tool_estimates).values(
            tool_id=tool_id,
            capability=key[0],
            pattern=key[1],
            reason=reason,
            is_current=True,
            created_by=author.actor,
            **values,
        )
    )
    return newest + 1


def current_estimates(connection: Connection) -> Mapping[int, Mapping[PatternKey, Estimate]]:
    """The current estimate of every pattern, by tool version."""
    rows = connection.execute(select(tool_estimates).where(tool_estimates.c.is_current)).mappings()
    found: dict[int, dict[PatternKey, Estimate]] = {}
    for row in rows:
        estimate = Estimate(
            time_ms=row["time_ms"],
            cost_units=row["cost_units"],
            basis=row["basis"],
            runs=row["runs"],
            revision=row["revision"],
            evidence=row["evidence"],
        )
        found.setdefault(row["tool_id"], {})[row["capability"], row["pattern"]] = estimate
    return found
