"""Sending one request: bounded in time and size, and it ends when the run is stopped.

A request runs in a thread of its own, because a blocked read cannot be told to stop: whoever
waits gives up at the deadline or when the run is stopped, and the thread ends with its sockets.
Proxies of the environment are not used. Does not belong here: what an answer means (binding.py).
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.exceptions import TimeoutError as CallTimeoutError

from tool_catalog_pipelines.execution.cancellation import is_cancelled
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.http_request import Request

POLL_S = 0.05
CONNECT_TIMEOUT_S = 10.0
MAX_REDIRECTS = 5
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is not longer than the request allows."""

    status: int
    reason: str
    body: bytes


@dataclass(slots=True)
class _Exchange:
    """One request under way."""

    request: Request
    deadline: float
    given_up: threading.Event = field(default_factory=threading.Event)
    outcome: Future[Answer] = field(default_factory=Future[Answer])

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()


def send(request: Request) -> Answer:
    """Send a request and read its answer.

    Redirects are followed; headers with secrets are not sent to another host.

    Raises:
        AttemptError: it cannot be sent, takes too long, is stopped, or answers too much.
    """
    exchange = _Exchange(request, time.monotonic() + request.timeout_s)
    threading.Thread(target=_carry_out, args=(exchange,), daemon=True).start()
    try:
        while not wait([exchange.outcome], min(POLL_S, max(0.0, exchange.left_s))).done:
            if is_cancelled():
                message = f"{request.shown} was stopped with its run"
                raise AttemptError("Cancelled", message, status="cancelled")
            if exchange.left_s <= 0:
                raise _too_late(request)
    finally:
        exchange.given_up.set()
    return exchange.outcome.result()


def _carry_out(exchange: _Exchange) -> None:
    try:
        exchange.outcome.set_result(_answer(exchange))
    except CallTimeoutError:
        exchange.outcome.set_exception(_too_late(exchange.request))
    except HTTPError as error:
        exchange.outcome.set_exception(_not_reached(exchange.request, error))
    except BaseException as error:  # whoever waits must learn of anything
        exchange.outcome.set_exception(error)


def _answer(exchange: _Exchange) -> Answer:
    request = exchange.request
    limit_s = max(0.001, exchange.left_s)
    follow = urllib3.Retry(
        connect=0,
        read=0,
        status=0,
        other=0,
        redirect=MAX_REDIRECTS,
        remove_headers_on_redirect=urllib3.Retry.DEFAULT_REMOVE_HEADERS_ON_REDIRECT
        | request.secret_headers,
    )
    with urllib3.PoolManager(num_pools=2) as pool:
        response = pool.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            body=request.body,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, limit_s), read=limit_s),
            retries=follow,
            preload_content=False,
        )
        try:
            return Answer(response.status, response.reason or "", _body(exchange, response))
        finally:
            response.close()


def _body(exchange: _Exchange, response: urllib3.BaseHTTPResponse) -> bytes:
    """The decoded body. Checked between pieces, so that neither time nor memory runs away."""
    body = bytearray()
    while piece := response.read(_CHUNK, decode_content=True):
        body += piece
        if len(body) > exchange.request.max_bytes:
            message = f"{exchange.request.shown} answered more than {exchange.request.max_bytes}"
            raise AttemptError("OutputTooLarge", f"{message} bytes")
        if exchange.given_up.is_set() or exchange.left_s <= 0:
            raise _too_late(exchange.request)
    return bytes(body)


def _too_late(request: Request) -> AttemptError:
    message = f"{request.shown} did not end within {request.timeout_s:g} s and was given up"
    return AttemptError("Timeout", message, status="timeout")


def _not_reached(request: Request, error: HTTPError) -> AttemptError:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    what = str(reason).rpartition(": ")[2]
    return AttemptError("HttpError", f"{request.shown} failed: {what}", is_transient=True)
