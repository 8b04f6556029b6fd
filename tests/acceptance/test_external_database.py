"""TOOL_CATALOG_DATABASE_URL on a real PostgreSQL server with an ordinary role and no extension."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from fact_factory import leave_a_fact
from installations import copy_shipped_catalogue, run_program

from tool_catalog_pipelines.db.engine import make_engine
from tool_catalog_pipelines.db.migrate import migrate
from tool_catalog_pipelines.settings import Settings
from tool_catalog_pipelines.telemetry.spool_folder import spool_of

_PASSWORD = "hush-hush"
_ROLE = "keeper"

Program = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Server:
    """A private server of the machine's own PostgreSQL, on loopback."""

    port: int

    def url(self, database: str, role: str = _ROLE, password: str = _PASSWORD) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        address = self.url("postgres", role="postgres")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


def _programs() -> Path:
    """The folder of the newest installed server's programs."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    if found := shutil.which("initdb"):
        folders.append(Path(found).parent)
    fit = [folder for folder in folders if (folder / "initdb").exists()]
    if not fit:
        pytest.skip("PostgreSQL server programs are not installed (apt-get install postgresql)")
    return max(fit, key=str)


@pytest.fixture(scope="module")
def server(test_root: Path) -> Iterator[Server]:
    """A server with password authentication and a role that owns its databases, no more."""
    programs, folder = _programs(), test_root / f"external-{os.getpid()}"
    folder.mkdir()
    # PostgreSQL refuses to run as root; the package brings a user of its own.
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)
    secret = folder / "password"
    secret.write_text(_PASSWORD)
    secret.chmod(0o644)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", folder / "data", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[] if os.geteuid() == 0 else None,
        )

    run("initdb", "--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", f"--options={options}")
    try:
        made = Server(port)
        made.execute(f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{_PASSWORD}'")
        yield made
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate")


@pytest.fixture
def database(server: Server, home: Path) -> str:
    """A new database of the role."""
    name = f"db_{home.name}"
    server.execute(f"CREATE DATABASE {name} OWNER {_ROLE}")
    return name


@pytest.fixture
def program(offline_settings: Settings) -> Program:
    """Runs `tool-catalog` with the shipped catalogue on the address given."""
    copy_shipped_catalogue(offline_settings)

    def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_program(replace(offline_settings, database_url=url), *arguments)

    return run


def _one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_a_chain_runs_with_all_storage_in_one_database(
    server: Server, database: str, program: Program, offline_settings: Settings
) -> None:
    url = server.url(database)
    result = program(url, "chain", "run", "host_health", "--json")
    assert result.returncode == 0, result.stderr
    ran = json.loads(result.stdout)
    run_id = ran["run_id"]
    ours = _one(url, f"SELECT count(*) FROM tool_catalog.tool_telemetry WHERE run_id = '{run_id}'")
    dagsters = _one(url, f"SELECT status FROM dagster.runs WHERE run_id = '{run_id}'")
    assert (ours, dagsters) == (len(ran["steps"]) - 1, "SUCCESS")  # a transform leaves no fact
    assert _one(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert _one(url, "SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'") == 0
    assert _one(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert not offline_settings.postgres_dir.exists(), "an embedded server was made too"


def test_facts_of_a_killed_process_are_delivered(
    server: Server, database: str, program: Program, offline_settings: Settings
) -> None:
    url = server.url(database)
    engine = make_engine(url, pool_size=1)
    migrate(engine)
    leave_a_fact(spool_of(engine, offline_settings.spool_dir), "earlier")
    engine.dispose()
    result = program(url, "chain", "run", "host_health")
    assert result.returncode == 0, result.stderr
    query = "SELECT count(*) FROM tool_catalog.tool_telemetry WHERE run_id = 'earlier'"
    assert _one(url, query) == 1


def test_a_role_that_was_given_its_schemas_needs_no_more(
    server: Server, home: Path, program: Program
) -> None:
    name = f"db_{home.name}"
    server.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(server.url(name, role="postgres"), autocommit=True) as connection:
        for schema in ("tool_catalog", "dagster"):
            connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {_ROLE}")
    result = program(server.url(name), "import")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_the_whole_demonstration_runs(server: Server, database: str, program: Program) -> None:
    result = program(server.url(database), "demo")
    assert result.returncode == 0, result.stderr
    assert "What was learnt" in result.stdout


@pytest.mark.parametrize("arguments", [("import",), ("chain", "run", "host_health"), ("up",)])
def test_what_is_wrong_with_the_server_is_one_sentence(
    arguments: tuple[str, ...], server: Server, database: str, program: Program
) -> None:
    server.execute(f"CREATE ROLE guest_{database} LOGIN PASSWORD '{_PASSWORD}'")
    wrong = {
        server.url(database, password="not-it-at-all"): "password authentication failed",
        server.url("no_such_database"): 'database "no_such_database" does not exist',
        server.url(database, role=f"guest_{database}"): "permission denied for database",
        server.url(database).replace(f":{server.port}/", ":1/"): "127.0.0.1:1/",
    }
    for url, said in wrong.items():
        result = program(url, *arguments)
        assert result.returncode in (1, 2), result.stderr
        assert said in result.stderr
        assert "Traceback" not in result.stderr
        for secret in (_PASSWORD, "not-it-at-all"):
            assert secret not in result.stdout + result.stderr
