"""SQLAlchemy engines for the catalogue's database.

Does not belong here: where the database is (server.py), and any statement.
"""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

from tool_catalog_pipelines.db.addresses import engine_url, parse_address
from tool_catalog_pipelines.db.server import Database

POOL_TIMEOUT_S = 30.0
RECYCLE_S = 1800
_CONNECT_TIMEOUT_S = 10


def make_engine(database: Database | str, pool_size: int = 5, max_overflow: int = 5) -> Engine:
    """An engine with a pool; dead connections are noticed when they are borrowed.

    Args:
        database: what `acquire_database` gave, or an address in any of the usual forms.
        pool_size: connections that are kept open; the embedded server allows 100 in all.
        max_overflow: connections beyond that under load.
    """
    url = database.url if isinstance(database, Database) else engine_url(parse_address(database))
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_TIMEOUT_S,
        pool_recycle=RECYCLE_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "application_name": "tool-catalog"},
    )
