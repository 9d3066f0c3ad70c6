"""What runs note of their costs when other runs come into it."""

import datetime as dt
from typing import Any

import dagster as dg
import pytest

from genie_assets.run_costs import note_costs, noted_of_day
from genie_assets.settings import load_settings
from genie_assets.wiring import open_workspaces, take_costs

pytestmark = pytest.mark.servers  # what sends requests tries the network as it is imported


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABRICKS_HOST", "https://home.cloud.databricks.com")
    monkeypatch.setenv("DATABRICKS_WAREHOUSE_ID", "w1")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi0123456789abcdef0123456789abcdef")
    take_costs()
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def costing(requests: int) -> dg.AssetsDefinition:
    """An asset that costs so many requests, which are counted and not sent, and notes them one by one."""

    @dg.asset
    def something(context: dg.AssetExecutionContext) -> None:
        settings = load_settings()
        meter = open_workspaces(settings, settings.databricks()).home().meter
        for _ in range(requests):
            with meter.request("GET", "/api/2.0/genie/spaces"):
                pass
            note_costs(context)

    return something


def run(instance: dg.DagsterInstance, requests: int, **tags: str) -> dg.DagsterRun:
    result = dg.materialize([costing(requests)], instance=instance, tags=tags)
    found = instance.get_run_by_id(result.run_id)
    assert found is not None
    return found


def test_a_run_again_has_its_own_costs_though_dagster_gives_it_the_tags_of_the_first(
    instance: dg.DagsterInstance,
) -> None:
    first = run(instance, 3)
    inherited = {name: text for name, text in first.tags.items() if name.startswith("genie/")}
    again, in_vain = run(instance, 2, **inherited), run(instance, 0, **inherited)
    told = noted_of_day(instance, dt.datetime.now(dt.UTC).date())
    assert {each.run_id: costs.requests for each, costs in told} == {first.run_id: 3, again.run_id: 2}
    assert in_vain.run_id not in {each.run_id for each, _ in told}
