"""Patience: how often, how long, and that the window belongs to the outage."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from tool_catalog_pipelines.errors import DatabaseUnavailableError
from tool_catalog_pipelines.orchestration.outage import Patience


def away() -> OperationalError:
    return OperationalError("INSERT", {}, Exception("server closed the connection"))


class Server:
    """Fails a number of times; remembers whether it was asked again."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked: list[bool] = []

    def attempt(self, is_retry: bool) -> str:
        self.asked.append(is_retry)
        if len(self.asked) <= self.failures:
            raise away()
        return "stored"


def test_it_tries_again_and_says_so() -> None:
    server = Server(failures=2)
    assert Patience(window_s=60).call(server.attempt) == "stored"
    assert server.asked == [False, True, True]


def test_the_window_ends() -> None:
    server = Server(failures=1000)
    with pytest.raises(DatabaseUnavailableError, match="start it and run the chain again"):
        Patience(window_s=0.2).call(server.attempt)
    assert 1 < len(server.asked) < 20


def test_after_the_window_every_call_fails_at_once_until_one_succeeds() -> None:
    patience = Patience(window_s=0)
    for _ in range(3):
        server = Server(failures=1000)
        with pytest.raises(DatabaseUnavailableError):
            patience.call(server.attempt)
        assert server.asked == [False]
    assert patience.call(Server(failures=0).attempt) == "stored"
    patience = Patience(window_s=60)
    assert patience.call(Server(failures=1).attempt) == "stored"


def test_a_wrong_statement_is_not_an_outage() -> None:
    def wrong(_: bool) -> None:
        raise ProgrammingError("INSERT", {}, Exception("no such column"))

    with pytest.raises(ProgrammingError):
        Patience(window_s=60).call(wrong)


def test_threads_share_the_window() -> None:
    patience = Patience(window_s=0.3)
    gave_up: list[int] = []

    def call() -> None:
        server = Server(failures=1000)
        with pytest.raises(DatabaseUnavailableError):
            patience.call(server.attempt)
        gave_up.append(len(server.asked))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(gave_up) == 4
