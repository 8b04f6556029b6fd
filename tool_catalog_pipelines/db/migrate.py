"""Bringing the schema of a database to the newest version, with Alembic and without its files.

Belongs here: running migrations and preparing the two schemas. Does not belong here: the
migrations themselves (migrations/versions/) and the tables (schema.py).
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from tool_catalog_pipelines.db.addresses import DAGSTER_SCHEMA
from tool_catalog_pipelines.db.schema import SCHEMA, metadata
from tool_catalog_pipelines.errors import DatabaseUnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 7_236_110_451_884_001
"""Any constant will do, as long as nobody else in the database uses it."""


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; several processes may do so at once.

    It also makes the partitions of the facts for this month and the next.

    Raises:
        DatabaseUnavailableError: the database went away.
    """
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            for schema in (SCHEMA, DAGSTER_SCHEMA):
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
            upgrade(connection)
            connection.execute(text(f"SELECT {SCHEMA}.ensure_telemetry_partitions(1)"))
    except OperationalError as error:
        raise DatabaseUnavailableError(f"the schema cannot be brought up to date: {error.orig}") from None


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision in the caller's transaction."""
    script = ScriptDirectory.from_config(_config())

    def steps(current: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs(revision, current)

    with EnvironmentContext(_config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection,
            target_metadata=metadata,
            version_table_schema=SCHEMA,
            transaction_per_migration=False,
        )
        environment.run_migrations()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
