"""Statements on experiments (table tool_ab_tests), in the caller's transaction."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from tool_catalog_pipelines.catalog.audit import Author, Entry, changed, record_change
from tool_catalog_pipelines.catalog.records import SHARED, CatalogTool
from tool_catalog_pipelines.catalog.rival_experiments import only_one_active
from tool_catalog_pipelines.catalog.snapshot import CatalogSnapshot
from tool_catalog_pipelines.catalog.versioning import normalised
from tool_catalog_pipelines.db.schema import tool_ab_tests
from tool_catalog_pipelines.errors import InvalidInputError
from tool_catalog_pipelines.spec.base import ToolRef, parse_tool_ref
from tool_catalog_pipelines.spec.experiment import ExperimentSpec
from tool_catalog_pipelines.spec.load import content_hash

Outcome = Literal["created", "updated", "unchanged"]


def save(
    connection: Connection, author: Author, spec: ExperimentSpec, snapshot: CatalogSnapshot
) -> Outcome:
    """Make or change an experiment, with its audit entry.

    Raises:
        NotFoundError: a version does not exist.
        InvalidInputError: another active experiment holds the tool.
    """
    arm_a, arm_b = (_arm(snapshot, spec, v) for v in (spec.version_a, spec.version_b))
    digest = content_hash(spec)
    existing = connection.execute(
        select(tool_ab_tests.c.id, tool_ab_tests.c.content_hash, tool_ab_tests.c.spec)
        .where(tool_ab_tests.c.tenant == author.tenant)
        .where(tool_ab_tests.c.test_name == spec.experiment)
    ).one_or_none()
    if existing is not None and existing.content_hash == digest:
        return "unchanged"
    _check_alone(connection, author, spec, arm_a)
    values = _values(author, spec, arm_a, arm_b, digest)
    statement = insert(tool_ab_tests).values(
        **values,
        created_by=author.actor,
        started_at=func.now() if spec.status == "active" else None,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "test_name"], set_={**values, "updated_at": func.now()}
        )
    )
    action: Outcome = "created" if existing is None else "updated"
    before: dict[str, Any] = existing.spec if existing is not None else {}
    document = spec.model_dump(mode="json")
    changes = [changed(k, before.get(k), v) for k, v in document.items() if before.get(k) != v]
    record_change(connection, author, Entry("experiment", spec.experiment, action, changes))
    return action


def read(
    connection: Connection,
) -> tuple[tuple[ExperimentSpec, ...], tuple[tuple[str, ExperimentSpec], ...]]:
    """Every experiment as it is now: the shared ones, and the others by tenant.

    The tool is named with the platform that it was found on, so that a tool of the same name on
    another platform, which may come later, has no part in the experiment.
    """
    t = tool_ab_tests.c
    columns = (t.tenant, t.platform, t.tool_key, t.spec, t.status)
    rows = connection.execute(select(*columns).order_by(t.test_name))
    found = [
        (tenant, ExperimentSpec.model_validate({**spec, "tool": f"{on}/{key}", "status": status}))
        for tenant, on, key, spec, status in rows
    ]
    shared = tuple(spec for tenant, spec in found if tenant == SHARED)
    return shared, tuple((tenant, spec) for tenant, spec in found if tenant != SHARED)


def _arm(snapshot: CatalogSnapshot, spec: ExperimentSpec, version: str) -> CatalogTool:
    ref = parse_tool_ref(spec.tool)
    return snapshot.resolve(ToolRef(ref.name, ref.platform, normalised(version)))


def _check_alone(
    connection: Connection, author: Author, spec: ExperimentSpec, tool: CatalogTool
) -> None:
    if spec.status != "active":
        return
    other = connection.execute(
        select(tool_ab_tests.c.test_name).where(
            tool_ab_tests.c.tenant == author.tenant,
            tool_ab_tests.c.platform == tool.spec.platform,
            tool_ab_tests.c.tool_key == tool.spec.tool_name.lower(),
            tool_ab_tests.c.status == "active",
            tool_ab_tests.c.test_name != spec.experiment,
        )
    ).scalar_one_or_none()
    if other is not None:
        raise InvalidInputError.one(
            f"{spec.tool} is in the active experiment {other!r} already",
            only_one_active(other, spec.experiment),
        )


def _values(
    author: Author, spec: ExperimentSpec, arm_a: CatalogTool, arm_b: CatalogTool, digest: str
) -> dict[str, object]:
    return {
        "tenant": author.tenant,
        "test_name": spec.experiment,
        "description": spec.description,
        "hypothesis": spec.hypothesis,
        "platform": arm_a.spec.platform,
        "tool_key": arm_a.spec.tool_name.lower(),
        "tool_a_id": arm_a.tool_id,
        "tool_b_id": arm_b.tool_id,
        "unit": spec.unit,
        "traffic_split": spec.traffic_split,
        "metric": spec.metric,
        "guardrails": list(spec.guardrails),
        "minimum_sample_per_arm": spec.minimum_sample_per_arm,
        "alpha": spec.alpha,
        "target_environment": spec.target_environment,
        "target_users": list(spec.target_users),
        "status": spec.status,
        "content_hash": digest,
        "spec": spec.model_dump(mode="json"),
        "updated_by": author.actor,
    }
