"""Facts -> `tool_catalog.tool_telemetry`, idempotent on the natural key.

Does not belong here: when facts are written (recorder.py) and where they wait (spool.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tool_catalog_pipelines.db.schema import tool_telemetry
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.facts import Execution

ROWS_PER_STATEMENT = 500
"""Keeps a statement below PostgreSQL's 65,535 parameters."""


class FactWriter:
    """Writes facts in multi-row statements; a fact that is there already stays as it is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, facts: Sequence[Execution]) -> int:
        """Store facts in one transaction and return how many were new.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; nothing was stored.
        """
        rows = [_row(fact) for fact in facts]
        stored = 0
        try:
            with self._engine.begin() as connection:
                for at in range(0, len(rows), ROWS_PER_STATEMENT):
                    statement = (
                        insert(tool_telemetry)
                        .values(rows[at : at + ROWS_PER_STATEMENT])
                        .on_conflict_do_nothing()
                    )
                    stored += connection.execute(statement).rowcount
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise DatabaseUnavailableError(
                "PostgreSQL cannot be reached; facts wait in the spool"
            ) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnavailableError("the connection to PostgreSQL broke") from error
            raise
        return stored

    def count(self) -> int:
        """Number of facts in the table."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(tool_telemetry)).scalar_one()


def _row(fact: Execution) -> dict[str, Any]:
    """Column values; PostgreSQL cannot store NUL characters, so they become U+FFFD."""
    record = {name: getattr(fact, name) for name in fact.__slots__}
    record["user_id"] = record.pop("user")
    return {name: _storable(value) for name, value in record.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    return dict(cast("Mapping[str, float]", value)) if isinstance(value, Mapping) else value
