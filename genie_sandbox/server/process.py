"""The sandbox process: puts the parts together and listens, on loopback only, with one port per workspace."""

import asyncio
import gc
import ipaddress
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from genie_sandbox.account import Workspace, load
from genie_sandbox.files import replace_text
from genie_sandbox.responses import endpoint_not_found
from genie_sandbox.server.admin import Admin
from genie_sandbox.server.alerts import AlertApi
from genie_sandbox.server.app import Endpoint, Parts, SandboxApp
from genie_sandbox.server.dashboard_routes import DashboardApi, moves_by_hand
from genie_sandbox.server.dashboards import Dashboards
from genie_sandbox.server.engine import SqlEngine, sail_engine
from genie_sandbox.server.faults import FaultBook
from genie_sandbox.server.genie_routes import GenieApi
from genie_sandbox.server.oauth import Gatekeeper
from genie_sandbox.server.requests_log import RequestsLog
from genie_sandbox.server.rights import Rights
from genie_sandbox.server.securables import Securables
from genie_sandbox.server.spaces import Spaces
from genie_sandbox.server.state import Clock, Conversations
from genie_sandbox.server.transport import server_config

LOOPBACK = "127.0.0.1"
_PARENT_POLL_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Sandbox:
    """A local Databricks workspace or several, ready to be run in this process."""

    def __init__(
        self,
        data: Path,
        *,
        state: Path | None = None,
        host: str = LOOPBACK,
        ports: Sequence[int] = (),
        sql: bool = True,
        clock_ms: int | None = None,
        ready_file: Path | None = None,
        parent_pid: int | None = None,
    ) -> None:
        """Load the account and take the ports.

        Args:
            data: folder of the account, in the format of `account`.
            state: folder in which the clock, changed spaces and SQL tables outlive the process; by default
                a temporary one that is deleted at the end.
            host: the address to listen on.
            ports: one per running workspace in the account's order; workspaces beyond them get free ports.
            sql: whether to serve SQL statements and files.
            clock_ms: when the sandbox's clock begins (ms UTC); default: at the account's anchor.
            ready_file: where to write the addresses and credentials once everything answers.
            parent_pid: end as soon as this process is no longer our parent.

        Raises:
            ValueError: when `host` is not loopback, no workspace runs, or there are more ports than running ones.
            OSError: when a port is taken.
        """
        _require_loopback(host)
        account = load(data)
        running = [workspace for workspace in account.workspaces if workspace.is_running]
        silent = [workspace for workspace in account.workspaces if not workspace.is_running]
        if not running:
            raise ValueError(f"none of the {len(silent)} workspaces of {data} is RUNNING")
        if len(ports) > len(running):
            raise ValueError(f"{len(ports)} ports for {len(running)} running workspaces")
        wanted = [*ports, *[0] * (len(running) - len(ports))]
        self._account = account
        self._ready_file = ready_file
        self._parent_pid = parent_pid
        self._engine: SqlEngine | None = None
        self._engine_routes: list[BaseRoute] = []
        self._administrators_token = f"dapi{secrets.token_hex(16)}"
        self._sockets: list[socket.socket] = []
        self._refusing: list[socket.socket] = []
        self._unified: socket.socket | None = None
        self._temporary = None if state else Path(tempfile.mkdtemp(prefix="genie-sandbox-"))
        self._state = state or self._temporary or Path()
        try:
            self._state.mkdir(parents=True, exist_ok=True)
            self._clock = Clock(account.anchor if clock_ms is None else clock_ms, self._state)
            self._sockets += (_take(host, port) for port in wanted)
            self._unified = _take(host, 0)
            self.unified_url = f"http://{host}:{self._unified.getsockname()[1]}"
            """Base URL of the host at which requests name their workspace."""
            # Ports that are taken and never listened at: whoever connects is refused.
            self._refusing += (_take(host, 0) for _ in silent)
            self.urls = _addresses(host, running, self._sockets)
            """Base URL of each running workspace by its id."""
            self._listed_urls = self.urls | _addresses(host, silent, self._refusing) | self._unified_addresses()
            if sql:
                self._add_engine()
        except BaseException:
            self.close()
            raise

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or the end of the parent process."""
        try:
            if self._engine:
                self._engine.start()
            server = _Server(self)
            server.run(sockets=[*self._sockets, *([self._unified] if self._unified else [])])
        finally:
            self.close()

    def close(self) -> None:
        """End the SQL engine and give the ports and the temporary folder back; harmless when repeated."""
        engine, self._engine = self._engine, None
        if engine:
            engine.stop()
        for taken in (*self._sockets, *self._refusing, self._unified):
            if taken:
                taken.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _unified_addresses(self) -> dict[str, str]:
        named = [one.workspace_id for one in self._account.workspaces if one.url_style == "unified"]
        return {workspace_id: f"{self.unified_url}/?o={workspace_id}" for workspace_id in named}

    def _add_engine(self) -> None:
        without_messages = replace(self._account, messages=())  # the engine needs none, and they are the bulk
        self._engine, self._engine_routes = sail_engine(
            without_messages, self._state, self._listed_urls, self._clock.now_ms
        )

    def app(self) -> SandboxApp:
        """The ASGI application; call it inside the event loop that serves it."""
        account, clock, faults, log = self._account, self._clock, FaultBook(), RequestsLog()
        conversations = Conversations(account.messages, account.agents)
        self._account = replace(account, messages=())  # `conversations` has them now, and frees what it served
        spaces = Spaces(account.spaces, self._state, account.principal)
        dashboards = Dashboards(account.principal.application_id, account.warehouse_id, self._state)
        gatekeeper = Gatekeeper(account.principal, self._administrators_token)
        ports = [taken.getsockname()[1] for taken in self._sockets]
        places = [*self.urls.items(), (None, self.unified_url)]
        return SandboxApp(
            Parts(
                account_id=account.account_id,
                endpoints={
                    port: Endpoint(workspace_id, url)
                    for port, (workspace_id, url) in zip([*ports, _port(self.unified_url)], places, strict=True)
                },
                clock=clock,
                gatekeeper=gatekeeper,
                genie=GenieApi(account.principal, spaces, conversations, clock),
                dashboards=DashboardApi(dashboards, clock),
                alerts=AlertApi(clock),
                securables=Securables(account),
                rights=Rights(account.principal, account.warehouse_id),
                conversations=conversations,
                faults=faults,
                log=log,
                admin=Admin(clock, faults, log, gatekeeper, self._engine).app(moves_by_hand(dashboards)),
                sql=_sql_app(self._engine_routes),
            )
        )

    def facts(self) -> dict[str, Any]:
        """What a client needs to know: addresses and credentials."""
        principal = self._account.principal
        return {
            "pid": os.getpid(),
            "urls": self.urls,
            "unified_url": self.unified_url,
            "client_id": principal.application_id,
            "client_secret": principal.client_secret,
            "token": principal.token,
            "administrators_token": self._administrators_token,
            "warehouse_id": self._account.warehouse_id,
            "now_ms": self._clock.now_ms,
        }

    def announce(self) -> None:
        """Say that everything answers now."""
        for workspace in self._account.workspaces:
            url = self.urls.get(workspace.workspace_id)
            where = f"is at {url}" if url else f"is {workspace.status} and answers nobody"
            _log.info("%s (%s) %s", workspace.name, workspace.workspace_id, where)
        principal = self._account.principal
        # The secret of a made-up principal that nothing but this process knows.
        _log.info(
            "To use it:\nexport DATABRICKS_HOST=%s DATABRICKS_WAREHOUSE_ID=%s GENIE_ALLOWED_HOSTS='127.0.0.1:*'\n"
            "export DATABRICKS_CLIENT_ID=%s DATABRICKS_CLIENT_SECRET=%s",
            next(iter(self.urls.values())),
            self._account.warehouse_id,
            principal.application_id,
            principal.client_secret,
        )
        if self._ready_file:
            replace_text(self._ready_file, json.dumps(self.facts(), indent=2) + "\n", mode=0o600)

    def is_orphan(self) -> bool:
        """Whether the process that wanted this sandbox is gone."""
        return self._parent_pid is not None and os.getppid() != self._parent_pid


class _Server(uvicorn.Server):
    """Uvicorn, with our own beginning and end."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(server_config(sandbox.app()))
        self._sandbox = sandbox

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        gc.freeze()  # the account stays for good: looking through it for garbage would only stall answers
        await super().startup(sockets)
        self._watch = asyncio.create_task(self._end_with_parent())
        self._sandbox.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Uvicorn raises the signal again once it is done, which ends the process: clean up before.
        self._watch.cancel()
        await super().shutdown(sockets)
        await asyncio.to_thread(self._sandbox.close)

    async def _end_with_parent(self) -> None:
        while not self._sandbox.is_orphan():
            await asyncio.sleep(_PARENT_POLL_SECONDS)
        # The signal, unlike `should_exit`, ends the process even if a library left a thread behind.
        os.kill(os.getpid(), signal.SIGTERM)


def _sql_app(routes: Sequence[BaseRoute]) -> Starlette:
    async def unknown(request: Request, _: Exception) -> Response:
        answer = endpoint_not_found(request.method, request.url.path)
        return Response(answer.body, answer.status, media_type=answer.content_type)

    return Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})


def _require_loopback(host: str) -> None:
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"the sandbox listens on loopback only (such as {LOOPBACK}), not on {host!r}")


def _addresses(host: str, workspaces: Sequence[Workspace], sockets: Sequence[socket.socket]) -> dict[str, str]:
    return {
        workspace.workspace_id: f"http://{host}:{taken.getsockname()[1]}"
        for workspace, taken in zip(workspaces, sockets, strict=True)
    }


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _take(host: str, port: int) -> socket.socket:
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if port:  # a free one is free, and must stay ours even while nobody listens at it
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise OSError(error.errno, f"port {port} of {host} cannot be used: {error.strerror}") from error
    return taken
