"""Servers that are an account, and what `check` and `doctor` say of it."""

import contextlib
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.gateways.stub_server import Reply, Request, StubServer

ME = "o'neil`s@example.com"
ME_IN_SQL = "`o'neil``s@example.com`"
TOKEN = "dapi-planted-0123456789"
HISTORY: tuple[str, ...] = ("workspace_id", "statement_id", "execution_status", "error_message", "warehouse_id")
HISTORY += ("start_time",)
HISTORY += ("end_time", "update_time", "total_duration_ms", "waiting_for_compute_duration_ms", "read_rows")
HISTORY += ("waiting_at_capacity_duration_ms", "compilation_duration_ms", "execution_duration_ms", "read_bytes")
HISTORY += ("result_fetch_duration_ms", "from_result_cache")
EVENTS: tuple[str, ...] = (
    "workspace_id",
    "action_name",
    "space_id",
    "conversation_id",
    "message_id",
    "first_event_time",
)
EVENTS += ("last_event_time", "event_count", "actor", "agent_id", "space_event_id", "lone_event_id", "is_refused")
EVENTS += ("is_agents",)
FORBIDDEN = Reply({"error_code": "PERMISSION_DENIED", "message": "Not yours."}, status=403)
NOT_LOGGED_IN = Reply({"error_code": "UNAUTHENTICATED", "message": "Invalid access token."}, status=401)


class Account:
    """A home workspace with its warehouse and system tables, and other workspaces, each a server of its own."""

    def __init__(self) -> None:
        self.workspaces: list[tuple[str, str | None, str, str | None]] = []
        self.newest: str | None = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.refused: dict[str, Reply] = {}  # by a part of the statement, or of the path
        self.date: str | None = None
        self.home = StubServer(lambda request: self.dated(self.answer(request)))

    def dated(self, reply: Reply) -> Reply:
        return replace(reply, headers={"Date": self.date}) if self.date else reply

    def answer(self, request: Request) -> Reply:
        asked = json.loads(request.body).get("statement", "") if request.body else request.path
        for part, reply in self.refused.items():
            if part in asked:
                return reply
        if "workspaces_latest" in asked:
            return rows(("workspace_id", "workspace_name", "workspace_url", "status"), self.workspaces)
        if "newest" in asked:
            return rows(("newest",), [(self.newest,)], kind="TIMESTAMP")
        if "system.access.audit" in asked:
            return rows(EVENTS, [])
        if "system.query.history" in asked:
            return rows(HISTORY, [])
        if request.path.endswith("/Me"):
            return Reply({"userName": ME})
        if request.path.endswith("/spaces"):
            return Reply({"spaces": [{"space_id": "s1"}, {"space_id": "s2"}]})
        return rows(("1",), [("1",)])

    @contextlib.contextmanager
    def workspace(self, workspace_id: str, reply: Reply) -> Iterator[None]:
        """Another workspace that answers all the same."""
        with StubServer(lambda _request: reply).running() as server:
            self.workspaces.append((workspace_id, f"The {workspace_id}", server.url, "RUNNING"))
            yield


def rows(names: tuple[str, ...], rows: Sequence[tuple[str | None, ...]], kind: str = "STRING") -> Reply:
    columns = [{"name": name, "type_name": kind} for name in names]
    return Reply(
        {
            "statement_id": "s1",
            "status": {"state": "SUCCEEDED"},
            "manifest": {"schema": {"columns": columns}, "total_row_count": len(rows)},
            "result": {"data_array": [list(row) for row in rows]},
        }
    )


def refused_statement(message: str) -> Reply:
    error = {"error_code": "BAD_REQUEST", "message": message}
    return Reply({"statement_id": "s1", "status": {"state": "FAILED", "error": error}})


@contextlib.contextmanager
def account_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    """An account of which everything is in order; the settings name it, and nothing is stored yet."""
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    account = Account()
    with account.home.running():
        for name, value in {
            "DATABRICKS_HOST": account.home.url,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_WAREHOUSE_ID": "0123456789abcdef",
            "GENIE_ALLOWED_HOSTS": "127.0.0.1:*",
            "GENIE_LAKEHOUSE": "tables",
        }.items():
            monkeypatch.setenv(name, value)
        account.workspaces.append(("home", "Home", account.home.url, "RUNNING"))
        yield account


def check() -> tuple[int, list[str]]:
    done = CliRunner().invoke(main, ["check"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "planted" not in done.output
    return done.exit_code, done.output.splitlines()


def doctor() -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code of `doctor --json`, and what it found by the name of what was looked at."""
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "planted" not in done.output
    return done.exit_code, {each["name"]: each for each in json.loads(done.output)}


def failures(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("FAIL")]
