"""The sandbox as one ASGI application: it counts, lets in, injects faults and hands over to whoever answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp

from genie_sandbox.responses import Answer, ApiError, endpoint_not_found
from genie_sandbox.server import fault_effects
from genie_sandbox.server.alerts import AlertApi
from genie_sandbox.server.dashboard_routes import DashboardApi
from genie_sandbox.server.faults import FaultBook, Plan
from genie_sandbox.server.genie_routes import GenieApi
from genie_sandbox.server.oauth import TOKEN_SECONDS, Gatekeeper, Validity
from genie_sandbox.server.request import (
    ADMIN_PREFIX,
    ENGINE_ROUTES,
    OPEN_ROUTES,
    Receive,
    Request,
    Scope,
    Send,
    read_request,
)
from genie_sandbox.server.requests_log import NO_ANSWER, RequestsLog
from genie_sandbox.server.rights import Rights
from genie_sandbox.server.securables import Securables
from genie_sandbox.server.state import Clock, Conversations
from genie_sandbox.server.transport import capture, close_connection, dated, deliver
from genie_sandbox.server.unified import named_workspace, nobodys_request
from genie_sandbox.sql.http import ASKED_WORKSPACE, ASKING_PRINCIPAL
from genie_sandbox.sql.presigned import PRESIGNED_PREFIX


@dataclass(frozen=True)
class Endpoint:
    """A workspace and the URL it is reached at, without a trailing slash; the unified host is of no workspace."""

    workspace_id: str | None
    url: str


@dataclass(frozen=True)
class Parts:
    """What the application is made of; `sql` answers statements and files."""

    account_id: str
    endpoints: Mapping[int, Endpoint]  # by the port that accepted the connection
    clock: Clock
    gatekeeper: Gatekeeper
    genie: GenieApi
    dashboards: DashboardApi
    alerts: AlertApi
    securables: Securables
    rights: Rights
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
        request = read_request(scope, self._workspace(scope, endpoint))
        scope[ASKED_WORKSPACE] = request.workspace_id
        scope[ASKING_PRINCIPAL] = self._parts.gatekeeper.caller(scope["headers"])
        began_at = self._parts.log.begin()
        exchange = _Exchange(scope, receive, dated(send, self._parts.clock.told()), endpoint)
        try:
            await self._serve(request, exchange)
        except Exception:
            exchange.status = 500  # which is what uvicorn makes of it
            raise
        finally:
            self._parts.log.end(request, began_at, exchange.status, exchange.received, exchange.sent)

    def _workspace(self, scope: Scope, endpoint: Endpoint) -> str:
        """The workspace that a request is for, empty if that cannot be told."""
        if endpoint.workspace_id is not None:
            return endpoint.workspace_id
        running = [one.workspace_id for one in self._parts.endpoints.values() if one.workspace_id]
        if scope["raw_path"].startswith(PRESIGNED_PREFIX.encode()):
            return running[0]
        named = named_workspace(scope)
        return named if named in running else ""

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
        await deliver(answer, request.workspace_id, exchange.scope, exchange.receive, exchange.send)

    def _not_let_in(self, request: Request, exchange: "_Exchange") -> Answer | None:
        if not request.workspace_id and request.route != "host_metadata":
            return nobodys_request()
        if request.route in OPEN_ROUTES:
            return None
        refused = self._parts.gatekeeper.refusal(exchange.scope["headers"], request.workspace_id)
        return refused or self._parts.rights.refusal(request, exchange.scope[ASKING_PRINCIPAL])

    async def _answer(self, request: Request, plan: Plan, exchange: "_Exchange") -> Answer:
        match request.route:
            case "statements" | "files" | "metastore" | "presigned":
                return await capture(self._parts.sql, exchange.scope, exchange.receive)
            case "discovery" | "token" | "host_metadata" | "me" | "tokens":
                return await self._login(request, plan, exchange)
            case "warehouse_permissions" | "principals":
                body, caller = await _body(exchange.receive), exchange.scope[ASKING_PRINCIPAL]
                return self._parts.rights.answer(request, caller, body)
            case "dashboards" | "workspace_objects" | "dashboard_permissions":
                return self._parts.dashboards.answer(request, await _body(exchange.receive))
            case "alerts":
                return self._parts.alerts.answer(request, await _body(exchange.receive))
            case "tables" | "functions" | "warehouses":
                return self._parts.securables.answer(request)
            case "unknown":
                return endpoint_not_found(request.method, request.shown_path)
            case _:
                return await self._ask_genie(request, plan, exchange)

    async def _login(self, request: Request, plan: Plan, exchange: "_Exchange") -> Answer:
        """Who is let in, and who that is."""
        gatekeeper = self._parts.gatekeeper
        match request.route:
            case "discovery":
                return gatekeeper.discovery(exchange.endpoint.url)
            case "token":
                body = await _body(exchange.receive)
                return gatekeeper.token(exchange.scope["headers"], body, request.workspace_id, _validity(plan))
            case "host_metadata":
                endpoint = exchange.endpoint
                return gatekeeper.host_metadata(endpoint.url, self._parts.account_id, endpoint.workspace_id)
            case "me":
                return gatekeeper.me(self._parts.rights.entitlements(request.workspace_id))
        return gatekeeper.new_personal_token()

    async def _ask_genie(self, request: Request, plan: Plan, exchange: "_Exchange") -> Answer:
        body = b"" if request.method == "GET" else await _body(exchange.receive)
        try:
            return self._parts.genie.answer(request, plan, body, exchange.scope[ASKING_PRINCIPAL])
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


def _validity(plan: Plan) -> Validity:
    seconds = plan.option("token_ttl", "seconds") or TOKEN_SECONDS
    told = plan.option("token_ttl", "told_seconds") or seconds
    return Validity(seconds, told, plan.option("token_ttl", "refused_as"))


async def _body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()  # a client that went away sends no more, and nobody reads the answer
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
