"""Sending answers over a connection, well or badly: whole, in drips, cut short, or not at all."""

import asyncio
from email.utils import formatdate
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from genie_sandbox.responses import JSON, Answer
from genie_sandbox.server.request import Receive, Scope, Send

_TRANSPORT = "sandbox.transport"


class ConnectionProtocol(AutoHTTPProtocol):
    """Uvicorn's HTTP protocol, which also lets the application close the connection under a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to serve a connection."""
        super().connection_made(transport)
        app: ASGIApp = self.config.loaded_app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


async def deliver(answer: Answer, workspace_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Send `answer` the way it says. The content length is that of the whole body even if the body is cut."""
    headers = [
        (b"content-type", answer.content_type.encode("ascii")),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-databricks-org-id", workspace_id.encode("ascii", "replace")),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.cut_at is None and not answer.drip_seconds:
        await send({"type": "http.response.body", "body": answer.body})
        return
    await _send_slowly(answer, send)
    if answer.cut_at is not None:
        await close_connection(scope, receive)


def dated(send: Send, at_ms: int) -> Send:
    """`send`, with the time of the server in the header of every answer."""
    date = (b"date", formatdate(at_ms // 1000, usegmt=True).encode("ascii"))

    async def send_dated(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [date, *message.get("headers", ())]}
        await send(message)

    return send_dated


async def close_connection(scope: Scope, receive: Receive) -> None:
    """Close the connection now, and wait until the server has noticed."""
    scope[_TRANSPORT].close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def capture(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """What `app` answers, held back instead of sent."""
    answer = Answer(500, b"")
    body: list[bytes] = []

    async def keep(message: Any) -> None:
        if message["type"] == "http.response.body":
            body.append(message.get("body", b""))
            return
        answer.status = message["status"]
        headers = dict(message.get("headers", []))
        headers.pop(b"content-length", None)
        answer.content_type = headers.pop(b"content-type", JSON.encode()).decode("latin-1")
        answer.headers = list(headers.items())

    await app(scope, receive, keep)
    answer.body = b"".join(body)
    return answer


async def _send_slowly(answer: Answer, send: Send) -> None:
    body = answer.body[: answer.cut_at]
    size = max(1, -(-len(body) // answer.drip_pieces))
    for start in range(0, len(body), size):
        await asyncio.sleep(answer.drip_seconds / answer.drip_pieces)
        last = answer.cut_at is None and start + size >= len(body)
        await send({"type": "http.response.body", "body": body[start : start + size], "more_body": not last})


def server_config(app: ASGIApp) -> Config:
    """How uvicorn serves the sandbox: bare and quick, with uvloop and httptools where they are installed."""
    return Config(
        app,
        http=ConnectionProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,  # the sandbox tells its own time
        timeout_keep_alive=120,  # a pooled connection that is closed while idle would look like a fault
        timeout_graceful_shutdown=1,
    )
