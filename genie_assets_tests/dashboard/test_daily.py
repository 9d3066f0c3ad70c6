"""The asset `observability_dashboard`: none unless a setting asks for it, and it replaces nobody's work."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from databricks.sdk.service.dashboards import Dashboard

from genie_assets.definitions import build_defs
from genie_assets.domain.dashboard.ours import NO_SCHEMA
from genie_assets_tests.day_runs import QUIET
from genie_assets_tests.e2e.pipelines import forget_settings, metadata_of
from genie_assets_tests.sandbox.accounts import ACCOUNT
from genie_assets_tests.sandbox.wire import workspace_client
from genie_sandbox.account import save
from genie_sandbox.client import SandboxProcess

NAME, JOB, SCHEDULE = "observability_dashboard", "genie_dashboard", "dashboard_daily"


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


def run() -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs().resolve_job_def(JOB)
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)


def sentence(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    return failure.user_failure_data.description or ""


def test_nothing_deploys_it_unless_a_setting_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def there() -> set[str]:
        defs = build_defs()
        keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
        schedules = {each.name for each in defs.schedules or ()}
        return (keys | schedules | {job.name for job in defs.jobs or ()}) & {NAME, JOB, SCHEDULE}

    assert there() == set()
    monkeypatch.setenv("GENIE_DASHBOARD_FOLDER", "/Shared/Genie")
    assert there() == {NAME, JOB, SCHEDULE}


def test_tables_in_files_are_said_to_be_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DATABRICKS_HOST", "https://x.cloud.databricks.com"), ("DATABRICKS_TOKEN", "made-up")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GENIE_DASHBOARD_FOLDER", "/Shared/Genie")
    assert sentence(run()) == NO_SCHEMA


@pytest.mark.servers
def test_it_is_deployed_kept_and_red_while_a_person_s_work_would_be_lost(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "GENIE_LAKEHOUSE": "uc://main.genie_daily_board",
        "GENIE_DASHBOARD_FOLDER": "/Workspace/Shared/Daily",
    }
    for name, value in (sandbox.environment() | settings | {"GENIE_DASHBOARD_VIEWERS": "genie-viewers"}).items():
        monkeypatch.setenv(name, value)
    client = workspace_client(sandbox)
    client.statement_execution.execute_statement("CREATE SCHEMA main.genie_daily_board", sandbox.warehouse_id)

    def ours() -> Dashboard:
        every = [client.lakeview.get(each.dashboard_id) for each in client.lakeview.list(page_size=100)]
        (one,) = [each for each in every if each.path.startswith("/Shared/Daily/")]
        return one

    first = metadata_of(run(), NAME)
    made = ours()
    assert (first["deployment"], first["published_anew"]) == ("create", True)
    assert first["path"] == made.path
    assert made.dashboard_id in first["dashboard"]
    again = metadata_of(run(), NAME)
    assert (again["deployment"], again["published_anew"]) == ("keep", False)

    edited = json.loads(made.serialized_dashboard)
    edited["pages"][0]["displayName"] = "Mine"
    client.lakeview.update(made.dashboard_id, Dashboard(serialized_dashboard=json.dumps(edited), etag=made.etag))
    said = sentence(run())
    assert "was changed by hand since it was deployed" in said
    assert "genie-assets dashboard diff" in said
    assert json.loads(ours().serialized_dashboard)["pages"][0]["displayName"] == "Mine"
