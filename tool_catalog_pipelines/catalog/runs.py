"""Run locks and chain versions in PostgreSQL. What a lock holds is planning/lock.py."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from tool_catalog_pipelines.db.schema import chain_versions, run_locks
from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.spec.load import canonical_json


class RunStore:
    """Reads and writes what belongs to one run."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._tenant = settings.tenant

    def lock(self, run_id: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store the lock of a run and return the one that holds: the first writer wins."""
        statement = insert(run_locks).values(
            tenant=self._tenant,
            run_id=run_id,
            run_started_at=datetime.fromisoformat(document["identity"]["run_started_at"]),
            chain=document["chain"],
            chain_version=document["chain_version"],
            fingerprint=document["fingerprint"],
            document=dict(document),
        )
        with self._transaction() as connection:
            connection.execute(statement.on_conflict_do_nothing())
            return self._find(connection, run_id) or document

    def find_lock(self, run_id: str) -> Mapping[str, Any] | None:
        """The lock of a run, or None."""
        with self._transaction() as connection:
            return self._find(connection, run_id)

    def record_chain(
        self, name: str, version: str, fingerprint: str, content: Mapping[str, Any]
    ) -> None:
        """Remember what a chain said when it first ran with this plan."""
        statement = insert(chain_versions).values(
            tenant=self._tenant,
            name=name,
            version=version,
            fingerprint=fingerprint,
            content=canonical_json(content),
        )
        with self._transaction() as connection:
            connection.execute(statement.on_conflict_do_nothing())

    def _find(self, connection: Connection, run_id: str) -> Mapping[str, Any] | None:
        statement = select(run_locks.c.document).filter_by(tenant=self._tenant, run_id=run_id)
        return connection.execute(statement).scalar_one_or_none()

    @contextmanager
    def _transaction(self) -> Generator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise DatabaseUnavailableError(f"PostgreSQL does not answer: {error.orig}") from None
