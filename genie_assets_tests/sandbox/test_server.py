"""The sandbox as a server: who is let in, what is counted, how the process behaves, and what SQL is handed on."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from genie_assets_tests.sandbox.accounts import (
    ACCOUNT,
    ANCHOR,
    ELSEWHERE,
    FIRST,
    HOUR,
    PRINCIPAL,
    SALES,
    SECOND,
)
from genie_assets_tests.sandbox.wire import Reply, call, genie_path, workspace_client
from genie_sandbox.__main__ import main
from genie_sandbox.account import Workspace, save
from genie_sandbox.client import SandboxProcess
from genie_sandbox.server import process as server_module
from genie_sandbox.server.process import Sandbox


def token_reply(sandbox: SandboxProcess, url: str, **form: str) -> Reply:
    fields = {"grant_type": "client_credentials", "scope": "all-apis"} | form
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return call(url, "/oidc/v1/token", method="POST", body=body, headers=headers)


class TestWhoIsLetIn:
    def test_the_sdk_logs_in_to_every_workspace_and_sees_that_workspace(self, sandbox: SandboxProcess) -> None:
        for workspace_id, space_id in ((FIRST, SALES), (SECOND, ELSEWHERE)):
            client = workspace_client(sandbox, sandbox.urls[workspace_id])
            assert client.get_workspace_id() == int(workspace_id)
            assert client.current_user.me().user_name == PRINCIPAL.application_id
            message: Any = client.api_client.do("GET", genie_path(space_id, "talk", "m000"))
            assert message["space_id"] == space_id

    def test_credentials_in_the_form_are_as_good_as_basic_ones(self, sandbox: SandboxProcess) -> None:
        reply = token_reply(
            sandbox,
            sandbox.host,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
        )
        assert reply.status == 200
        assert reply.json()["expires_in"] == 3600
        assert call(sandbox.host, "/api/2.0/genie/spaces", reply.json()["access_token"]).status == 200

    @pytest.mark.parametrize("wrong", [{}, {"client_id": PRINCIPAL.application_id, "client_secret": "guessed"}])
    def test_a_wrong_secret_is_an_invalid_client(self, sandbox: SandboxProcess, wrong: dict[str, str]) -> None:
        reply = token_reply(sandbox, sandbox.host, **wrong)
        assert (reply.status, reply.json()["error"]) == (401, "invalid_client")

    def test_the_personal_token_is_good_in_every_workspace(self, sandbox: SandboxProcess) -> None:
        replies = [call(url, "/api/2.0/genie/spaces", sandbox.token) for url in sandbox.urls.values()]
        assert [reply.status for reply in replies] == [200, 200]

    def test_a_token_is_refused_by_another_workspace(self, sandbox: SandboxProcess) -> None:
        client = workspace_client(sandbox)
        token = client.config.authenticate()["Authorization"].removeprefix("Bearer ")
        assert call(sandbox.urls[FIRST], "/api/2.0/genie/spaces", token).status == 200
        assert call(sandbox.urls[SECOND], "/api/2.0/genie/spaces", token).status == 401

    @pytest.mark.parametrize("token", [None, "nonsense", PRINCIPAL.client_secret])
    def test_without_a_good_token_the_answer_is_401_in_databricks_shape(
        self, sandbox: SandboxProcess, token: str | None
    ) -> None:
        reply = call(sandbox.host, genie_path(SALES, "talk", "m000"), token)
        assert reply.status == 401
        assert reply.json()["error_code"] == "UNAUTHENTICATED"


def test_requests_are_counted_by_workspace_route_and_status_without_secrets(sandbox: SandboxProcess) -> None:
    sandbox.reset_requests()
    call(sandbox.urls[FIRST], genie_path(SALES, "talk", "m000"), sandbox.token)
    call(sandbox.urls[FIRST], f"{genie_path(SALES, 'talk')}?page_size=5", sandbox.token)
    call(sandbox.urls[SECOND], genie_path(SALES, "talk", "m000"), "wrong-token")
    report = sandbox.requests()
    assert report["counts"] == [
        {"workspace_id": FIRST, "route": "get_message", "status": 200, "count": 1},
        {"workspace_id": FIRST, "route": "list_messages", "status": 200, "count": 1},
        {"workspace_id": SECOND, "route": "get_message", "status": 401, "count": 1},
    ]
    assert (report["total"], report["in_flight"]) == (3, 0)
    assert [entry["path"] for entry in report["latest"][:2]] == [
        genie_path(SALES, "talk", "m000"),
        genie_path(SALES, "talk"),
    ]
    assert sandbox.token not in json.dumps(report)
    assert "wrong-token" not in json.dumps(report)


class TestProcess:
    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "localhost.example.com"])
    def test_it_refuses_to_listen_beyond_loopback(
        self, data: Path, host: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Sandbox, "run", Sandbox.close)
        result = CliRunner().invoke(main, ["--data", str(data), "--host", host, "--no-sql"])
        assert result.exit_code == 1
        assert "loopback only" in result.output

    def test_a_taken_port_is_named(self, data: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(RuntimeError, match=f"port {port} of 127.0.0.1 cannot be used"):
                SandboxProcess(data, sql=False, ports=[port]).start()

    def test_given_ports_are_used(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with SandboxProcess(data, sql=False, ports=[port]) as own:
            assert own.host == f"http://127.0.0.1:{port}"
            assert len(set(own.urls.values())) == 2

    def test_the_environment_points_the_standard_sdk_at_it(
        self, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from databricks.sdk import WorkspaceClient

        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        assert WorkspaceClient().current_user.me().user_name == PRINCIPAL.application_id

    def test_it_stops_quickly_even_while_a_request_hangs(self, data: Path) -> None:
        own = SandboxProcess(data, sql=False).start()
        own.faults({"effect": "hang", "seconds": 60})
        hanging = threading.Thread(target=_ignore_errors, args=(own.host, "/api/2.0/genie/spaces", own.token))
        hanging.start()
        while own.requests()["in_flight"] == 0:
            time.sleep(0.01)
        began = time.monotonic()
        own.stop()
        assert time.monotonic() - began < 5
        hanging.join(5)
        assert not hanging.is_alive()

    def test_it_ends_when_the_process_that_started_it_was_killed(self, data: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path; from genie_sandbox.client import SandboxProcess\n"
            "own = SandboxProcess(Path(sys.argv[1]), sql=False).start(); print(own.pid, flush=True)\n"
            "time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", script, str(data)], stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            os.kill(pid, 0)
            parent.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while _is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _is_running(pid)


class TestWorkspacesThatDoNotRun:
    SILENT = (
        Workspace("3333", "three", "BANNED"),
        Workspace("4444", "four", "FAILED", "slash"),
        Workspace("5555", "five", "PROVISIONING", "none"),
        Workspace("6666", "six", "NOT_PROVISIONED", "none"),
    )

    def test_they_are_listed_with_their_status_and_nobody_answers_at_their_address(self, tmp_path: Path) -> None:
        # The first of all, too: what must be reached is the first that runs.
        save(replace(ACCOUNT, workspaces=(*self.SILENT[:1], *ACCOUNT.workspaces, *self.SILENT[1:])), tmp_path)
        with SandboxProcess(tmp_path) as own:
            assert list(own.urls) == [FIRST, SECOND]
            rows = workspace_client(own).statement_execution.execute_statement(
                "SELECT workspace_id, status, workspace_url FROM system.access.workspaces_latest", own.warehouse_id
            )
            listed = {row[0]: tuple(row[1:]) for row in rows.result.data_array}
            assert {name: listed[name] for name in own.urls} == {
                name: ("RUNNING", url) for name, url in own.urls.items()
            }
            assert {name: listed[name][0] for name in listed.keys() - own.urls.keys()} == {
                workspace.workspace_id: workspace.status for workspace in self.SILENT
            }
            assert listed["5555"][1] is None
            assert listed["6666"][1] is None
            for workspace_id in ("3333", "4444"):
                with pytest.raises(ConnectionRefusedError):
                    call(listed[workspace_id][1].rstrip("/"), "/api/2.0/genie/spaces", own.token)

    def test_an_account_in_which_none_runs_is_refused(self, tmp_path: Path) -> None:
        save(replace(ACCOUNT, workspaces=self.SILENT), tmp_path)
        with pytest.raises(ValueError, match="none of the 4 workspaces"):
            Sandbox(tmp_path, sql=False)


def _ignore_errors(url: str, path: str, token: str) -> None:
    with contextlib.suppress(OSError):
        call(url, path, token)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class FakeEngine:
    """Stands in for the SQL engine, to see what the server asks of it."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def advance(self, at_ms: int) -> None:
        self.calls.append(at_ms)


class TestSqlEngine:
    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine()

    @pytest.fixture
    def with_sql(self, data: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
        async def answer(request: Request) -> JSONResponse:
            return JSONResponse({"path": request.url.path, "body": (await request.body()).decode()})

        routes = [
            Route("/api/2.0/sql/statements/", answer, methods=["POST"]),
            Route("/api/2.0/fs/files/{path:path}", answer, methods=["GET", "PUT"]),
            Route("/presigned/{name}", answer),
        ]
        monkeypatch.setattr(server_module, "sail_engine", lambda *_: (engine, routes))
        made = Sandbox(data)
        yield made
        made.close()

    def ask(self, sandbox: Sandbox, app: Any, method: str, path: str, token: str = "", body: bytes = b"") -> Reply:
        port = int(sandbox.urls[FIRST].rpartition(":")[2])
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "server": ("127.0.0.1", port),
            "headers": [(b"authorization", f"Bearer {token}".encode())] if token else [],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        return Reply(sent[0]["status"], sent[0]["headers"], b"".join(part["body"] for part in sent[1:]))

    def test_statements_and_files_reach_the_engine_with_a_good_token_only(self, with_sql: Sandbox) -> None:
        app = with_sql.app()
        for method, path in (("POST", "/api/2.0/sql/statements/"), ("PUT", "/api/2.0/fs/files/Volumes/a/b")):
            assert self.ask(with_sql, app, method, path).status == 401
            reply = self.ask(with_sql, app, method, path, PRINCIPAL.token, b"hello")
            assert (reply.status, reply.json()) == (200, {"path": path, "body": "hello"})

    def test_presigned_links_need_no_token_and_are_not_remembered(self, with_sql: Sandbox) -> None:
        app = with_sql.app()
        assert self.ask(with_sql, app, "GET", "/presigned/abc").status == 200
        report = self.ask(with_sql, app, "GET", "/_sandbox/requests").json()
        assert [entry["path"] for entry in report["latest"]] == ["/presigned/"]

    def test_what_the_engine_does_not_know_is_an_unknown_endpoint(self, with_sql: Sandbox) -> None:
        for method, path in (("GET", "/api/2.0/sql/history/queries"), ("GET", "/api/2.0/sql/statements/")):
            reply = self.ask(with_sql, with_sql.app(), method, path, PRINCIPAL.token)
            assert (reply.status, reply.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")

    def test_things_that_spaces_name_are_asked_for_by_name_and_never_changed(self, with_sql: Sandbox) -> None:
        """They lie below the paths of statements, and the engine is not asked for them."""
        app = with_sql.app()
        for method, path, status, code in (
            ("GET", "/api/2.0/sql/warehouses/wh", 200, None),
            ("GET", "/api/2.0/sql/warehouses/no", 404, "RESOURCE_DOES_NOT_EXIST"),
            ("GET", "/api/2.1/unity-catalog/tables/a.b.c", 404, "TABLE_DOES_NOT_EXIST"),
            ("GET", "/api/2.1/unity-catalog/functions/a.b.c", 404, "ROUTINE_DOES_NOT_EXIST"),
            ("DELETE", "/api/2.0/sql/warehouses/wh", 404, "ENDPOINT_NOT_FOUND"),
        ):
            reply = self.ask(with_sql, app, method, path, PRINCIPAL.token)
            assert (reply.status, reply.json().get("error_code")) == (status, code)
        assert self.ask(with_sql, app, "GET", "/api/2.0/sql/warehouses/wh").status == 401

    def test_the_engine_is_moved_with_the_clock_and_never_back(
        self, with_sql: Sandbox, engine: FakeEngine
    ) -> None:
        app = with_sql.app()
        for wanted, status in ((ANCHOR + HOUR, 200), (ANCHOR, 400)):
            body = json.dumps({"now_ms": wanted}).encode()
            assert self.ask(with_sql, app, "POST", "/_sandbox/clock", body=body).status == status
        assert engine.calls == [ANCHOR + HOUR]

    def test_faults_hit_statements_too(self, with_sql: Sandbox) -> None:
        app = with_sql.app()
        rules = {"rules": [{"effect": "truncate", "route": "statements", "keep": 0}]}
        self.ask(with_sql, app, "POST", "/_sandbox/faults", body=json.dumps(rules).encode())
        assert self.ask(with_sql, app, "POST", "/api/2.0/sql/statements/", PRINCIPAL.token).body == b""
        assert self.ask(with_sql, app, "GET", "/api/2.0/fs/files/x", PRINCIPAL.token).body != b""
