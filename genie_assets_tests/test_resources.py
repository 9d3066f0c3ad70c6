"""How the lakehouse in Unity Catalog is reached: lazily, and with the credentials of the Databricks resource."""

import gc
import json
import os
import uuid
import weakref
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster_databricks import DatabricksClientResource

from genie_assets.definitions import build_defs
from genie_assets.domain.tables import GENIE_API_MESSAGES
from genie_assets.resources import LakehouseResource
from genie_assets.settings import SettingsError, load_settings
from genie_assets.wiring import open_lake, open_workspaces
from genie_assets_tests.gateways.stub_server import Reply, StubServer

TOKEN, OTHER_TOKEN = "dapi0123456789abcdef0123456789abcdef", "dapi00000000000000000000000000000000"
WORKSPACES = ("workspace_id", "workspace_name", "workspace_url", "status")
ABSENT = {
    "statement_id": "s",
    "status": {"state": "FAILED", "error": {"message": "[TABLE_OR_VIEW_NOT_FOUND] no such table"}},
}


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "GENIE_")):
            monkeypatch.delenv(name)


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer(lambda _: Reply(ABSENT)).running() as server:
        yield server


def test_a_lakehouse_in_unity_catalog_needs_a_connection_only_when_it_is_used() -> None:
    lake = open_lake(load_settings(genie_lakehouse="uc://main.genie_analytics"))
    with pytest.raises(SettingsError, match="DATABRICKS_HOST is not set"):
        lake.exists(GENIE_API_MESSAGES)


def test_the_lakehouse_logs_in_as_the_databricks_resource_says(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment may configure the resource in its own code; the environment is only the default."""
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    monkeypatch.setenv("DATABRICKS_TOKEN", OTHER_TOKEN)
    monkeypatch.setenv("GENIE_ALLOWED_HOSTS", "127.0.0.1:*")
    monkeypatch.setenv("GENIE_LAKEHOUSE", "uc://main.genie_analytics")

    @dg.op(required_resource_keys={"genie_lake"})
    def look(context: dg.OpExecutionContext) -> bool:
        return bool(context.resources.genie_lake.exists(GENIE_API_MESSAGES))

    databricks = DatabricksClientResource(host=stub.url, token=TOKEN)
    lake = build_defs(databricks=databricks).resources["genie_lake"]
    assert isinstance(lake, LakehouseResource)
    job = dg.GraphDefinition("looking", node_defs=[look]).to_job(resource_defs={"genie_lake": lake})
    assert job.execute_in_process().output_for_node("look") is False
    assert {request.token for request in stub.requests} == {TOKEN}
    statements = [json.loads(request.body)["statement"] for request in stub.requests]
    assert all("`main`.`genie_analytics`" in each for each in statements)
    assert any("genie_api_messages" in each for each in statements)


def test_a_region_that_a_step_could_not_read_is_left_out_by_the_processes_of_the_next_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each process of the multiprocess executor waited for one that hangs, GENIE_REGION_SECONDS long."""
    done = {"statement_id": "s", "status": {"state": "SUCCEEDED"}, "result": {"data_array": []}}
    columns = [{"name": name, "type_name": "STRING"} for name in WORKSPACES]
    done |= {"manifest": {"schema": {"columns": columns}, "total_row_count": 0}}
    run_id, another = str(uuid.uuid4()), str(uuid.uuid4())
    eu, us = ({"run": each, "why": "It hung."} for each in (run_id, another))
    tags = {"genie/region.eu": json.dumps(eu), "genie/region.us": json.dumps(us), "genie/region.ap": "no JSON"}

    @dg.op(required_resource_keys={"genie_system_tables"})
    def look(context: dg.OpExecutionContext) -> dict[str, str | None]:
        context.resources.genie_system_tables.workspaces(everywhere=True)
        return dict(context.resources.genie_system_tables.regions)

    with (
        StubServer(lambda _: Reply(done)).running() as home,
        StubServer(lambda _: Reply({}, status=404)).running() as us_server,
        StubServer(lambda _: Reply(done)).running() as eu_server,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        settings = {"HOST": home.url, "TOKEN": TOKEN, "WAREHOUSE_ID": "w1"}
        for name, value in settings.items():
            monkeypatch.setenv(f"DATABRICKS_{name}", value)
        monkeypatch.setenv("GENIE_ALLOWED_HOSTS", "127.0.0.1:*")
        monkeypatch.setenv("GENIE_REGIONS", f"us={us_server.url}/w2,eu={eu_server.url}/w3")
        tables = build_defs().resources["genie_system_tables"]
        job = dg.GraphDefinition("looking", node_defs=[look]).to_job(resource_defs={"genie_system_tables": tables})
        ended = job.execute_in_process(instance=instance, run_id=run_id, tags=tags)
        run = instance.get_run_by_id(run_id)
    seen = ended.output_for_node("look")
    assert (seen["home"], seen["eu"]) == (None, "It hung.")
    assert eu_server.requests == [], "it is not waited for a second time"
    assert us_server.requests, "what another run saw says nothing of this one"
    assert run is not None
    assert json.loads(run.tags["genie/region.us"]) == {"run": run_id, "why": seen["us"]}


def test_what_a_run_opens_shares_one_login_while_it_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three logins of one run were three chances to be refused, and three tokens to keep fresh."""
    monkeypatch.setenv("DATABRICKS_HOST", "https://adb-1.azuredatabricks.net")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-the-run")
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    settings = load_settings()
    first = open_workspaces(settings, settings.databricks())
    assert open_workspaces(load_settings(), load_settings().databricks()) is first
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-renewed-since")
    assert open_workspaces(load_settings(), load_settings().databricks()) is not first
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None
