"""The migrated schema is the schema of the model, and migrating may be done by many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.exc import DBAPIError

from tool_catalog_pipelines.db.columns import TransactionId
from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.db.schema import SCHEMA, metadata


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    if kind == "schema":
        return name == SCHEMA
    return not (kind == "table" and str(name).startswith("tool_telemetry_"))


def test_migrated_schema_equals_the_model(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ischema_names, "xid8", TransactionId)
    options = {
        "include_schemas": True,
        "include_name": _is_ours,
        "target_metadata": metadata,
        "version_table_schema": SCHEMA,
        "compare_type": True,
        "compare_server_default": True,
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_check_constraints_equal_the_model(engine: Engine) -> None:
    """Alembic does not compare these."""
    inspector = inspect(engine)
    for table in metadata.sorted_tables:
        found = {c["name"] for c in inspector.get_check_constraints(table.name, schema=SCHEMA)}
        wanted = {c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"}
        assert found == wanted, table.name


def test_many_may_migrate_at_once(empty_database_url: str) -> None:
    engines = [make_engine(empty_database_url, pool_size=1) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, engines))
    with engines[0].connect() as connection:
        versions = connection.execute(text(f"SELECT version_num FROM {SCHEMA}.alembic_version"))
        assert len(versions.all()) == 1
        assert "dagster" in inspect(connection).get_schema_names()
    for engine in engines:
        engine.dispose()


def test_partitions_cover_this_month_and_the_next(engine: Engine) -> None:
    with engine.begin() as connection:
        ask = text(f"SELECT {SCHEMA}.ensure_telemetry_partitions(1, :at)")
        made = connection.execute(ask, {"at": "2031-12-31T23:30:00+00:00"}).scalars().all()
        again = connection.execute(ask, {"at": "2031-12-31T23:30:00+00:00"}).scalars().all()
    assert made == ["tool_telemetry_2031_12", "tool_telemetry_2032_01"]
    assert again == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE {0} SET action = 'x'", "DELETE FROM {0}", "TRUNCATE {0}"],
)
def test_audit_log_refuses_every_change(engine: Engine, statement: str) -> None:
    table = f"{SCHEMA}.tool_audit_log"
    columns = "(entity_type, entity_key, action, changed_by)"
    insert = f"INSERT INTO {table} {columns} VALUES ('tool', 'k', 'created', 'me')"
    with engine.begin() as connection:
        connection.execute(text(insert))
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement.format(table)))
