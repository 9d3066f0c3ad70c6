"""A SQL warehouse with volumes behind a real HTTP server in this process, and lakehouses on it."""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette

from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.retries import Retries
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.lakehouse.interface import Lakehouse
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.sql.volumes import Volumes
from genie_assets.gateways.sql.warehouse import SqlWarehouse
from genie_sandbox.account import Account, Principal, Workspace
from genie_sandbox.sql.engine import SailEngine
from genie_sandbox.sql.routes import routes

_NOON = 1_786_536_000_000  # 2026-08-12T12:00:00Z
_STATEMENTS = "/api/2.0/sql/statements/"
_ACCOUNT = Account(
    account_id="acc",
    anchor=_NOON,
    first_day="2026-08-12",
    last_day="2026-08-12",
    warehouse_id="1a2b3c4d5e6f7a8b",
    principal=Principal("own-app", "s7cr7t-of-the-app", "token", 1),
    workspaces=(Workspace("1111", "one"),),
)


class UnityServer:
    """The sandbox's SQL warehouse and volumes, without the rest of the sandbox.

    `statements` counts what it was sent. While `loses_answers`,
    every statement runs, its answer gets lost, and it is answered when it is sent again.
    """

    def __init__(self, folder: Path) -> None:
        self.engine = SailEngine(_ACCOUNT, folder, {"1111": "http://127.0.0.1:1"}, _NOON)
        self.loses_answers, self.lost = False, 0
        self.statements = 0
        self._app = Starlette(routes=routes(self.engine))
        self._server = uvicorn.Server(
            uvicorn.Config(self._serve, interface="asgi3", host="127.0.0.1", port=0, log_level="warning")
        )
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> Self:
        self.engine.start()
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self._workspaces = Workspaces(
            f"http://127.0.0.1:{port}", token="dapi0123456789abcdef", policy=HostPolicy(["127.0.0.1"])
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.engine.stop()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.statements += (scope.get("method"), scope.get("path")) == ("POST", _STATEMENTS)
        if not self.loses_answers or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        answer: list[Any] = []

        async def keep(message: Any) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        self.lost += 1
        if self.lost % 2:
            answer = [
                {"type": "http.response.start", "status": 503, "headers": []},
                {"type": "http.response.body", "body": b"upstream connect error"},
            ]
        for message in answer:
            await send(message)

    def warehouse(self) -> SqlWarehouse:
        return SqlWarehouse(
            self._workspaces.home, self.engine.warehouse_id, retries=Retries(attempts=2, first_wait=0.01)
        )

    def volumes(self) -> Volumes:
        return Volumes(self._workspaces.home, retries=Retries(attempts=2, first_wait=0.01))

    def new_lake(self, **options: Any) -> Lakehouse:
        """A lakehouse in a schema that does not exist yet."""
        return self.lake(f"uc://main.lake_{uuid4().hex}", **options)

    def lake(self, uri: str, **options: Any) -> Lakehouse:
        """A lakehouse, as a process of its own would open it."""
        return open_lakehouse(uri, databricks=lambda: (self.warehouse(), self.volumes()), **options)
