"""A real HTTP server on loopback whose answers each test programs."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # as sent, still quoted
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float
    peer: tuple[str, int]

    @property
    def token(self) -> str | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else None


@dataclass(frozen=True)
class Reply:
    body: Any = None  # bytes and str as they are, everything else as JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    hang_seconds: float = 0.0  # before the answer
    drop: bool = False  # reset the connection instead of answering
    cut: bool = False  # promise the whole body, send half of it, close
    trickle_seconds: float = 0.0  # between any two bytes of the body

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Answerer = Callable[[Request], Reply]


def always(reply: Reply) -> Answerer:
    return lambda _: reply


class StubServer:
    """`answer` decides; every request is remembered in `requests`."""

    def __init__(self, answer: Answerer) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    @contextmanager
    def running(self) -> Iterator["StubServer"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = dict(self.headers)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                request = Request(
                    self.command, parts.path, query, headers, body, time.monotonic(), self.client_address
                )
                stub.requests.append(request)
                self._send(stub.answer(request))

            def _send(self, reply: Reply) -> None:
                time.sleep(reply.hang_seconds)
                try:
                    _write(self.connection, reply)
                except OSError:
                    self.close_connection = True
                if reply.drop or reply.cut:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, ValueError):
                    self.close_connection = True

            def finish(self) -> None:
                with suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        return Handler


def _write(connection: socket.socket, reply: Reply) -> None:
    if reply.drop:
        # A reset, not an orderly end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        return
    payload = reply.payload()
    lines = [
        f"HTTP/1.1 {reply.status} Stub",
        f"Content-Length: {len(payload)}",
        f"Content-Type: {reply.content_type}",
    ]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    if reply.trickle_seconds:
        for byte in payload:
            connection.sendall(bytes([byte]))
            time.sleep(reply.trickle_seconds)
        return
    connection.sendall(payload[: len(payload) // 2] if reply.cut else payload)
    if reply.cut:
        connection.shutdown(socket.SHUT_RDWR)
