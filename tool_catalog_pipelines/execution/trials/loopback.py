"""Small servers on loopback for examples: http (a folder), echo by tcp and udp, dns.

They live in the process of one trial and end with it. Does not belong here: real services.
"""

from __future__ import annotations

import http.server
import socketserver
import struct
import threading
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tool_catalog_pipelines.spec.example import Service

HOST = "127.0.0.1"
_ADDRESSES = {1: bytes([127, 0, 0, 1]), 28: bytes(15) + b"\x01"}
"""Answers by type of question: A and AAAA."""
_NAME = b"\x07example\x04test\x00"


@contextmanager
def served(services: Iterable[Service], folder: Path) -> Generator[dict[str, str | int]]:
    """Start servers; yields the places under which examples find them."""
    places: dict[str, str | int] = {}
    with ExitStack() as stack:
        for name in services:
            port = stack.enter_context(_running(_server(name, folder)))
            places[f"{name}_port"] = port
            if name == "http":
                places["http_url"] = f"http://{HOST}:{port}"
        yield places


def _server(name: Service, folder: Path) -> socketserver.TCPServer:
    if name == "http":
        handler = partial(_Folder, directory=str(folder))
        return http.server.ThreadingHTTPServer((HOST, 0), handler)
    if name == "tcp":
        return socketserver.ThreadingTCPServer((HOST, 0), _TcpEcho)
    return socketserver.ThreadingUDPServer((HOST, 0), _UdpEcho if name == "udp" else _Dns)


@contextmanager
def _running(server: socketserver.TCPServer) -> Generator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        server.server_close()


class _Folder(http.server.SimpleHTTPRequestHandler):
    """The files of a folder; what is posted is read, then answered like a question for it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


class _TcpEcho(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        # Scanners reset connections; that is no fault of an example.
        with suppress(OSError):
            while data := self.request.recv(65_536):
                self.request.sendall(data)


class _UdpEcho(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, connection = self.request
        connection.sendto(data, self.client_address)


class _Dns(socketserver.BaseRequestHandler):
    """Answers for example.test with loopback addresses, for every other name that there is none.

    Messages are those of RFC 1035, section 4, with one question each.
    """

    def handle(self) -> None:
        query, connection = self.request
        if len(query) > 16:
            connection.sendto(dns_answer(query), self.client_address)


def dns_answer(query: bytes) -> bytes:
    """The answer to a message with one question."""
    end = query.index(b"\x00", 12) + 5
    question = query[12:end]
    kind = struct.unpack(">H", question[-4:-2])[0]
    is_known = question[:-4].lower() == _NAME
    address = _ADDRESSES.get(kind) if is_known else None
    flags = 0x8580 if is_known else 0x8583
    answers = b""
    if address is not None:
        answers = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(address)) + address
    counts = struct.pack(">HHHHH", flags, 1, 1 if answers else 0, 0, 0)
    return query[:2] + counts + question + answers
