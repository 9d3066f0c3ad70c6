"""`genie-assets check` against servers that are an account: every cause is told once, with what to do."""

import contextlib
import datetime as dt
import json
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.commands.instances import open_home
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.gateways.stub_server import Reply, Request, StubServer

ME, ME_IN_SQL = "o'neil`s@example.com", "`o'neil``s@example.com`"
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
            return _rows(("workspace_id", "workspace_name", "workspace_url", "status"), self.workspaces)
        if "newest" in asked:
            return _rows(("newest",), [(self.newest,)], kind="TIMESTAMP")
        if "system.access.audit" in asked:
            return _rows(EVENTS, [])
        if "system.query.history" in asked:
            return _rows(HISTORY, [])
        if request.path.endswith("/Me"):
            return Reply({"userName": ME})
        if request.path.endswith("/spaces"):
            return Reply({"spaces": [{"space_id": "s1"}, {"space_id": "s2"}]})
        return _rows(("1",), [("1",)])

    @contextlib.contextmanager
    def workspace(self, workspace_id: str, reply: Reply) -> Iterator[None]:
        """Another workspace that answers all the same."""
        with StubServer(lambda _request: reply).running() as server:
            self.workspaces.append((workspace_id, f"The {workspace_id}", server.url, "RUNNING"))
            yield


def _rows(names: tuple[str, ...], rows: Sequence[tuple[str | None, ...]], kind: str = "STRING") -> Reply:
    columns = [{"name": name, "type_name": kind} for name in names]
    return Reply(
        {
            "statement_id": "s1",
            "status": {"state": "SUCCEEDED"},
            "manifest": {"schema": {"columns": columns}, "total_row_count": len(rows)},
            "result": {"data_array": [list(row) for row in rows]},
        }
    )


def _refused_statement(message: str) -> Reply:
    error = {"error_code": "BAD_REQUEST", "message": message}
    return Reply({"statement_id": "s1", "status": {"state": "FAILED", "error": error}})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    """An account of which everything is in order."""
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


def test_what_is_in_order_is_said_with_the_next_step(account: Account, tmp_path: Path) -> None:
    code, lines = check()
    assert code == 0
    assert [line[:4] for line in lines[:-1]] == ["ok  "] * 6
    assert lines[0] == f"ok    GENIE_LAKEHOUSE {tmp_path / 'tables'} will be made"
    assert "Workspace Home (home) lists 2 spaces" in lines[-2]
    assert lines[-1].endswith("genie-assets load")
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_is_not_databricks_is_told(account: Account) -> None:
    for minutes, told in ((0, []), (-5, ["FAIL  Our clock is 5 minutes ahead of Databricks'"])):
        account.date = formatdate(time.time() + minutes * 60, usegmt=True)
        code, lines = check()
        assert [line.partition(":")[0] for line in failures(lines)] == told
        assert code == len(told)


@pytest.mark.parametrize("status", ["BANNED", "PROVISIONING", "NOT_PROVISIONED", "FAILED"])
def test_a_workspace_that_does_not_run_is_no_failure_and_says_what_it_is(account: Account, status: str) -> None:
    """It was a failure, for which there is nothing to do."""
    account.workspaces.append(("down", "Down", "https://nowhere.cloud.databricks.com", status))
    code, lines = check()
    assert (code, failures(lines)) == (0, [])
    assert any(line.startswith(f"ok    Workspace Down (down) is {status}, says ") for line in lines)


def test_workspaces_that_refuse_for_one_reason_are_one_finding(account: Account) -> None:
    with contextlib.ExitStack() as stack:
        for name in "abcdefg":
            stack.enter_context(account.workspace(name, FORBIDDEN))
        stack.enter_context(account.workspace("other", NOT_LOGGED_IN))
        code, lines = check()
    assert code == 1
    one, other = failures(lines)
    assert one.startswith("FAIL  7 workspaces (The a (a), The b (b), The c (c), The d (d), The e (e), 2 more): ")
    assert all(part in one for part in ("403", "Assign our principal", "GENIE_WORKSPACES"))
    assert other.startswith("FAIL  Workspace The other (other): ")
    assert "A personal access token opens its own workspace only" in other


def _wrong_token(account: Account, _patch: pytest.MonkeyPatch) -> None:
    account.refused["/api"] = account.refused["SELECT"] = NOT_LOGGED_IN


def _wrong_host(_account: Account, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")


def _nothing_set(_account: Account, patch: pytest.MonkeyPatch) -> None:
    forget_settings(patch)


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (_wrong_token, ["DATABRICKS_TOKEN", "401"]),
        (_wrong_host, ["DATABRICKS_HOST", "refuses the connection"]),
        (_nothing_set, ["DATABRICKS_HOST", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_TOKEN", ".env"]),
    ],
)
def test_what_all_the_rest_depends_on_is_told_once(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[Account, pytest.MonkeyPatch], None],
    told: list[str],
) -> None:
    """One bad token or host was told three times, with raw texts of the library."""
    breaks(account, monkeypatch)
    code, lines = check()
    (failure,) = failures(lines)
    assert code == 1
    assert all(part in failure for part in told)
    assert "HTTPConnectionPool" not in failure
    assert len(failure) < 500
    assert lines[-1] == "--    Not looked at, as they are reached through that: system tables, workspaces"


def test_a_table_that_is_not_granted_keeps_nothing_else_from_being_looked_at(account: Account) -> None:
    account.refused["system.access.audit"] = _refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    account.refused["workspaces_latest"] = _refused_statement("[TABLE_OR_VIEW_NOT_FOUND] Not there.")
    code, lines = check()
    audit, workspaces = failures(lines)
    assert code == 1
    assert "system.access.audit" in audit
    assert "Grant " in audit
    assert "system.access.workspaces_latest" in workspaces
    assert "ok    system.query.history can be read" in lines
    assert lines[-1] == "--    Not looked at, as only that table names them: the workspaces' spaces"


def test_history_that_is_not_granted_is_a_warning_because_runs_go_on_without_it(account: Account) -> None:
    """It was a failure, though the fold only waits for it."""
    account.refused["system.query.history"] = _refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    code, lines = check()
    (warning,) = [line for line in lines if line.startswith("warn")]
    assert (code, failures(lines)) == (0, [])
    assert warning.startswith("warn  system.query.history cannot be read: how statements ran stays unknown")
    assert "Grant " in warning
    assert lines[-1].endswith("genie-assets load")


def test_history_that_would_stop_a_run_is_a_failure(account: Account) -> None:
    account.refused["system.query.history"] = _refused_statement("[UNRESOLVED_COLUMN] There is no such column.")
    code, lines = check()
    (failure,) = failures(lines)
    assert (code, failure.startswith("FAIL  system.query.history: ")) == (1, True)


def test_a_column_of_the_audit_log_that_is_missing_is_told_before_a_run_meets_it(account: Account) -> None:
    """The newest event was found, all was well, and the first run failed."""
    account.refused["user_identity"] = _refused_statement(
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `user_identity` cannot be resolved."
    )
    code, lines = check()
    (failure,) = failures(lines)
    assert code == 1
    assert failure.startswith("FAIL  system.access.audit can be read, and lacks a column that runs read")
    assert "`user_identity`" in failure
    assert "Grant" not in failure


def test_a_region_in_which_it_is_missing_is_told_by_its_name(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Account()
    far.refused["user_identity"] = _refused_statement("[UNRESOLVED_COLUMN] No `user_identity` here.")
    with far.home.running() as server:
        monkeypatch.setenv("GENIE_REGIONS", f"us={server.url}/w2")
        code, lines = check()
    (failure,) = failures(lines)
    assert code == 1
    assert failure.startswith("FAIL  system.access.audit cannot be read everywhere: region us: ")
    assert "`user_identity`" in failure


def _no_audit_event(account: Account, _patch: pytest.MonkeyPatch) -> None:
    account.newest = None


def _no_workspace(account: Account, _patch: pytest.MonkeyPatch) -> None:
    account.workspaces.clear()


def _no_space(account: Account, _patch: pytest.MonkeyPatch) -> None:
    account.refused["/spaces"] = Reply({})


def _mistyped_workspace(_account: Account, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("GENIE_WORKSPACES", "home, hone")


@pytest.mark.parametrize(
    ("empties", "told"),
    [
        (_no_audit_event, "no event of the last two days"),
        (_no_workspace, "shows no workspace"),
        (_no_space, "No workspace lists a space"),
        (_mistyped_workspace, "does not show hone, which GENIE_WORKSPACES names"),
    ],
)
def test_nothing_to_see_is_not_everything_in_order(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    empties: Callable[[Account, pytest.MonkeyPatch], None],
    told: str,
) -> None:
    """A table whose rows are hidden from us looks like an account in which nothing happens."""
    empties(account, monkeypatch)
    code, lines = check()
    (failure,) = failures(lines)
    assert (code, told in failure) == (1, True)


@pytest.mark.parametrize(
    "place", ["/proc/no/such/place", "{folder}/a file", "{folder}/a file/below", "ftp://host/x"]
)
def test_a_lakehouse_that_cannot_be_is_a_failure(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """It "could be read", and what is there was never written to."""
    (tmp_path / "a file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("GENIE_LAKEHOUSE", place.format(folder=tmp_path))
    code, lines = check()
    (failure,) = failures(lines)
    assert (code, "GENIE_LAKEHOUSE" in failure) == (1, True)
    assert len(lines) == 6  # the rest was looked at


def test_names_from_outside_cannot_write_a_line_of_their_own(account: Account) -> None:
    account.workspaces = [("home", "Home\nok    all is well\x1b[2K", account.home.url, "RUNNING")]
    _, lines = check()
    assert r"ok    Workspace Home ok all is well\x1b[2K (home) lists 2 spaces" in lines


def test_days_that_no_run_would_look_at_are_told(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = dict.fromkeys(GENIE_MESSAGES_TO_FETCH.column_names) | {"event_date": dt.date(2026, 3, 2)}
    row |= {"workspace_id": "home", "space_id": "s", "conversation_id": "c", "message_id": "m"}
    open_lakehouse(str(tmp_path / "tables")).append(GENIE_MESSAGES_TO_FETCH, GENIE_MESSAGES_TO_FETCH.frame([row]))
    monkeypatch.setenv("GENIE_FIRST_DAY", "2026-03-03")
    code, lines = check()
    (failure,) = failures(lines)
    assert code == 1
    assert failure.endswith("Set GENIE_FIRST_DAY to 2026-03-02 or earlier.")
    assert doctor()[1]["days"]["cure"] == ["GENIE_FIRST_DAY=2026-03-02"]
    monkeypatch.setenv("GENIE_FIRST_DAY", "2026-03-02")
    assert check()[0] == 0


def test_a_dagster_home_that_lets_runs_share_the_budget_is_told(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    open_home(home).dispose()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert check()[0] == 0
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    code, lines = check()
    (failure,) = failures(lines)
    assert (code, "dagster instance concurrency set genie_api 1" in failure) == (1, True)


def test_the_doctor_prints_the_grants_of_a_table_for_our_own_principal(account: Account) -> None:
    account.refused["system.access.audit"] = _refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    account.refused["system.query.history"] = _refused_statement("[TABLE_OR_VIEW_NOT_FOUND] Not there.")
    code, found = doctor()
    audit, history = found["system.access.audit"], found["system.query.history"]
    assert (code, audit["status"], history["status"]) == (1, "failed", "warning")
    assert audit["cure"] == [
        f"GRANT USE CATALOG ON CATALOG system TO {ME_IN_SQL};",
        f"GRANT USE SCHEMA ON SCHEMA system.access TO {ME_IN_SQL};",
        f"GRANT SELECT ON TABLE system.access.audit TO {ME_IN_SQL};",
    ]
    assert history["cure"][-1] == f"GRANT SELECT ON TABLE system.query.history TO {ME_IN_SQL};"
    assert found["system.access.workspaces_latest"]["cure"] == []


def test_a_warehouse_that_is_not_ours_to_use_is_cured_by_one_command(account: Account) -> None:
    account.refused["SELECT"] = FORBIDDEN
    code, found = doctor()
    assert (code, found["warehouse"]["status"], found["the rest"]["status"]) == (1, "failed", "unknown")
    (line,) = found["warehouse"]["cure"]
    *command, body = shlex.split(line)
    assert command == ["databricks", "api", "patch", "/api/2.0/permissions/warehouses/0123456789abcdef", "--json"]
    assert json.loads(body) == {"access_control_list": [{"user_name": ME, "permission_level": "CAN_USE"}]}


def test_each_space_is_asked_what_it_lets_us_do_and_by_the_doctor_alone(account: Account) -> None:
    account.refused["/spaces/s2"] = FORBIDDEN
    account.refused["/spaces/s1/conversations"] = Reply({"conversations": []})
    account.refused["/spaces/s1"] = Reply({"space_id": "s1", "title": "One", "serialized_space": "{}"})
    assert check()[0] == 0
    assert not [path for path in account.home.paths() if "/spaces/s" in path]
    code, found = doctor()
    assert code == 0, "runs go on without them"
    for name in ("spaces.read", "spaces.export"):
        assert found[name]["status"] == "warning"
        assert "1 of 2 spaces does not let our principal" in found[name]["seen"]
        (line,) = found[name]["cure"]
        assert shlex.split(line)[3] == "/api/2.0/permissions/genie/s2"
        assert "CAN_MANAGE" in line


def test_a_space_that_is_shown_without_its_configuration_cannot_be_exported(account: Account) -> None:
    """Whether a refusal is a 403 or an empty text is not known; a workspace may lack its name, too."""
    account.workspaces[0] = ("home", None, account.home.url, "RUNNING")
    account.refused["/conversations"] = Reply({"conversations": []})
    account.refused["/spaces/s1"] = Reply({"space_id": "s1", "title": "One", "serialized_space": ""})
    account.refused["/spaces/s2"] = Reply({"space_id": "s2", "title": "Two", "serialized_space": "{}"})
    _, found = doctor()
    assert found["spaces.export"]["status"] == "warning"
    assert "1 of 2 spaces do not let our principal export" in found["spaces.export"]["seen"]
    assert found["spaces"]["seen"] == "Workspace home lists 2 spaces"


def test_schedules_that_are_off_are_a_warning_with_the_command(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert account.home.url
    assert doctor()[1]["dagster"]["status"] == "unknown", "there is none yet"
    home = tmp_path / "home"
    open_home(home).dispose()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    code, found = doctor()
    off = found["dagster.schedules"], found["dagster.sensors"]
    assert (code, [each["status"] for each in off]) == (0, ["warning", "warning"])
    assert off[0]["cure"] == ["genie-assets init", "dagster schedule start --start-all -w workspace.yaml"]
    assert "SQLite" in found["dagster.storage"]["seen"]


def test_the_doctor_reads_well_at_eighty_columns_and_its_lines_can_be_copied(account: Account) -> None:
    account.refused["system.access.audit"] = _refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    done = CliRunner().invoke(main, ["doctor"])
    lines = done.output.splitlines()
    assert done.exit_code == 1
    assert f"         GRANT SELECT ON TABLE system.access.audit TO {ME_IN_SQL};" in lines
    assert all(len(line) <= 80 for line in lines if "GRANT" not in line and "databricks api" not in line)


def test_what_breaks_one_look_is_a_finding_and_the_others_are_taken(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended the doctor with a traceback, and with --json nothing was told at all."""

    def breaks(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError(f"with {TOKEN} in it")

    monkeypatch.setattr(SystemTables, "query_history", breaks)
    code, found = doctor()
    assert (code, found["system.query.history"]["status"]) == (1, "failed")
    assert "ZeroDivisionError" in found["system.query.history"]["seen"]
    assert "spaces" in found


def test_each_finding_of_the_doctor_has_a_name_and_the_pool_its_cure(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    open_home(home).dispose()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    account.date = formatdate(time.time() - 600, usegmt=True)
    code, found = doctor()
    assert (code, "" in found, found["clock"]["status"]) == (1, False, "failed")
    assert found["dagster.pool"]["cure"] == ["dagster instance concurrency set genie_api 1"]


def test_spaces_of_which_nothing_is_known_are_not_in_order(account: Account) -> None:
    """`0 of 2 spaces let our principal read` was `ok`."""
    account.refused["/spaces/"] = Reply({"error_code": "INTERNAL_ERROR", "message": "Not now."}, status=500)
    done = CliRunner().invoke(main, ["doctor", "--json"])
    told = [each["status"] for each in json.loads(done.output) if each["name"] == "spaces.read"]
    assert told == ["unknown"]
