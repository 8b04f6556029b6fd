"""Facts -> `tool_catalog.tool_telemetry`, idempotent on the natural key.

Does not belong here: when facts are written (recorder.py) and where they wait (spool_file.py).

One INSERT in psycopg's pipelined `executemany`. Measured for 1 / 50 / 1000 facts on PostgreSQL 18:
0.24 / 2.2 / 36 ms; one statement with many VALUES 0.9 / 24 / 570 ms (building the text); COPY into
a temporary table, then INSERT 1.8 / 4.1 / 30 ms; one JSON document 0.24 / 2.2 / 35 ms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tool_catalog_pipelines.db.schema import tool_telemetry
from tool_catalog_pipelines.errors import DatabaseUnavailableError, TerminalError
from tool_catalog_pipelines.facts import Execution

_FIELDS = tuple(Execution.__slots__)
_COLUMNS = tuple("user_id" if name == "user" else name for name in _FIELDS)
_INSERT = (
    f"INSERT INTO tool_catalog.tool_telemetry ({', '.join(_COLUMNS)}) "  # noqa: S608 - constants
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))}) ON CONFLICT DO NOTHING"
)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL's text knows neither NUL nor lone surrogates (names of files that are not UTF-8)."""
_FACT_AT_FAULT = ("22", "23")
"""Classes of SQLSTATE: data exception, integrity constraint violation."""


class FactWriter:
    """Writes facts; a fact that is there already stays as it is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, facts: Sequence[Execution]) -> int:
        """Store facts in one transaction and return how many were new.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away, or cannot store any fact now (not
                migrated, read-only, full); nothing was stored.
            TerminalError: PostgreSQL refuses one of these facts; nothing was stored.
        """
        if not facts:
            return 0
        rows = [_row(fact) for fact in facts]
        try:
            with self._engine.begin() as connection:
                return connection.exec_driver_sql(_INSERT, rows).rowcount
        except DBAPIError as error:
            said = self._without_password(str(error.orig))
            if _is_fact_at_fault(error):
                raise TerminalError(f"PostgreSQL refuses the fact: {said}") from None
            raise DatabaseUnavailableError(f"PostgreSQL does not store facts: {said}") from None
        except SQLAlchemyError as error:
            said = self._without_password(str(error))
            raise DatabaseUnavailableError(f"PostgreSQL does not store facts: {said}") from None

    def count(self) -> int:
        """Number of facts in the table."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(tool_telemetry)).scalar_one()

    def _without_password(self, said: str) -> str:
        password = self._engine.url.password
        said = " ".join(said.split())
        return said.replace(str(password), "***") if password else said


def _is_fact_at_fault(error: DBAPIError) -> bool:
    """Whether the facts are to blame, so that the same ones will be refused again."""
    cause = cast("object", error.orig)
    if error.connection_invalidated or not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:  # psycopg itself: a value that it cannot send
        return isinstance(cause, psycopg.DataError | psycopg.ProgrammingError)
    return cause.sqlstate.startswith(_FACT_AT_FAULT)


def _row(fact: Execution) -> tuple[Any, ...]:
    return tuple(_storable(getattr(fact, name)) for name in _FIELDS)


def _storable(value: Any) -> Any:
    """The value as PostgreSQL can hold it; a number that is none becomes null."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return Jsonb(_storable_mapping(cast("Mapping[str, Any]", value)))
    return value


def _storable_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_UNSTORABLE.sub("\ufffd", name): _storable(value) for name, value in values.items()}
