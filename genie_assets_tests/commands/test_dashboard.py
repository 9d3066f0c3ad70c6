"""`genie-assets dashboard`: what is said of a deployment, of differences, and of what is missing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from databricks.sdk.service.dashboards import Dashboard

from genie_assets.commands.cli import main
from genie_assets_tests.e2e.pipelines import forget_settings
from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_assets_tests.sandbox.wire import workspace_client
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("account")
    save(ACCOUNT, folder)
    with SandboxProcess(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(main, ["dashboard", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


def test_tables_in_files_are_said_to_be_out_of_reach() -> None:
    done = run("deploy", "--folder", "/Shared/Genie")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "A dashboard reads tables in Unity Catalog" in done.output
    assert "set GENIE_LAKEHOUSE to uc://catalog.schema. Now it is /" in done.output


def test_a_dashboard_is_deployed_compared_and_opened(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (sandbox.environment() | {"GENIE_LAKEHOUSE": "uc://main.genie_board"}).items():
        monkeypatch.setenv(name, value)
    client = workspace_client(sandbox)
    lake = "CREATE SCHEMA main.genie_board", "CREATE VIEW main.genie_board.calendar AS SELECT 1 AS day"
    for statement in lake:
        client.statement_execution.execute_statement(statement, sandbox.warehouse_id)
    assert "Where shall the dashboard lie?" in run("deploy").output
    assert run("deploy", "--folder", "Shared").exit_code == 2
    assert "There is no dashboard yet" in run("diff", "--folder", "/Shared/Genie").output
    assert "No dashboard is deployed from here" in run("open", "--print").output

    first = run("deploy", "--folder", "/Workspace/Shared/Genie/", "--viewers", "genie-viewers")
    assert first.exit_code == 0, first.output
    assert "/Shared/Genie/Genie observability.lvdash.json: made, published." in first.output
    assert "group genie-viewers (CAN_READ)" in first.output
    assert "group users (CAN_MANAGE, of a folder)" in first.output
    assert "Viewers read with their own rights: they need SELECT on the views" in first.output
    assert "Not there yet: the views active_users, activity_by_space, completeness" in first.output
    assert "calendar" not in first.output
    (listed,) = client.lakeview.list()
    stored = client.lakeview.get(listed.dashboard_id)
    datasets = json.loads(stored.serialized_dashboard)["datasets"]
    assert {(each["catalog"], each["schema"]) for each in datasets} == {("main", "genie_board")}
    assert client.lakeview.get_published(stored.dashboard_id).embed_credentials is False

    # The folder is remembered, and nothing is left to do.
    again = run("deploy")
    assert "up to date already, published already." in again.output
    assert "No difference" in run("diff").output
    shown = run("open", "--print").output.strip()
    assert shown == f"{sandbox.host}/dashboardsv3/{stored.dashboard_id}/published"

    content = json.loads(stored.serialized_dashboard)
    content["pages"][0]["layout"][0]["widget"]["multilineTextboxSpec"]["lines"] = ["Ours now\n"]
    content["datasets"].append({"name": "mine", "queryLines": ["SELECT 1\n"]})
    by_hand = Dashboard(serialized_dashboard=json.dumps(content), warehouse_id=stored.warehouse_id)
    client.lakeview.update(stored.dashboard_id, by_hand)
    refused = run("deploy")
    assert refused.exit_code == 1
    assert "was changed by hand since it was deployed" in refused.output
    assert run("diff").output.splitlines() == ["- dataset mine", "~ page executive, widget executive_intro"]
    elsewhere = run("deploy", "--force", "--schema", "nowhere")
    assert (elsewhere.exit_code, "nowhere" in elsewhere.output) == (1, True)
    forced = run("deploy", "--force", "--embed-credentials")
    assert "brought up to date, published." in forced.output
    assert "Viewers read with the rights of the principal that deployed it" in forced.output
    client.lakeview.trash(stored.dashboard_id)
    assert "it lies in the trash" in run("open", "--print").output
