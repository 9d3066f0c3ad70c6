"""A server on loopback that sends bytes as a test wants them, HTTP or not."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Script = Callable[[socket.socket], None]


class RawServer:
    """Runs `script` for each connection, after the head of a request came, until the test is over."""

    def __init__(self, script: Script, *, reads_head: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self._script, self._reads_head, self._tls = script, reads_head, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.connections = 0
        self._open: list[socket.socket] = []

    @contextmanager
    def running(self) -> Iterator["RawServer"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            for each in (self._socket, *self._open):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            if self._reads_head:
                read_head(connection)
            self._script(connection)
        connection.close()


def read_head(connection: socket.socket) -> bytes:
    """The head of a request, and what came with it."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65_536)
        if not piece:
            raise OSError("nobody there")
        head += piece
    return head


def says(*pieces: bytes, pause: float = 0.0, for_ever: bytes = b"") -> Script:
    """Send these pieces, and then one for ever, with a pause after each."""

    def script(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        while for_ever:
            connection.sendall(for_ever)
            time.sleep(pause)

    return script


def head(*lines: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")
