"""Bringing the schema of a database to the newest version, with Alembic and without its files.

Belongs here: running migrations and preparing the two schemas. Does not belong here: the
migrations themselves (migrations/versions/) and the tables (schema.py).
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError

from tool_catalog_pipelines.db.addresses import DAGSTER_SCHEMA
from tool_catalog_pipelines.db.schema import SCHEMA
from tool_catalog_pipelines.errors import DatabaseUnavailableError, EnvironmentUnfitError

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 7_236_110_451_884_001
"""Any constant will do, as long as nobody else in the database uses it."""


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; several processes may do so at once.

    It also makes the partitions of the facts for this month and the next.

    Raises:
        DatabaseUnavailableError: the database went away.
        EnvironmentUnfitError: the role may not do that.
    """
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            for schema in (SCHEMA, DAGSTER_SCHEMA):
                _make_schema(connection, schema)
            command.upgrade(alembic_config(connection), "head")
            connection.execute(text(f"SELECT {SCHEMA}.ensure_telemetry_partitions(1)"))
    except (OperationalError, InternalError) as error:
        message = f"the schema cannot be brought up to date: {error.orig}"
        raise DatabaseUnavailableError(message) from None
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        said = str(error.orig).splitlines()[0]
        url = engine.url
        hint = f'let "{url.username}" own the database "{url.database}", or make the schemas for it'
        message = f"the schema cannot be brought up to date: {said}"
        raise EnvironmentUnfitError.one(message, hint) from None


def _make_schema(connection: Connection, name: str) -> None:
    """Unless it is there: a role that may not make schemas may have been given one."""
    found = connection.execute(text("SELECT to_regnamespace(:name)"), {"name": name})
    if found.scalar_one() is None:
        connection.execute(text(f"CREATE SCHEMA {name}"))


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for a connection whose transaction the caller owns."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
