"""Monthly partitions of the facts, made ahead of time.

A fact without a partition of its own month goes to the default partition, so a missing one costs
speed and no fact. Does not belong here: the function in the database that makes one
(db/migrations/).
"""

from __future__ import annotations

import logging

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tool_catalog_pipelines.errors import DatabaseUnavailableError

MONTHS_AHEAD = 2
_LOCK_KEY = 7_236_110_451_884_021
_LOCK_TIMEOUT = "3s"
"""Making a partition locks the default one; a long reader must not make writers queue behind us."""
_DUPLICATE_TABLE = "42P07"
_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"
_logger = logging.getLogger(__name__)


def ensure_partitions(engine: Engine, months_ahead: int = MONTHS_AHEAD) -> tuple[str, ...]:
    """Make the partitions of this month and the next ones; returns those that are new.

    Many processes may call it at once. If the table is in use for too long, nothing is made and
    the next call tries again.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            ask = text("SELECT tool_catalog.ensure_telemetry_partitions(:months)")
            return tuple(connection.execute(ask, {"months": months_ahead}).scalars())
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in (_DUPLICATE_TABLE, _LOCK_NOT_AVAILABLE, _DEADLOCK):
            _logger.info("partitions are made by the next call: %s", error.orig)
            return ()
        message = f"the partitions of the facts cannot be made: {error.orig}"
        raise DatabaseUnavailableError(message) from None
    except SQLAlchemyError as error:
        raise DatabaseUnavailableError(f"PostgreSQL cannot be reached: {error}") from None
