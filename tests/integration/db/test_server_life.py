"""The embedded server lives exactly as long as somebody holds it, whatever is killed."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from tool_catalog_pipelines.db.postgres import find_postmaster
from tool_catalog_pipelines.db.server import acquire_database, is_running, wait_until_stopped
from tool_catalog_pipelines.errors import (
    DatabaseUnavailableError,
    EnvironmentUnfitError,
    InvalidInputError,
)
from tool_catalog_pipelines.settings import Settings

_HOLD = """
import sys
from tool_catalog_pipelines.db.server import acquire_database
from tool_catalog_pipelines.settings import load_settings
with acquire_database(load_settings({"TOOL_CATALOG_HOME": sys.argv[1]})) as database:
    print(database.libpq_url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def _holder(settings: Settings) -> Generator[subprocess.Popen[str]]:
    """A process that holds the server until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(settings.home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _eventually(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def _supervisors(home: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "tool_catalog_pipelines.db.supervisor" in (process.info["cmdline"] or [])
        and str(home) in process.info["cmdline"]
    ]


def _answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_the_last_holder_ends_the_server(offline_settings: Settings) -> None:
    with acquire_database(offline_settings) as first:
        with acquire_database(offline_settings) as second:
            assert first.url == second.url
        assert _answers(first.libpq_url)
        first.close()
        first.close()
    assert wait_until_stopped(offline_settings)
    assert not is_running(offline_settings)


def test_a_killed_holder_ends_the_server(offline_settings: Settings) -> None:
    with _holder(offline_settings) as process:
        assert _answers(_url(process))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert wait_until_stopped(offline_settings)


def test_a_server_outlives_its_supervisor_and_is_adopted(offline_settings: Settings) -> None:
    with acquire_database(offline_settings) as database:
        found = find_postmaster(offline_settings.postgres_dir)
        assert found is not None
        (supervisor,) = _supervisors(offline_settings.home)
        supervisor.kill()
        supervisor.wait(30)
        assert _answers(database.libpq_url)
        with acquire_database(offline_settings):
            adopted = find_postmaster(offline_settings.postgres_dir)
            assert adopted is not None
            assert adopted.pid == found.pid
            _eventually(lambda: len(_supervisors(offline_settings.home)) == 1)
    assert wait_until_stopped(offline_settings)


def test_a_holder_replaces_a_killed_supervisor(offline_settings: Settings) -> None:
    with acquire_database(offline_settings) as database:
        (killed,) = _supervisors(offline_settings.home)
        killed.kill()
        _eventually(lambda: [s for s in _supervisors(offline_settings.home) if s != killed] != [])
        assert _answers(database.libpq_url)
    assert wait_until_stopped(offline_settings)


def test_a_server_that_lost_supervisor_and_holder_is_adopted_and_ended(
    offline_settings: Settings,
) -> None:
    with _holder(offline_settings) as process:
        _url(process)
        for supervisor in _supervisors(offline_settings.home):
            supervisor.kill()
        process.kill()
    assert is_running(offline_settings)
    with acquire_database(offline_settings) as database:
        assert _answers(database.libpq_url)
    assert wait_until_stopped(offline_settings)


def test_a_killed_server_is_started_again_with_what_was_committed(
    offline_settings: Settings,
) -> None:
    with acquire_database(offline_settings) as database:
        with psycopg.connect(database.libpq_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        found = find_postmaster(offline_settings.postgres_dir)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)

        def is_back() -> bool:
            now = find_postmaster(offline_settings.postgres_dir)
            return now is not None and now.is_ready and now.pid != found.pid

        _eventually(is_back)
        with psycopg.connect(database.libpq_url) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_processes_that_start_at_once_share_one_server(offline_settings: Settings) -> None:
    with (
        _holder(offline_settings) as one,
        _holder(offline_settings) as two,
        _holder(offline_settings) as three,
    ):
        urls = {_url(process) for process in (one, two, three)}
        assert len(urls) == 1
        assert _answers(urls.pop())
        assert len(_supervisors(offline_settings.home)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_killed_the_next_one_gets_a_server(
    seed: int, offline_settings: Settings
) -> None:
    """Random kills among holder, supervisor and server, at any moment of a start too."""
    dice = random.Random(seed)
    for _ in range(6):
        with _holder(offline_settings) as process:
            if dice.random() < 0.7:
                assert _url(process)
            for victim in dice.sample(["holder", "supervisor", "server"], dice.randint(1, 3)):
                _kill(victim, offline_settings, process)
        with acquire_database(offline_settings) as database:
            assert _answers(database.libpq_url)
            _eventually(lambda: len(_supervisors(offline_settings.home)) == 1)
    assert wait_until_stopped(offline_settings)


def _kill(victim: str, settings: Settings, holder: subprocess.Popen[str]) -> None:
    postmaster = find_postmaster(settings.postgres_dir)
    if victim == "holder":
        holder.kill()
    elif victim == "supervisor":
        for supervisor in _supervisors(settings.home):
            supervisor.kill()
    elif postmaster is not None:
        os.kill(postmaster.pid, signal.SIGKILL)


@pytest.mark.slow
def test_coming_and_going_never_meets_a_stopping_server(offline_settings: Settings) -> None:
    """Arrivals around the moment at which the grace period ends."""
    for pause_s in (0.0, 1.9, 2.1, 2.3):
        with acquire_database(offline_settings) as database:
            assert _answers(database.libpq_url)
        deadline = time.monotonic() + pause_s
        _eventually(lambda moment=deadline: time.monotonic() >= moment)


def test_a_stale_pid_file_of_another_program_is_no_obstacle(offline_settings: Settings) -> None:
    with acquire_database(offline_settings):
        pass
    assert wait_until_stopped(offline_settings)
    pid_file = offline_settings.postgres_dir / "postmaster.pid"
    lines = [str(os.getpid()), str(pid_file.parent), "1", "5432", "/x", "", "1", "ready"]
    pid_file.write_text("\n".join(lines) + "\n")
    with acquire_database(offline_settings) as database:
        assert _answers(database.libpq_url)


def test_a_very_long_home_works(offline_settings: Settings) -> None:
    deep = offline_settings.home.joinpath(*["a_rather_long_folder_name"] * 6)
    settings = replace(offline_settings, home=deep)
    with acquire_database(settings) as database:
        assert _answers(database.libpq_url)
    assert wait_until_stopped(settings)


def test_a_home_with_a_space_is_refused(offline_settings: Settings) -> None:
    settings = replace(offline_settings, home=offline_settings.home / "my home")
    with pytest.raises(EnvironmentUnfitError, match="space"):
        acquire_database(settings)
    assert not settings.home.exists()


def test_a_closed_parent_keeps_its_mode(offline_settings: Settings) -> None:
    """As root the server runs as another user, who cannot enter it; else it is no obstacle."""
    closed = offline_settings.home / "closed"
    closed.mkdir(mode=0o700)
    settings = replace(offline_settings, home=closed / "home")
    if os.geteuid() == 0:
        with pytest.raises(EnvironmentUnfitError, match="closed to others"):
            acquire_database(settings)
    else:
        acquire_database(settings).close()
        assert wait_until_stopped(settings)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_home_that_is_a_file_is_refused(offline_settings: Settings) -> None:
    file = offline_settings.home / "file"
    file.write_text("")
    with pytest.raises(EnvironmentUnfitError, match="cannot write"):
        acquire_database(replace(offline_settings, home=file / "home"))


def test_an_unreachable_server_is_named_without_the_password(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://me:s3cret@127.0.0.1:1/somewhere")
    with pytest.raises(DatabaseUnavailableError) as caught:
        acquire_database(away)
    assert "127.0.0.1:1/somewhere" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["mysql://h/d", "postgresql://h", "nonsense", "://"])
def test_an_address_that_is_none_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(InvalidInputError):
        acquire_database(replace(settings, database_url=text))


def test_a_database_stays_in_its_process(settings: Settings) -> None:
    with acquire_database(settings) as database, pytest.raises(TypeError, match="one process"):
        pickle.dumps(database)
