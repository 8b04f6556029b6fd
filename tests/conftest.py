"""Fixtures for every tier: one PostgreSQL per test run, one fresh database per test.

`TOOL_CATALOG_TEST_DATABASE_URL` names a server to use instead of the embedded one; its user must
be allowed to create databases. The place of this file puts tests/ on the import path, so that
`factories` is found.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from sqlalchemy import Engine

from tool_catalog_pipelines.catalog.connect import Catalog, open_catalog
from tool_catalog_pipelines.db.addresses import with_database
from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.db.server import acquire_database, wait_until_stopped
from tool_catalog_pipelines.settings import CHECKOUT, Settings

_ROOT_VARIABLE = "TOOL_CATALOG_TEST_ROOT"
_SERVER_VARIABLE = "TOOL_CATALOG_TEST_DATABASE_URL"
_TEMPLATE_LOCK = 7_236_110_451_884_002

# The phase `explain` traces every line of every example (before Python 3.12 with sys.settrace),
# which makes tests several times slower; a failure is found and made small without it.
hypothesis_settings.register_profile(
    "quick",
    max_examples=50,
    deadline=None,
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
hypothesis_settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers of this run share; open, for the server's own user."""
    if not hasattr(config, "workerinput"):
        root = Path(tempfile.mkdtemp(prefix="tcp-"))
        root.chmod(0o755)
        os.environ[_ROOT_VARIABLE] = str(root)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder after the server's end, and the template from a server that stays."""
    if hasattr(config, "workerinput"):
        return
    root = Path(os.environ.pop(_ROOT_VARIABLE))
    wait_until_stopped(_settings(root / "server"))
    if server := os.environ.get(_SERVER_VARIABLE):
        _drop_database(server, _template_name(root))
    shutil.rmtree(root, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI runs every program is installed, so that there a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and in CI nothing may be: {call.excinfo}"
    return report


@pytest.fixture(scope="session")
def test_root() -> Path:
    """A folder with a short path that everybody may enter, removed after the run."""
    return Path(os.environ[_ROOT_VARIABLE])


@pytest.fixture(scope="session")
def server_url(test_root: Path) -> Iterator[str]:
    """Address of the maintenance database of the server of this test run."""
    if given := os.environ.get(_SERVER_VARIABLE):
        yield given
        return
    with acquire_database(_settings(test_root / "server")) as database:
        with psycopg.connect(database.libpq_url, autocommit=True) as connection:
            # Nothing here has to survive a power cut.
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {name} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield with_database(database.libpq_url, "postgres")


@pytest.fixture(scope="session")
def template_database(server_url: str, test_root: Path) -> str:
    """Name of a migrated, empty database to clone; made by the first worker that asks."""
    template = _template_name(test_root)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_TEMPLATE_LOCK,))
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,))
        if found.fetchone() is None:
            _make_template(connection, server_url, template)
    return template


@pytest.fixture
def database_url(server_url: str, template_database: str) -> Iterator[str]:
    """Address of a fresh, migrated database, dropped after the test."""
    name = f"tc_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(
            statement.format(sql.Identifier(name), sql.Identifier(template_database))
        )
    yield with_database(server_url, name)
    _drop_database(server_url, name)


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """Address of a fresh database without any schema of ours, dropped after the test."""
    name = f"tc_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield with_database(server_url, name)
    _drop_database(server_url, name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the fresh database."""
    made = make_engine(database_url, pool_size=2, max_overflow=8)
    yield made
    made.dispose()


@pytest.fixture
def home(test_root: Path) -> Iterator[Path]:
    """An empty folder for the state of one installation, open to others, with a short path."""
    folder = test_root / uuid.uuid4().hex[:12]
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settings(home: Path, database_url: str) -> Settings:
    """An installation of its own, on the fresh database, with an empty catalogue folder."""
    return _settings(home, database_url)


@pytest.fixture
def offline_settings(home: Path) -> Iterator[Settings]:
    """An installation with no database given: it would start an embedded server of its own."""
    made = _settings(home)
    yield made
    assert wait_until_stopped(made), "a test left the embedded server running"


def _settings(home: Path, database_url: str | None = None) -> Settings:
    catalog_dir = home / "catalog_yaml"
    catalog_dir.mkdir(parents=True, exist_ok=True)
    return Settings(
        home=home,
        database_url=database_url,
        catalog_dir=catalog_dir,
        analytics_dir=CHECKOUT / "analytics",
        actor="tester",
        host="test-host",
    )


def _template_name(root: Path) -> str:
    return f"tc_template_{root.name.lower()}"


def _make_template(connection: psycopg.Connection, server_url: str, template: str) -> None:
    building = f"{template}_building"
    _drop_database(server_url, building)
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
    engine = make_engine(with_database(server_url, building))
    migrate(engine)
    engine.dispose()
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(rename.format(sql.Identifier(building), sql.Identifier(template)))


def _drop_database(server_url: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(name)))


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    """An open, empty catalogue of an installation of its own."""
    with open_catalog(settings) as opened:
        yield opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long proofs take minutes, more on a busy machine: a limit there only ends what hangs."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1500))
