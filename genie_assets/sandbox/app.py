"""The sandbox as one ASGI application: it counts, lets in, injects faults and hands over to whoever answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp

from genie_assets.sandbox import fault_effects
from genie_assets.sandbox.faults import FaultBook, Plan
from genie_assets.sandbox.genie_routes import GenieApi
from genie_assets.sandbox.oauth import TOKEN_SECONDS, Gatekeeper
from genie_assets.sandbox.request import (
    ADMIN_PREFIX,
    ENGINE_ROUTES,
    OPEN_ROUTES,
    Receive,
    Request,
    Scope,
    Send,
    read_request,
)
from genie_assets.sandbox.requests_log import NO_ANSWER, RequestsLog
from genie_assets.sandbox.responses import Answer, ApiError, endpoint_not_found
from genie_assets.sandbox.state import Conversations
from genie_assets.sandbox.transport import capture, close_connection, deliver


@dataclass(frozen=True)
class Endpoint:
    """A workspace and the URL it is reached at, without a trailing slash."""

    workspace_id: str
    url: str


@dataclass(frozen=True)
class Parts:
    """What the application is made of; `sql` answers statements and files."""

    endpoints: Mapping[int, Endpoint]  # by the port that accepted the connection
    gatekeeper: Gatekeeper
    genie: GenieApi
    conversations: Conversations
    faults: FaultBook
    log: RequestsLog
    admin: ASGIApp
    sql: ASGIApp


class SandboxApp:
    """Plain ASGI, because it is the other side of benchmarks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; the workspace is that of the socket which accepted it."""
        if scope["raw_path"].startswith(ADMIN_PREFIX):
            await self._parts.admin(scope, receive, send)
            return
        endpoint = self._parts.endpoints[scope["server"][1]]
        request = read_request(scope, endpoint.workspace_id)
        began_at = self._parts.log.begin()
        exchange = _Exchange(scope, receive, send, endpoint)
        try:
            await self._serve(request, exchange)
        except Exception:
            exchange.status = 500  # which is what uvicorn makes of it
            raise
        finally:
            self._parts.log.end(request, began_at, exchange.status, exchange.received, exchange.sent)

    async def _serve(self, request: Request, exchange: "_Exchange") -> None:
        plan = self._parts.faults.plan(request)
        if plan.rules:
            await fault_effects.delay(plan)
            if fault_effects.is_dropped(plan):
                await close_connection(exchange.scope, exchange.receive)
                return
        refused = (fault_effects.refusal(plan) if plan.rules else None) or self._not_let_in(request, exchange)
        if refused is None and request.route in ENGINE_ROUTES and not plan.of_kind("spoiler"):
            await self._parts.sql(exchange.scope, exchange.watched_receive, exchange.watched_send)
            return
        answer = refused or await self._answer(request, plan, exchange)
        if plan.rules:
            answer = fault_effects.spoil(plan, answer, request, self._parts.conversations)
        exchange.status = answer.status
        await deliver(answer, exchange.endpoint.workspace_id, exchange.scope, exchange.receive, exchange.send)

    def _not_let_in(self, request: Request, exchange: "_Exchange") -> Answer | None:
        if request.route in OPEN_ROUTES:
            return None
        return self._parts.gatekeeper.refusal(exchange.scope["headers"], request.workspace_id)

    async def _answer(self, request: Request, plan: Plan, exchange: "_Exchange") -> Answer:
        gatekeeper = self._parts.gatekeeper
        match request.route:
            case "statements" | "files" | "presigned":
                return await capture(self._parts.sql, exchange.scope, exchange.receive)
            case "discovery":
                return gatekeeper.discovery(exchange.endpoint.url)
            case "token":
                body = await _body(exchange.receive)
                seconds = plan.option("token_ttl", "seconds") or TOKEN_SECONDS
                told = plan.option("token_ttl", "told_seconds") or seconds
                return gatekeeper.token(exchange.scope["headers"], body, request.workspace_id, seconds, told)
            case "me":
                return gatekeeper.me()
            case "unknown":
                return endpoint_not_found(request.method, request.shown_path)
            case _:
                return await self._ask_genie(request, plan, exchange)

    async def _ask_genie(self, request: Request, plan: Plan, exchange: "_Exchange") -> Answer:
        body = b"" if request.method == "GET" else await _body(exchange.receive)
        try:
            return self._parts.genie.answer(request, plan, body)
        except ApiError as error:
            return error.answer


class _Exchange:
    """One request's ASGI channels, the status that was answered on them, and how many bytes went through."""

    __slots__ = ("endpoint", "receive", "received", "scope", "send", "sent", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, endpoint: Endpoint) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.endpoint = endpoint
        self.status = NO_ANSWER
        self.received = self.sent = 0

    async def watched_receive(self) -> Scope:
        """Receive, and count the bytes."""
        message = await self.receive()
        self.received += len(message.get("body", b""))
        return message

    async def watched_send(self, message: Scope) -> None:
        """Send, count the bytes, and remember the status."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.sent += len(message.get("body", b""))
        await self.send(message)


async def _body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()  # a client that went away sends no more, and nobody reads the answer
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
