"""`genie-assets doctor` against servers that are an account: the lines that mend what is missing."""

import json
import shlex
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from click.testing import CliRunner

from genie_assets.commands.cli import main
from genie_assets.commands.instances import open_home
from genie_assets.commands.mending import Cures
from genie_assets.domain.outcomes import ErrorClass, FetchError
from genie_assets.gateways.databricks.hosts import HostPolicy
from genie_assets.gateways.databricks.workspaces import Workspaces
from genie_assets.gateways.sql.errors import failed_call
from genie_assets.gateways.sql.system_tables import SystemTables
from genie_assets.logins import DatabricksConnection
from genie_assets.setting_types import RegionalWarehouse
from genie_assets_tests.commands.accounts import (
    FORBIDDEN,
    ME,
    ME_IN_SQL,
    NOT_LOGGED_IN,
    TOKEN,
    Account,
    check,
    doctor,
    refused_statement,
)
from genie_assets_tests.gateways.stub_server import Reply, StubServer


def test_the_doctor_prints_the_grants_of_a_table_for_our_own_principal(account: Account) -> None:
    account.refused["system.access.audit"] = refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    account.refused["system.query.history"] = refused_statement("[TABLE_OR_VIEW_NOT_FOUND] Not there.")
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


def test_a_token_that_opens_only_the_home_workspace_is_cured_by_a_service_principal(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account.workspace("far", NOT_LOGGED_IN):
        monkeypatch.setenv("GENIE_REGIONS", f"us={account.workspaces[-1][2]}/w2")
        code, found = doctor()
    assert code == 1
    assert "did not accept our login" in found["regions.us"]["seen"]
    for name in ("regions.us", "spaces"):
        assert found[name]["cure"] == [
            "DATABRICKS_TOKEN=",
            "DATABRICKS_CLIENT_ID=<application-id>",
            "DATABRICKS_CLIENT_SECRET=<secret>",
        ], name


def test_a_principal_that_another_workspace_does_not_let_in_is_assigned_to_it() -> None:
    """Its login was good at home, so that no other secret would help: the workspace does not know it."""
    refusal = FetchError(ErrorClass.AUTH, "Client authentication failed", http_status=401)
    with StubServer(lambda _request: Reply({"id": "77"})).running() as home:
        region = RegionalWarehouse(home.url, "w2")
        connection = DatabricksConnection(home.url, "w1", client_id=ME, client_secret=TOKEN)
        login = Workspaces(home.url, token=TOKEN, policy=HostPolicy(["127.0.0.1"]))
        cures = Cures(connection, login, {"us": region})
        of_region = cures.of_region("us", failed_call(refusal, "w2"))
        of_workspace = cures.of_workspace("3; rm", None, refusal)
    command = "databricks account workspace-assignment update"
    assert of_region == (f"""{command} '<workspace-id>' 77 --json '{{"permissions": ["USER"]}}'""",)
    assert of_workspace == (f"""{command} '3; rm' 77 --json '{{"permissions": ["USER"]}}'""",)


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
    assert "1 of 2 spaces does not let our principal export" in found["spaces.export"]["seen"]
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
    account.refused["system.access.audit"] = refused_statement("[INSUFFICIENT_PERMISSIONS] No SELECT.")
    done = CliRunner().invoke(main, ["doctor"])
    lines = done.output.splitlines()
    assert done.exit_code == 1
    assert f"         GRANT SELECT ON TABLE system.access.audit TO {ME_IN_SQL};" in lines
    too_long = [line for line in lines if len(line) > 80 and "GRANT" not in line and "databricks api" not in line]
    assert [line for line in too_long if len(line.split()) > 1] == [], "a path of one word stays whole"


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


def test_a_setting_that_is_wrong_is_a_finding_for_programs_too(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json nothing came that a program could read."""
    monkeypatch.setenv("GENIE_THREADS", "lots")
    code, found = doctor()
    assert (code, set(found)) == (1, {"settings", "the rest"})
    assert found["settings"]["status"] == "failed"
    assert found["settings"]["seen"] == "GENIE_THREADS must be a whole number from 1 to 64."
    assert account.home.paths() == []
