"""The SQL alert of the tables that stand still: one whatever happens, and nothing of a person's is lost."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import AlertV2

from genie_assets.commands.cli import main
from genie_assets.definitions import build_defs
from genie_assets.domain.sql_alert import HOURS_STILL, NO_SCHEMA, Subscribers, changes, query_of, wanted_alert
from genie_assets.domain.tables import GENIE_DAY_LOADS
from genie_assets.run_costs import COSTS_TAG
from genie_assets_tests.day_runs import QUIET
from genie_assets_tests.e2e.pipelines import forget_settings, metadata_of
from genie_assets_tests.gateways.lakehouse.unity.server import UnityServer
from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_assets_tests.sandbox.wire import workspace_client
from genie_assets_tests.test_alerts import commands_of_the_runbook
from genie_sandbox.account import Securable, save
from genie_sandbox.client import SandboxProcess

NAME = "genie-assets: the tables of main.genie stand still"
THEIRS = {"standing_still_alert", "genie_sql_alert", "sql_alert_daily"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("account")
    save(replace(ACCOUNT, securables=(Securable("table", "main.genie.genie_day_loads"),)), folder)
    with SandboxProcess(folder, sql=False) as running:
        yield running


@pytest.fixture
def client(sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceClient:
    forget_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, value in (sandbox.environment() | {"GENIE_LAKEHOUSE": "uc://main.genie"}).items():
        monkeypatch.setenv(name, value)
    client = workspace_client(sandbox)
    for each in client.alerts_v2.list_alerts():
        client.alerts_v2.trash_alert(each.id)
    return client


def deploy(*options: str) -> Any:
    return CliRunner().invoke(main, ["alerts", "deploy", *options])


def only(client: WorkspaceClient) -> AlertV2:
    (one,) = [each for each in client.alerts_v2.list_alerts(page_size=1) if each.display_name == NAME]
    return client.alerts_v2.get_alert(one.id)


def emails(alert: AlertV2) -> list[str]:
    return [each.user_email for each in alert.evaluation.notification.subscriptions]


def test_the_runbooks_command_makes_it_once_and_keeps_what_people_changed(
    client: WorkspaceClient, sandbox: SandboxProcess
) -> None:
    _, command = commands_of_the_runbook()
    made = CliRunner().invoke(main, command.split()[1:])
    assert made.output == f"{NAME}: made.\n"
    alert = only(client)
    assert (alert.warehouse_id, emails(alert)) == (sandbox.warehouse_id, ["team@example.com"])
    assert alert.evaluation.threshold.value.double_value == HOURS_STILL
    assert CliRunner().invoke(main, command.split()[1:]).output == f"{NAME}: up to date already.\n"

    # A person wants to hear of it earlier, and the query is that of an older version.
    evaluation = alert.evaluation
    evaluation.threshold.value.double_value = 27.0
    older = query_of("main", "genie_before")
    client.alerts_v2.update_alert(
        alert.id, AlertV2(evaluation=evaluation, query_text=older), "evaluation,query_text"
    )
    assert deploy("--email", "boss@example.com").output == f"{NAME}: brought up to date.\n"
    alert = only(client)
    assert alert.evaluation.threshold.value.double_value == 27.0
    assert emails(alert) == ["team@example.com", "boss@example.com"]
    assert alert.query_text == query_of("main", "genie")

    client.alerts_v2.update_alert(alert.id, AlertV2(query_text="SELECT 1 AS hours_still"), "query_text")
    refused = deploy()
    assert refused.exit_code == 1
    assert "was changed by hand" in refused.output
    assert only(client).query_text == "SELECT 1 AS hours_still"
    assert deploy("--force").output == f"{NAME}: brought up to date.\n"
    assert only(client).query_text == query_of("main", "genie")


def test_what_nobody_hears_and_what_is_there_twice_is_said(client: WorkspaceClient) -> None:
    assert "Nobody is told when it fires" in deploy().output
    twin = wanted_alert("main", "genie", "w", Subscribers())
    client.alerts_v2.create_alert(AlertV2.from_dict(twin))
    assert "1 more alerts have this name" in deploy().output


def test_a_schema_that_has_no_tables_yet_is_told_and_gets_its_alert(
    client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", "uc://main.later")
    done = deploy("--email", "team@example.com")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        f"{NAME.replace('main.genie', 'main.later')}: made.",
        "Unity Catalog shows our login no table `main`.`later`.`genie_day_loads`: the alert has nothing to go by "
        "until a load (genie-assets load, or a schedule) has made the tables.",
    ]


def test_a_setting_has_it_kept_each_day_and_nobodys_work_is_lost(
    client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def there() -> set[str]:
        defs = build_defs()
        keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
        return (keys | {each.name for each in (*(defs.schedules or ()), *(defs.jobs or ()))}) & THEIRS

    assert there() == set()
    monkeypatch.setenv("GENIE_SQL_ALERT_EMAILS", "team@example.com, night@example.com")
    assert there() == THEIRS
    made = run()
    told = metadata_of(made, "standing_still_alert")
    assert "POST alerts" in made.dagster_run.tags.get(COSTS_TAG, ""), "what it asked is counted"
    assert (told["deployment"], told["subscribers"], told["alert"]) == ("create", 2, NAME)
    assert metadata_of(run(), "standing_still_alert")["deployment"] == "keep"
    assert deploy().output == f"{NAME}: up to date already.\n", "the command goes by the same settings"
    alert = only(client)
    assert emails(alert) == ["team@example.com", "night@example.com"]
    client.alerts_v2.trash_alert(alert.id)
    assert metadata_of(run(), "standing_still_alert")["deployment"] == "create", "somebody threw it away"
    client.alerts_v2.update_alert(only(client).id, AlertV2(query_text="SELECT 1 AS hours_still"), "query_text")
    assert "was changed by hand" in sentence(run())
    assert only(client).query_text == "SELECT 1 AS hours_still"
    monkeypatch.setenv("GENIE_LAKEHOUSE", "lakehouse")
    assert sentence(run()) == NO_SCHEMA


def run() -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs().resolve_job_def("genie_sql_alert")
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)


def sentence(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    return failure.user_failure_data.description or ""


def test_tables_in_files_are_said_to_be_out_of_reach(
    client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENIE_LAKEHOUSE", "lakehouse")
    assert "set GENIE_LAKEHOUSE to uc://catalog.schema" in deploy().output


def test_an_update_sends_nothing_that_is_as_it_should_be() -> None:
    wanted = wanted_alert("main", "genie", "w", Subscribers(("a@example.com",), ("d1",)))
    assert changes(wanted, wanted) == {}
    assert set(changes({**wanted, "warehouse_id": "v"}, wanted)) == {"warehouse_id"}
    assert "`a``b`" in query_of("a`b", "genie")


def test_it_fires_when_the_tables_stand_still_and_not_before(tmp_path_factory: pytest.TempPathFactory) -> None:
    now = dt.datetime.now(dt.UTC)
    with UnityServer(tmp_path_factory.mktemp("warehouse")) as server:
        lake, warehouse = server.lake("uc://main.still"), server.warehouse()

        def hours() -> float:
            return float(warehouse.query(query_of("main", "still"), {})["hours_still"].iloc[0])

        def load(day: int, hours_ago: float) -> None:
            at = now - dt.timedelta(hours=hours_ago)
            row = {"event_date": dt.date(2026, 3, day), "last_load_timestamp": at}
            lake.store(GENIE_DAY_LOADS, GENIE_DAY_LOADS.frame([row]))

        load(1, 31)
        assert HOURS_STILL < hours() < 32
        load(2, 24.5)
        assert 24 < hours() < HOURS_STILL
