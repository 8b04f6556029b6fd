"""Statements on estimates: their versioned history, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.catalog.audit import Author
from tool_catalog_pipelines.catalog.records import Estimate, PatternKey, declared_estimates
from tool_catalog_pipelines.db.schema import tool_estimates
from tool_catalog_pipelines.spec.tool import ToolSpec


def declare_estimates(
    connection: Connection,
    author: Author,
    tool_id: int,
    spec: ToolSpec,
    parent: tuple[int, ToolSpec] | None = None,
) -> None:
    """Revision 1 of every pattern: what the author of the tool wrote.

    A pattern that does what it did in the parent version keeps what was learnt there: the
    parent's recalibrated estimate becomes revision 2.
    """
    learnt: Mapping[PatternKey, Estimate] = {}
    if parent is not None:
        learnt = _learnt(connection, spec, parent)
    rows = [
        _row(author, tool_id, key, estimate, "declared")
        for key, estimate in declared_estimates(spec).items()
    ]
    connection.execute(insert(tool_estimates), rows)
    for key, estimate in learnt.items():
        reason = f"as in {parent[1].version}" if parent is not None else ""
        insert_estimate(connection, author, tool_id, key, estimate, reason)


def _learnt(
    connection: Connection, spec: ToolSpec, parent: tuple[int, ToolSpec]
) -> Mapping[PatternKey, Estimate]:
    parent_id, before = parent
    current = current_estimates(connection, (parent_id,)).get(parent_id, {})
    return {
        key: estimate
        for key, estimate in current.items()
        if estimate.basis == "recalibrated" and _behaviour(spec, key) == _behaviour(before, key)
    }


def _behaviour(spec: ToolSpec, key: PatternKey) -> object:
    """What decides how long a pattern takes; None if there is no such pattern."""
    capability = spec.capabilities.get(key[0])
    pattern = capability.patterns.get(key[1]) if capability else None
    if pattern is None:
        return None
    used = {"binding", "variables", "time_estimate_ms", "cost_estimate", "price"}
    return (pattern.model_dump(include=used), pattern.inputs)


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
    row = _row(author, tool_id, key, replace(estimate, revision=newest + 1), reason)
    connection.execute(insert(tool_estimates), [row])
    return newest + 1


def _row(
    author: Author, tool_id: int, key: PatternKey, estimate: Estimate, reason: str
) -> dict[str, object]:
    return {
        "tool_id": tool_id,
        "capability": key[0],
        "pattern": key[1],
        "reason": reason,
        "is_current": True,
        "created_by": author.actor,
        **asdict(estimate),
    }


def current_estimates(
    connection: Connection, tool_ids: Sequence[int]
) -> Mapping[int, Mapping[PatternKey, Estimate]]:
    """The current estimate of every pattern of some versions."""
    statement = select(tool_estimates).where(
        tool_estimates.c.is_current, tool_estimates.c.tool_id.in_(tool_ids)
    )
    found: dict[int, dict[PatternKey, Estimate]] = {}
    for row in connection.execute(statement).mappings():
        found.setdefault(row["tool_id"], {})[row["capability"], row["pattern"]] = _estimate(row)
    return found


def estimate_at(
    connection: Connection, tool_id: int, key: PatternKey, revision: int
) -> Estimate | None:
    """An estimate of the history of a pattern."""
    statement = select(tool_estimates).filter_by(
        tool_id=tool_id, capability=key[0], pattern=key[1], revision=revision
    )
    row = connection.execute(statement).mappings().one_or_none()
    return _estimate(row) if row is not None else None


def _estimate(row: RowMapping) -> Estimate:
    return Estimate(
        time_ms=row["time_ms"],
        cost_units=row["cost_units"],
        basis=row["basis"],
        runs=row["runs"],
        revision=row["revision"],
        evidence=row["evidence"],
    )
