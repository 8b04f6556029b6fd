"""One pool of connections per process for all of Dagster's storage.

Belongs here: who opens the pool and the database behind it, and when they are given back. Does not
belong here: what is read and written (orchestration/storage.py).
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from tool_catalog_pipelines.db.addresses import dagster_url, parse_address
from tool_catalog_pipelines.db.server import acquire_database
from tool_catalog_pipelines.settings import load_settings

POOL_SIZE = 5
MAX_OVERFLOW = 10
POOL_TIMEOUT_S = 30.0
RECYCLE_S = 1800
_CONNECT_TIMEOUT_S = 10


@dataclass(slots=True)
class _Pool:
    """An engine, its database if this process holds one, and how many leases are out."""

    url: str
    engine: Engine
    give_back: Callable[[], None]
    leases: int = 0
    is_prepared: bool = False


class PoolLease:
    """The right to use the process's engine; ends at `close` or when nobody refers to it.

    Attributes:
        url: address of the database in Dagster's form.
        engine: the engine, which commits every statement unless a transaction is begun.
    """

    def __init__(self, pool: _Pool, release: Callable[[], None]) -> None:
        self.url = pool.url
        self.engine = pool.engine
        self._pool = pool
        self._finalizer = weakref.finalize(self, release)

    def prepare(self, work: Callable[[], None]) -> None:
        """Do `work` unless it was done for this pool already."""
        if not self._pool.is_prepared:
            work()
            self._pool.is_prepared = True

    def close(self) -> None:
        """Give the lease back; the last one closes the connections. Idempotent."""
        self._finalizer()


class PoolRegistry:
    """The pools of this process, by address; None is the database of the settings."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pools: dict[str | None, _Pool] = {}
        self._pid = os.getpid()
        os.register_at_fork(after_in_child=self._forget_after_fork)

    def lease(self, url: str | None) -> PoolLease:
        """Lease the pool of this address, opening it if this is the first lease.

        Raises:
            DatabaseUnavailableError: the database of the settings does not answer.
            InvalidInputError: the address is none.
        """
        with self._lock:
            pool = self._pools.get(url)
            if pool is None:
                pool = self._pools[url] = _open(url)
            pool.leases += 1
        return PoolLease(pool, lambda: self._release(url, pool))

    def _release(self, url: str | None, pool: _Pool) -> None:
        with self._lock:
            pool.leases -= 1
            if pool.leases > 0 or self._pools.get(url) is not pool:
                return
            del self._pools[url]
        pool.engine.dispose()
        pool.give_back()

    def _forget_after_fork(self) -> None:
        """Connections and the hold on the server belong to the parent: neither use nor close."""
        pools, self._pools, self._lock = self._pools, {}, threading.RLock()
        for pool in pools.values():
            pool.engine.dispose(close=False)


@cache
def process_pools() -> PoolRegistry:
    """The registry of this process."""
    return PoolRegistry()


def _open(url: str | None) -> _Pool:
    if url is not None:
        address = dagster_url(parse_address(url))
        return _Pool(address, _make_engine(address), lambda: None)
    database = acquire_database(load_settings())
    return _Pool(database.dagster_url, _make_engine(database.dagster_url), database.close)


def _make_engine(url: str) -> Engine:
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",  # what Dagster's storage classes are written for
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
        pool_recycle=RECYCLE_S,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": "tool-catalog-dagster",
        },
    )


def limit_statements(engine: Engine, timeout_ms: int) -> None:
    """Let no statement of connections made from now on run longer; used by the webserver."""

    def set_timeout(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET statement_timeout = {int(timeout_ms)}")
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", set_timeout)
    engine.dispose()
