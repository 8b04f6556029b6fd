"""The three forms of a PostgreSQL address: for our engine, for Dagster, for libpq.

Does not belong here: connecting.
"""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tool_catalog_pipelines.errors import InvalidInputError

DAGSTER_SCHEMA = "dagster"
_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"}


def parse_address(text: str) -> URL:
    """Read the address of a server in any of the usual forms.

    Raises:
        InvalidInputError: it is none; the message never holds the password.
    """
    hint = "write postgresql://user:password@host:5432/database (TOOL_CATALOG_DATABASE_URL)"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise InvalidInputError.one("the database URL cannot be read", hint) from None
    if url.drivername not in _SCHEMES:
        message = f"the database URL starts with {url.drivername}://, which is not PostgreSQL"
        raise InvalidInputError.one(message, hint)
    if not url.database:
        raise InvalidInputError.one("the database URL names no database", hint)
    return url.set(drivername="postgresql")


def engine_url(address: URL) -> str:
    """For SQLAlchemy with psycopg 3."""
    return address.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def dagster_url(address: URL) -> str:
    """For Dagster: psycopg2 (its NOTIFY needs it), and every table in schema `dagster`.

    The spaces of options are written `%20`: libpq does not read `+` as a space.
    """
    given = address.query.get("options", "")
    options = " ".join([*([given] if isinstance(given, str) else given), _SEARCH_PATH]).strip()
    return _render(address.update_query_dict({"options": options}), "postgresql+psycopg2")


def libpq_url(address: URL) -> str:
    """For psycopg and ADBC."""
    return _render(address, "postgresql")


def server_name(address: URL) -> str:
    """`host:port/database` for messages; never user or password."""
    host = address.host or address.query.get("host") or "localhost"
    shown = host if isinstance(host, str) else ",".join(host)
    return f"{shown}:{address.port or address.query.get('port') or 5432}/{address.database}"


def with_database(address: str, database: str) -> str:
    """The same server's other database, as a libpq address."""
    return libpq_url(parse_address(address).set(database=database))


_SEARCH_PATH = f"-csearch_path={DAGSTER_SCHEMA}"


def _render(address: URL, driver: str) -> str:
    """Render with percent-encoded query values."""
    plain = address.set(drivername=driver, query={}).render_as_string(hide_password=False)
    pairs = [
        f"{quote(key)}={quote(value, safe='')}"
        for key, values in sorted(address.normalized_query.items())
        for value in values
    ]
    return f"{plain}?{'&'.join(pairs)}" if pairs else plain
