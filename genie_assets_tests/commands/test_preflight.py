"""`genie-assets check` against servers that are an account: every cause is told once, with what to do."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from genie_assets.commands.instances import open_home
from genie_assets.domain.tables import GENIE_MESSAGES_TO_FETCH
from genie_assets.gateways.lakehouse.opening import open_lakehouse
from genie_assets_tests.commands.accounts import (
    FORBIDDEN,
    NOT_LOGGED_IN,
    Account,
    check,
    doctor,
    failures,
    refused_statement,
)
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.gateways.stub_server import Reply


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
    account.refused["system.access.audit"] = refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    account.refused["workspaces_latest"] = refused_statement("[TABLE_OR_VIEW_NOT_FOUND] Not there.")
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
    account.refused["system.query.history"] = refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    code, lines = check()
    (warning,) = [line for line in lines if line.startswith("warn")]
    assert (code, failures(lines)) == (0, [])
    assert warning.startswith("warn  system.query.history cannot be read: how statements ran stays unknown")
    assert "Grant " in warning
    assert lines[-1].endswith("genie-assets load")


def test_history_that_would_stop_a_run_is_a_failure(account: Account) -> None:
    account.refused["system.query.history"] = refused_statement("[UNRESOLVED_COLUMN] There is no such column.")
    code, lines = check()
    (failure,) = failures(lines)
    assert (code, failure.startswith("FAIL  system.query.history: ")) == (1, True)


def test_a_column_of_the_audit_log_that_is_missing_is_told_before_a_run_meets_it(account: Account) -> None:
    """The newest event was found, all was well, and the first run failed."""
    account.refused["user_identity"] = refused_statement(
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
    far.refused["user_identity"] = refused_statement("[UNRESOLVED_COLUMN] No `user_identity` here.")
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
