"""Bringing the schema of a database to the newest version, with Alembic and without its files.

Belongs here: running migrations and preparing the two schemas. Does not belong here: the
migrations themselves (migrations/versions/) and the tables (schema.py).
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from tool_catalog_pipelines.db.addresses import DAGSTER_SCHEMA
from tool_catalog_pipelines.db.schema import SCHEMA
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
            command.upgrade(alembic_config(connection), "head")
            connection.execute(text(f"SELECT {SCHEMA}.ensure_telemetry_partitions(1)"))
    except OperationalError as error:
        message = f"the schema cannot be brought up to date: {error.orig}"
        raise DatabaseUnavailableError(message) from None


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for a connection whose transaction the caller owns."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
