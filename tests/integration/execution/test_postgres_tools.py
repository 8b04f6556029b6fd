"""The shipped tools for PostgreSQL against a real server: answers, and what they refuse."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tool_catalog_pipelines.catalog.yaml_source import snapshot_from_yaml
from tool_catalog_pipelines.execution.binding import Usage, execute_binding
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.inputs import checked_inputs
from tool_catalog_pipelines.execution.parsing import check_output
from tool_catalog_pipelines.execution.python_functions import FunctionContext
from tool_catalog_pipelines.execution.requirements import SEARCH_PATH
from tool_catalog_pipelines.execution.secrets import UsedSecrets
from tool_catalog_pipelines.settings import CHECKOUT

PATTERNS = {
    name: pattern
    for tool in snapshot_from_yaml(CHECKOUT / "catalog_yaml").tools
    if tool.spec.platform == "database"
    for capability in tool.spec.capabilities.values()
    for name, pattern in capability.patterns.items()
}
DEADLINE_S = 30
Asking = Callable[..., Any]

pytestmark = pytest.mark.skipif(
    shutil.which("psql", path=SEARCH_PATH) is None, reason="psql is not installed"
)


@pytest.fixture
def ask(empty_database_url: str, tmp_path: Path) -> Asking:
    """Executes a pattern on the fresh database and gives the one field of its output."""
    address = conninfo_to_dict(empty_database_url)
    pgpass = tmp_path / "pgpass"
    pgpass.touch(mode=0o600)
    pgpass.write_text(f"*:*:*:*:{address.get('password') or 'none'}\n", encoding="utf-8")
    given = {
        "database": address["dbname"],
        "host": address["host"],
        "port": int(address.get("port") or 5432),
        "user": address["user"],
    }
    context = FunctionContext(tmp_path, tmp_path, "run", "chain", "step")

    def execute(name: str, **inputs: Any) -> Any:
        pattern = PATTERNS[name]
        login = {"pgpass_file": str(pgpass)} if "pgpass_file" in pattern.inputs else {}
        complete = checked_inputs(pattern, {**given, **login, **inputs}, None)
        secrets = UsedSecrets(lambda _: str(address.get("password") or "none"))
        binding = pattern.binding
        assert binding is not None
        status, output = execute_binding(binding, complete, context, 30, Usage(), secrets)
        assert status == "success"
        check_output(pattern.expected_outputs, output)
        (value,) = output.values()
        return value

    return execute


@pytest.fixture
def table(empty_database_url: str) -> Iterator[psycopg.Connection]:
    """A connection on which a table with an index that nobody needs was made."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id integer PRIMARY KEY, note text)")
        connection.execute("INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 500) n")
        connection.execute("CREATE INDEX seldom ON orders (note)")
        yield connection


@pytest.mark.parametrize("pattern", ["query_read_only", "query_with_password"])
@pytest.mark.usefixtures("table")
def test_rows_keep_their_types(ask: Asking, pattern: str) -> None:
    query = "select id, id / 2.0 as half, null as gone from orders order by id limit 2 -- two"
    assert ask(pattern, query=query) == [
        {"id": 1, "half": 0.5, "gone": None},
        {"id": 2, "half": 1.0, "gone": None},
    ]
    assert ask(pattern, query="select 1 where false") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select lo_create(0)", "read-only transaction"),
        ("select set_config('transaction_read_only', 'off', false)", "before any query"),
        ("with gone as (delete from orders returning id) select * from gone", "data-modifying"),
        ("select pg_sleep(20)", "statement timeout"),
    ],
)
@pytest.mark.usefixtures("table")
def test_a_query_changes_nothing(ask: Asking, query: str, said: str) -> None:
    with pytest.raises(AttemptError, match=said):
        ask("query_read_only", query=query, max_time_s=2)


@pytest.mark.usefixtures("table")
def test_tables_are_measured(ask: Asking) -> None:
    (found,) = ask("largest_tables")
    assert (found["schema"], found["table"]) == ("public", "orders")
    assert found["total_bytes"] == found["table_bytes"] + found["index_bytes"] > 0


@pytest.mark.usefixtures("table")
def test_an_index_that_nobody_used_is_found(ask: Asking) -> None:
    (found,) = ask("least_used_first")
    assert (found["table"], found["index"], found["scans"]) == ("orders", "seldom", 0)


def test_a_waiting_session_and_its_blocker_are_seen(
    ask: Asking, table: psycopg.Connection, empty_database_url: str
) -> None:
    holder = table.info.backend_pid
    with psycopg.connect(empty_database_url) as waiting:
        waiter = waiting.info.backend_pid
        with table.transaction():
            table.execute("LOCK TABLE orders")
            thread = threading.Thread(target=waiting.execute, args=("SELECT * FROM orders",))
            thread.start()
            blocked = _until(lambda: _of(ask("blocked_by_whom"), waiter))
            sessions = {session["pid"]: session for session in ask("running_statements")}
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
    assert blocked["blocked_by"] == [holder]
    assert blocked["statement"] == "SELECT * FROM orders"
    assert blocked["waiting_s"] >= 0
    assert sessions[holder]["state"] == "idle in transaction"
    assert sessions[waiter]["wait_event_type"] == "Lock"


def _of(rows: list[dict[str, Any]], pid: int) -> dict[str, Any] | None:
    return next((row for row in rows if row["pid"] == pid), None)


def _until(look: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_S
    while (found := look()) is None:
        assert time.monotonic() < deadline, "nothing came"
    return found
