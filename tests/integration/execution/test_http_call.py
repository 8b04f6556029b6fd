"""HTTP bindings against a real server on loopback: values, answers, faults."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from factories import make_tool_spec

from tool_catalog_pipelines.execution.binding import Usage, execute_binding
from tool_catalog_pipelines.execution.cancellation import CANCELLATION
from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.python_functions import FunctionContext
from tool_catalog_pipelines.execution.secrets import UsedSecrets

CONTEXT = FunctionContext(Path(), Path(), "run", "chain", "step")
Answering = Callable[[http.server.BaseHTTPRequestHandler, bytes], None]


class Server:
    """A server whose answers a test writes, and which keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, Answering] = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                outer.asked.append(
                    {"method": self.command, "path": self.path, "body": body}
                    | {"headers": dict(self.headers)}
                )
                with contextlib.suppress(OSError):
                    outer.answers.get(path, reply({}))(self, body)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        self.running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.running.server_port}"


def reply(document: Any, status: int = 200, **headers: str) -> Answering:
    """An answer in JSON."""

    def answer(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.running.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.running.shutdown()
    server.running.server_close()
    thread.join()


def call(url: str, inputs: dict[str, Any] | None = None, **binding: Any) -> Any:
    """Status and output of one call."""
    timeout_s = binding.pop("timeout_s", 10)
    secrets = UsedSecrets(binding.pop("secrets", {}).get)
    spec = make_tool_spec(
        binding={"kind": "http", "method": "GET", "url": url, **binding},
        optional_inputs=[
            {"name": name, "type": "string", "description": "x"} for name in inputs or {}
        ],
    )
    (pattern,) = next(iter(spec.capabilities.values())).patterns.values()
    assert pattern.binding is not None
    return execute_binding(pattern.binding, inputs or {}, CONTEXT, timeout_s, Usage(), secrets)


def test_values_are_quoted_for_where_they_stand(server: Server) -> None:
    hostile = "a/../b?x=1&y=#z é"
    call(
        "{base}/items/{name}",
        {"base": f"{server.url}/", "name": hostile, "none": None, "tags": ["a b", "c&d"]},
        query={"q": "{name}", "absent": "{none}", "tag": "{tags}"},
        headers={"X-Absent": "{none}", "X-Fixed": "yes"},
    )
    (asked,) = server.asked
    path, _, query = asked["path"].partition("?")
    assert path == "/items/a%2F..%2Fb%3Fx%3D1%26y%3D%23z%20%C3%A9"
    assert query == "q=a%2F..%2Fb%3Fx%3D1%26y%3D%23z+%C3%A9&tag=a+b&tag=c%26d"
    assert asked["headers"]["X-Fixed"] == "yes"
    assert "X-Absent" not in asked["headers"]


def test_a_body_keeps_the_types_of_inputs(server: Server) -> None:
    call(
        f"{server.url}/new",
        {"count": 3, "names": ["a"], "none": None},
        method="POST",
        body={
            "count": "{count}",
            "deep": [{"names": "{names}"}],
            "text": "n={count}",
            "x": "{none}",
        },
    )
    (asked,) = server.asked
    assert json.loads(asked["body"]) == {"count": 3, "deep": [{"names": ["a"]}], "text": "n=3"}
    assert asked["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\0", "é"])
def test_a_header_stays_one_line(server: Server, value: str) -> None:
    with pytest.raises(AttemptError, match="header X-Name"):
        call(server.url, {"name": value}, headers={"X-Name": "{name}"})
    assert server.asked == []


@pytest.mark.parametrize("base", ["file:///etc/passwd", "gopher://x", "//h/x", "nonsense", ""])
def test_only_http_is_called(base: str) -> None:
    with pytest.raises(AttemptError, match="does not begin with http"):
        call("{base}/x", {"base": base})


def test_statuses_are_success_no_result_or_failure(server: Server) -> None:
    for status in (200, 404, 418, 503):
        server.answers[f"/{status}"] = reply({"said": status}, status)
    assert call(f"{server.url}/200") == ("success", {"result": {"said": 200}})
    assert call(f"{server.url}/404", no_result_statuses=[404]) == ("no_result", {"result": []})
    with pytest.raises(AttemptError, match=r"HTTP 418.*said") as refused:
        call(f"{server.url}/418")
    assert not refused.value.is_transient
    with pytest.raises(AttemptError, match="HTTP 503") as busy:
        call(f"{server.url}/503")
    assert busy.value.is_transient


def test_an_answer_without_content_is_empty(server: Server) -> None:
    server.answers["/"] = lambda handler, _: (handler.send_response(204), handler.end_headers())[1]
    assert call(f"{server.url}/") == ("success", {"result": []})


def test_an_answer_that_is_too_large_is_refused(server: Server) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    server.answers["/bomb"] = reply(bomb, Content_Encoding="gzip")
    with pytest.raises(AttemptError, match="more than 1000 bytes") as caught:
        call(f"{server.url}/bomb", max_output_bytes=1000)
    assert caught.value.kind == "OutputTooLarge"


def test_a_server_that_keeps_silent_or_drips_is_given_up(server: Server) -> None:
    def silent(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
        handler.connection.settimeout(30)
        handler.connection.recv(1)

    def dripping(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _tick in range(600):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    server.answers |= {"/silent": silent, "/dripping": dripping}
    for path in ("silent", "dripping"):
        with pytest.raises(AttemptError) as caught:
            call(f"{server.url}/{path}", timeout_s=0.5)
        assert caught.value.status == "timeout"


def test_a_call_ends_with_its_run(server: Server) -> None:
    server.answers["/"] = lambda handler, _: handler.connection.recv(1) and None
    stop = threading.Event()

    def cancelled() -> Any:
        CANCELLATION.set(stop)
        return call(f"{server.url}/", timeout_s=60)

    threading.Timer(0.2, stop.set).start()
    with pytest.raises(AttemptError) as caught:
        copy_context().run(cancelled)
    assert caught.value.status == "cancelled"


def test_nobody_there_is_a_transient_failure_with_the_reason() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        AttemptError, match=r"GET http://127\.0\.0\.1:\d+/x failed.*refused"
    ) as caught:
        call(f"http://127.0.0.1:{port}/x?token=abc")
    assert caught.value.is_transient
    assert "abc" not in str(caught.value)


def test_a_redirect_is_followed_but_takes_no_secret_to_another_host(server: Server) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.answers["/here"] = reply({}, 302, Location="/there")
    server.answers["/away"] = reply({}, 302, Location=f"{elsewhere}/there")
    server.answers["/loop"] = reply({}, 302, Location="/loop")
    headers = {"X-Api-Key": "${secret:key}", "X-Plain": "p"}
    for path in ("here", "away"):
        call(f"{server.url}/{path}", headers=headers, secrets={"key": "s3cr3t"})
    near, far = [asked for asked in server.asked if asked["path"] == "/there"]
    assert near["headers"]["X-Api-Key"] == "s3cr3t"
    assert "X-Api-Key" not in far["headers"]
    assert far["headers"]["X-Plain"] == "p"
    with pytest.raises(AttemptError, match="redirect"):
        call(f"{server.url}/loop")


def test_an_answer_that_is_no_json_is_a_failure(server: Server) -> None:
    server.answers["/"] = reply(b"<html>")
    with pytest.raises(AttemptError, match="not JSON"):
        call(f"{server.url}/")
