"""Connections on which no answer is endless: each exchange has a last moment, and a most that its head may weigh.

A read timeout starts again with every byte, so a status line that trickles in outlasts it, and with it whatever
waits for the answer. Here every wait of an exchange, for the connection, for a proxy, for the first byte or the
last one, ends with the exchange itself. How big a body may be is counted where it is read: see `bodies`.
"""

import http.client
import io
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_HEAD_BYTES = 256 * 1024  # no head of Databricks has a tenth of that
_PIECE_BYTES = 64 * 1024


class HeadTooBigError(Exception):
    """The status line and headers of an answer do not end."""


class _Exchange:
    """The limits of one request and its answer.

    Args:
        until: Monotonic second at which it has to be over.
        silence: How long to wait for the next bytes, in seconds.
    """

    def __init__(self, until: float, silence: float) -> None:
        self._until, self._silence = until, silence
        self.head_bytes = 0
        self.in_head = True

    @property
    def left(self) -> float:
        """Seconds until it has to be over."""
        return self._until - time.monotonic()

    def patience(self) -> float:
        """Seconds to wait for the next bytes.

        Raises:
            TimeoutError: the time of the whole exchange is used up.
        """
        left = self.left
        if left <= 0:
            raise TimeoutError("timed out")
        return min(self._silence, left)

    def received(self, count: int) -> None:
        """Count bytes of the head, and what came with them."""
        self.head_bytes += count
        if self.in_head and self.head_bytes > _HEAD_BYTES:
            raise HeadTooBigError


_EXCHANGE: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def bounded(*, seconds: float, silence: float) -> Iterator[None]:
    """Bound every wait of the requests that this thread makes inside, within whatever bounds them already.

    Args:
        seconds: How long all of it may take.
        silence: How long to wait for the next bytes.
    """
    around = _EXCHANGE.get()
    if around is not None:
        seconds = min(seconds, around.left)
    token = _EXCHANGE.set(_Exchange(time.monotonic() + seconds, silence))
    try:
        yield
    finally:
        _EXCHANGE.reset(token)


class _Reader(io.RawIOBase):
    """The bytes of a socket, as long as the exchange may last."""

    def __init__(self, raw: io.RawIOBase, sock: Any, exchange: _Exchange) -> None:
        self._raw, self._sock, self._exchange = raw, sock, exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.patience())
        count: int | None = self._raw.readinto(buffer)
        self._exchange.received(count or 0)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        exchange = _EXCHANGE.get()
        if exchange is not None:
            exchange.in_head, exchange.head_bytes = True, 0
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, exchange), _PIECE_BYTES)

    def begin(self) -> None:
        super().begin()
        exchange = _EXCHANGE.get()
        if exchange is not None:
            exchange.in_head = False


class _Sending:
    """What a connection does with its exchange: both kinds of connection have it."""

    sock: Any
    timeout: Any

    def connect(self) -> None:
        exchange = _EXCHANGE.get()
        if exchange is not None:
            self.timeout = min(self.timeout or exchange.patience(), exchange.patience())
        super().connect()  # type: ignore[misc]

    def send(self, data: Any) -> None:
        exchange = _EXCHANGE.get()
        if exchange is None or not isinstance(data, bytes):
            super().send(data)  # type: ignore[misc]
            return
        # Piece by piece: the time for all of a big file would have to be the time for a connection.
        whole = memoryview(data)
        for start in range(0, len(whole), _PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(exchange.patience())
            super().send(whole[start : start + _PIECE_BYTES])  # type: ignore[misc]


class _HttpConnection(_Sending, HTTPConnection):
    response_class = _Response


class _HttpsConnection(_Sending, HTTPSConnection):
    response_class = _Response


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # whose pools open the connections in a way of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager


def _without_query(record: logging.LogRecord) -> bool:
    return "?" not in record.getMessage()


class _Session(requests.Session):
    def get_redirect_target(self, resp: Any) -> None:
        """Nothing is followed; asked for the next address, requests would read the whole body of a redirect."""


def pooled_session(url: str, connections: int) -> requests.Session:
    """A session that keeps so many connections to one host open. It never retries and follows no redirect.

    Proxies and certificates that the environment names are looked up once; requests would do it for every
    request, at a quarter of its cost. And it would put a login of ~/.netrc in the place of ours. Cookies are not
    kept: every request brings its login, and a jar would grow with whatever a host puts into it.
    """
    # The libraries write whole addresses into their logs, and a link to a result is a right to read it.
    for name in ("urllib3.connectionpool", "urllib3.connection"):
        logging.getLogger(name).addFilter(_without_query)
    session = _Session()
    environment = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify = environment["proxies"], environment["verify"]
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept-Encoding"] = "gzip"
    adapter = _Adapter(pool_connections=2, pool_maxsize=connections, pool_block=False)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
